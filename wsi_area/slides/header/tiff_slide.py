"""slides: the one picture of a TIFF that is meant, with every claim about its pixel size; structure only."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import MppCandidate, UnreadClaim
from wsi_area.model.geometry import Size
from wsi_area.model.picture import Picture, PictureChoice
from wsi_area.slides.header.descriptions.vips import is_vips, vips_claims
from wsi_area.slides.header.descriptions.words import is_known, words_of_a_size
from wsi_area.slides.header.mpp_sources import Claim, claim_of, tiff_claims
from wsi_area.slides.header.ome import ome_images
from wsi_area.slides.header.one_picture import OnePicture, one_picture
from wsi_area.slides.header.tiff_directories import (
    DESCRIPTION,
    EXTRA_SAMPLES,
    ORIENTATION,
    PHOTOMETRIC,
    RESOLUTION_UNIT,
    SCALES,
    X_RESOLUTION,
    Y_RESOLUTION,
    Directory,
)
from wsi_area.slides.header.tiff_pictures import tiff_pictures

STRUCTURED_VENDORS = ("aperio", "generic-tiff")
"""What OpenSlide calls the TIFFs of which we know ourselves which picture is which."""

OPENSLIDE_MPP = "openslide.mpp-x"
_APERIO_CLAIMS = (OPENSLIDE_MPP, "aperio.MPP")
_RGB = 2
_TRANSPARENCY = (1, 2)  # ExtraSamples: colours multiplied by it, and not
_APERIO_MPP = re.compile(r"\|\s*MPP\s*=([^|]*)")
_SIZE = re.compile(r"(\d+)x(\d+)")
_CROP = re.compile(r"\[\s*\d+\s*,\s*\d+[\s,]+(\d+)x(\d+)\s*\]")


@frozen_value
class TiffSlide:
    """The picture of a TIFF that is measured, and its directory."""

    one: OnePicture
    directory: Directory
    directories: tuple[Directory, ...]
    picture_of_image: Mapping[int, int]  # of each image of OME-XML, the number of its first picture in the list
    vendor: str | None = None  # as whose slide OpenSlide knows it

    @property
    def orientation(self) -> int:
        """Return the turn of the picture when it is shown: 1 to 8, 1 for not at all."""
        stated = self.directory.number(ORIENTATION, 1)
        return stated if 1 <= stated <= 8 else 1

    @property
    def is_first_whole(self) -> bool:
        """Return True if it is the first directory of the file with all its samples, which every reader shows."""
        parts = self.one.parts
        if unnamed_samples(self.directory):
            return False
        return len(parts) == 1 and parts[0].sample is None and parts[0].directory_at == self.directories[0].at


def tiff_slide(file: Path, vendor: str | None, directories: tuple[Directory, ...], choice: PictureChoice) -> TiffSlide:
    """Return the one picture of a TIFF that is meant.

    Raises
    ------
    SlideOpenError
        Several could be meant, or none.
    """
    found = tiff_pictures(directories, vendor)
    one = one_picture(file, found, choice)
    every = {d.at: d for top in directories for d in (top, *top.inner)}
    numbers = {picture.image: picture.picture.index for picture in reversed(found) if picture.may_be_meant}
    numbers |= {picture.image: picture.picture.index for picture in one.taken[:1]}
    numbers = {picture.image: picture.picture.index for picture in reversed(found)} | numbers
    directory = every[one.parts[0].directory_at]
    if (unnamed := unnamed_samples(directory)) and one.parts[0].sample is None:
        what = "a sample that nothing calls" if unnamed == 1 else f"{unnamed} samples that nothing calls"
        left_out = f"beside red, green and blue its pixels have {what} transparency; left out"
        one = replace(one, note=f"{one.note}; {left_out}" if one.note else left_out)
    return TiffSlide(one, directory, directories, numbers, vendor)


def unnamed_samples(directory: Directory) -> int:
    """Return the number of samples of a pixel of red, green and blue that the directory gives no meaning.

    An infrared band, or a mask: some readers, OpenSlide among them, take the first of such for transparency, and so
    change or lose the colours.
    """
    extras = directory.numbers(EXTRA_SAMPLES)
    if directory.number(PHOTOMETRIC, 1) != _RGB or directory.samples < 4 or not extras:
        return 0
    return 0 if extras[0] in _TRANSPARENCY else directory.samples - 3


def tag_claims(slide: TiffSlide) -> Iterator[Claim]:
    """Yield what the resolution of the picture's own directory says."""
    values, description = slide.directory.values, slide.directories[0].values.get(DESCRIPTION, "")
    unit = {2: "inch", 3: "cm"}.get(slide.directory.number(RESOLUTION_UNIT, 2), "none")
    x, y = (_one(values.get(tag)) for tag in (X_RESOLUTION, Y_RESOLUTION))
    yield from of_their_picture(tiff_claims(x, y, unit, str(description)), slide)


def further_claims(file: Path, slide: TiffSlide) -> Iterator[Claim]:
    """Yield what OME-XML, libvips, maps, instruments and words say, each with the picture that it says it of."""
    description = slide.directories[0].description
    images = ome_images(description)
    if slide.vendor == "aperio":
        yield from of_their_picture(_said_twice(slide.directory.description), slide)
    elif not images and not description.startswith("ImageJ="):
        yield from vips_claims(slide.directory.description)
        if not is_vips(description):
            yield from words_of_a_size(slide.directory.description)
    if not images and not slide.directory.tags & SCALES:
        return
    from wsi_area.slides.header.tiff_scales import ome_claims, scale_claims  # loads tifffile

    yield from ome_claims(images, slide.picture_of_image)
    yield from of_their_picture(scale_claims(file, slide.directory), slide)


def _said_twice(description: str) -> Iterator[Claim]:
    """Yield every pixel size of an Aperio description that states several, of which a reader takes one."""
    stated = list(dict.fromkeys(text.strip() for text in _APERIO_MPP.findall(description)))
    for text in stated if len(stated) > 1 else ():
        yield from claim_of(text, text, "aperio.MPP", "vendor", "A", text)


def ome_power(slide: TiffSlide) -> float | None:
    """Return the magnification of the objective that OME-XML names for the picture, None where it names none."""
    images = ome_images(slide.directories[0].description)
    own = next((image for image in images if image.number == slide.one.taken[0].image), None)
    return own.power if own is not None else None


def of_their_picture(claims: Iterable[Claim], meant: TiffSlide) -> Iterator[Claim]:
    """Yield claims read from the directory of the picture that is meant, with its number.

    Those of Aperio's description carry the size of the picture that it says it is of.
    """
    number, stated = meant.one.taken[0].picture.index, aperio_frame(meant.directory.description)
    for claim in claims:
        if not isinstance(claim, MppCandidate) or claim.picture is not None:
            yield claim
        elif meant.vendor == "aperio" and claim.source in _APERIO_CLAIMS:
            yield replace(claim, picture=number, describes_px=stated)
        else:
            yield replace(claim, picture=number)


def aperio_frame(description: str) -> Size | None:
    r"""Return the size of the picture whose pixel size an Aperio description states, None where it states none.

    It is that of the crop in brackets, else the first. What follows an arrow is the size of a reduced picture, of which
    the description still states the pixel size of the full one.

    >>> aperio_frame("Aperio v1\n46000x32914 [20000,10000 768x700] (256x256) J2K|MPP = 0.5")
    Size(width_px=768, height_px=700)
    >>> aperio_frame("Aperio v1\n4443x3567 (256x256) -> 2221x1783 J2K")
    Size(width_px=4443, height_px=3567)
    """
    line = description.partition("\n")[2].partition("|")[0].partition(";")[0]
    found = _CROP.search(line) or _SIZE.match(line.strip())
    return None if found is None else Size(int(found[1]), int(found[2]))


def split_claims(claims: Sequence[Claim]) -> tuple[tuple[MppCandidate, ...], tuple[UnreadClaim, ...]]:
    """Return the claims that can be read, and what cannot; OpenSlide's repetition of a tag is told once."""
    read = tuple(claim for claim in claims if isinstance(claim, MppCandidate))
    unread = [claim for claim in claims if isinstance(claim, UnreadClaim)]
    own = {claim.text for claim in unread if claim.source != OPENSLIDE_MPP}
    told = tuple(claim for claim in unread if not is_known(claim, read))
    return read, tuple(claim for claim in told if claim.source != OPENSLIDE_MPP or claim.text not in own)


def with_claims(listed: tuple[Picture, ...], claims: Sequence[MppCandidate]) -> tuple[Picture, ...]:
    """Return the pictures of a list, each with the first size that is claimed of it by its number."""
    sizes = {claim.picture: claim.mpp for claim in reversed(claims) if claim.picture is not None}
    return tuple(replace(picture, mpp=sizes.get(picture.index, picture.mpp)) for picture in listed)


def _one(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
