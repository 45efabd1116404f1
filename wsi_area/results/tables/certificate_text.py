"""results: the certificate of a slide as headings and lines for people, the same wherever it is shown; pure."""

from collections.abc import Iterator

from wsi_area.compute.judge.pictures import ORIENTATIONS
from wsi_area.compute.quantity_text import number_text, pair_text
from wsi_area.model.geometry import Size
from wsi_area.model.picture import Picture
from wsi_area.model.record.slide_certificate import (
    Certificate,
    CertifiedLight,
    CertifiedPictures,
    Completeness,
    Grade,
    Orientation,
)
from wsi_area.model.record.slide_origin import CalibrationOnRecord
from wsi_area.model.slide import UPRIGHT
from wsi_area.results.tables.light_text import glass_text
from wsi_area.results.tables.picture_text import NO_OTHER, left_out_texts, taken_text

NOT_LOOKED_AT = "not looked at"

Lines = tuple[tuple[str, tuple[str, ...]], ...]


def certificate_lines(certificate: Certificate) -> Lines:
    """Return each heading of a certificate with its lines; the hash comes last."""
    return (
        ("picture", tuple(_pictures(certificate.pictures))),
        ("pixel size", tuple(_pixel_size(certificate.pixel_size, certificate.pictures))),
        ("light", tuple(_light(certificate.light))),
        ("completeness", tuple(_completeness(certificate.completeness))),
        ("orientation", (_orientation(certificate.orientation),)),
        ("not assessed", certificate.not_assessed),
        ("hash of all this", (certificate.sha256,)),
    )


def _pictures(pictures: CertifiedPictures) -> Iterator[str]:
    yield f"{taken_text(pictures)}; {_grade(pictures.grade)}"
    if pictures.note:
        yield pictures.note
    left_out = left_out_texts(pictures)
    yield from (f"left out: {text}" for text in left_out)
    if not left_out:
        yield NO_OTHER


def _pixel_size(size: CalibrationOnRecord, pictures: CertifiedPictures) -> Iterator[str]:
    yield size.reason
    told, chosen = list(pictures.claims), (size.source, size.mpp_x_um, size.mpp_y_um)
    is_alone = all(picture.taken or picture.role == "reduced level" for picture in pictures.listed)
    for claim in size.candidates:
        of = next((one for one in told if (one.source, one.mpp_x_um) == (claim.source, claim.mpp_x_um)), None)
        if of is not None:
            told.remove(of)  # a tag may stand twice, once for each picture
        whose = "" if of is None or is_alone else _whose(of.picture, of.describes_px, pictures.listed)
        note = f": “{claim.note}”" if claim.note else ""
        number = pair_text(claim.mpp_x_um, claim.mpp_y_um)
        used = ""
        if (claim.source, claim.mpp_x_um, claim.mpp_y_um) == chosen:
            used, chosen = " (used)", (None, None, None)  # the first of those that are alike
        yield f"claim {claim.source}{used}{note}, {number} µm/px, quality {claim.quality}{whose}"
    for unread in pictures.unread_claims:
        yield f"claim {unread.source}: “{unread.text}”, which cannot be read"
    if not size.candidates and not pictures.unread_claims:
        yield "nothing in the file states one"


def _whose(number: int | None, describes_px: Size | None, listed: tuple[Picture, ...]) -> str:
    words = []
    if number is not None:
        roles = [picture.role for picture in listed if picture.index == number]
        words.append(f"of picture {number}" + "".join(f" ({role})" for role in roles))
    if describes_px is not None:
        words.append(f"describes {number_text(describes_px.width_px)} × {number_text(describes_px.height_px)} px")
    return ", " + ", ".join(words) if words else ", of which picture is not said"


def _light(light: CertifiedLight) -> Iterator[str]:
    if not light.was_looked_at:
        yield f"{NOT_LOOKED_AT}: nothing of the slide was decoded"
        return
    if light.glass is None:
        yield "the segmenter looks for no glass"
        return
    ungraded = "no grade before the slide is counted" if light.glass.leans_on_glass else "no number leans on it"
    grade = ungraded if light.grade is None else _grade(light.grade)
    yield f"{glass_text(light.glass)}; its darkest channel lies at {light.glass_level}; {grade}"
    if light.threshold is not None:
        leans = "taken from the glass" if light.glass.leans_on_glass else "not taken from the glass"
        yield f"threshold {number_text(light.threshold)} by {light.threshold_method or 'no method on record'}, {leans}"


def _completeness(kept: Completeness) -> Iterator[str]:
    ends = {
        True: "cut short before its pixels end",
        False: "not cut short",
        None: "its format does not say where its pixels end",
    }
    yield f"{_whole(kept.file_bytes)} bytes; {ends[kept.is_cut_short]}"
    tiles = kept.tiles
    if tiles is None:
        yield "stored tiles: the format lists none that are read"
    else:
        there = tiles.listed - tiles.missing - tiles.without_place - tiles.beyond_end
        lost = f", {_whole(tiles.beyond_end)} beyond the end of the file" if tiles.beyond_end else ""
        lost += f", {_whole(tiles.without_place)} at no place in the file" if tiles.without_place else ""
        left_out = f", {_whole(tiles.missing)} left out by the scanner" if tiles.missing else ""
        yield f"stored tiles: {_whole(there)} of {_whole(tiles.listed)} there{left_out}{lost}"
    for name, n_px in (("never scanned", kept.n_px_unscanned), ("unreadable", kept.n_px_unreadable)):
        yield f"{name}: {NOT_LOOKED_AT if n_px is None else f'{_whole(n_px)} px of level 0'}"


def _orientation(lies: Orientation) -> str:
    if lies.on_record == UPRIGHT:
        return "as stored, which is as it is shown"
    how = ORIENTATIONS.get(lies.on_record, "otherwise")
    return f"{how} when it is shown; measured as it is {'shown' if lies.is_as_shown else 'stored'}"


def _grade(grade: Grade) -> str:
    return f"grade {grade.grade}" + (f" ({', '.join(grade.because)})" if grade.because else "")


def _whole(number: int) -> str:
    """Return a count to its last digit: it is held against the file."""
    return f"{number:,}".replace(",", " ")
