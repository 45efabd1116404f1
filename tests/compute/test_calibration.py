"""The ladder: which claim is believed, which is refused, and what is said about it."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.calibration.calibrate import calibrate
from wsi_area.compute.calibration.policy import CalibrationPolicy
from wsi_area.errors import SettingsError
from wsi_area.model.calibration import Calibration, Mpp, MppCandidate, Quality, Rung
from wsi_area.model.finding import QaFinding
from wsi_area.model.geometry import Size
from wsi_area.model.slide import Level, SlideInfo

PLAIN = CalibrationPolicy(profile="plain")


def claim(x: float, y: float | None = None, source: str = "vendor.MPP", rung: Rung = "vendor") -> MppCandidate:
    quality: dict[Rung, Quality] = {"vendor": "A", "override": "given", "tiff": "B", "image": "C"}
    return MppCandidate(Mpp(x, x if y is None else y), source, rung, quality[rung])


def override(x: float, y: float | None = None, reason: str = "scanner log of 3 May") -> MppCandidate:
    return dataclasses.replace(claim(x, y, "--mpp", "override"), note=reason)


def slide(*claims: MppCandidate, width_px: int = 40_000, height_px: int = 30_000, **facts: object) -> SlideInfo:
    size = Size(width_px, height_px)
    defaults = {"slide_id": "s", "path": "s.svs", "vendor": "generic-tiff", "fingerprint": "f"}
    levels = (Level(0, size, 1.0, 1.0),)
    known = {**defaults, "file_bytes": 1, "mtime_ns": 1, "size_l0_px": size, "levels": levels, **facts}
    return SlideInfo(mpp_candidates=claims, **known)  # type: ignore[arg-type]


def found(calibration: Calibration, code: str) -> QaFinding:
    (finding,) = [finding for finding in calibration.findings if finding.code == code]
    return finding


def codes(calibration: Calibration) -> list[str]:
    return [finding.code for finding in calibration.findings]


def test_a_lone_vendor_claim_is_chosen_without_any_finding() -> None:
    calibration = calibrate(slide(claim(0.499)))
    assert calibration.mpp == Mpp(0.499, 0.499)
    assert calibration.findings == ()
    assert "vendor.MPP" in calibration.reason


def test_the_ladder_prefers_vendor_to_tiff_tags_to_image_density_whatever_their_order() -> None:
    image, tiff = claim(0.5005, source="jfif.density", rung="image"), claim(0.5002, source="tiff.X", rung="tiff")
    vendor = claim(0.5001, source="openslide.mpp-x")
    for order in ((image, tiff, vendor), (vendor, image, tiff), (tiff, vendor, image)):
        calibration = calibrate(slide(*order))
        assert calibration.chosen == vendor
        assert [c.source for c in calibration.candidates] == ["openslide.mpp-x", "tiff.X", "jfif.density"]
    assert calibrate(slide(image, tiff)).chosen == tiff
    assert calibrate(slide(image)).chosen == image


def test_no_claim_means_pixels_only_with_a_remedy_that_can_be_typed() -> None:
    calibration = calibrate(slide())
    finding = found(calibration, "MPP_MISSING")
    assert calibration.mpp is None
    assert finding.severity == "refusal"
    assert "--mpp" in finding.remedy
    assert "mpp_x" in finding.remedy
    assert calibration.reason == "pixels only: MPP_MISSING"


@pytest.mark.parametrize("bad", [0.0, -0.25, float("nan"), float("inf")])
def test_a_claim_that_is_no_positive_number_is_never_believed(bad: float) -> None:
    calibration = calibrate(slide(claim(bad)))
    assert calibration.mpp is None
    assert codes(calibration) == ["MPP_OUT_OF_BAND"]
    beside_a_good_one = calibrate(slide(claim(bad), claim(0.25, source="tiff.X", rung="tiff")))
    assert beside_a_good_one.mpp == Mpp(0.25, 0.25)
    assert found(beside_a_good_one, "MPP_OUT_OF_BAND").severity == "info"
    assert calibrate(slide(), override=override(bad)).mpp is None


def test_claims_that_differ_by_two_percent_agree_and_by_more_conflict() -> None:
    assert calibrate(slide(claim(0.5), claim(0.51, source="b"))).mpp == Mpp(0.5, 0.5)
    calibration = calibrate(slide(claim(0.5), claim(0.5101, source="b")))
    finding = found(calibration, "MPP_CONFLICT")
    assert calibration.mpp is None
    assert finding.measured == pytest.approx(0.0202)
    assert finding.limit == 0.02
    assert "vendor.MPP 0.5; b 0.5101" in finding.message


def test_a_conflict_on_one_axis_is_a_conflict() -> None:
    finding = found(calibrate(slide(claim(0.5, 0.5), claim(0.5, 0.52, source="b"))), "MPP_CONFLICT")
    assert "in y" in finding.message


def test_claims_that_each_agree_with_the_first_may_still_conflict_with_one_another() -> None:
    calibration = calibrate(slide(claim(0.5), claim(0.509, source="b"), claim(0.491, source="c")))
    assert "b and c differ" in found(calibration, "MPP_CONFLICT").message


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        (0.0274, 0.274, "factor of 10: unit slip?"),
        (0.25, 250.0, "factor of 1 000: unit slip?"),
        (0.25, 250_000.0, "factor of 1 000 000: unit slip?"),
        (0.5, 12.7, "factor of 25.4, inch for mm: unit slip?"),
        (0.5, 1.27, "factor of 2.54, inch for cm: unit slip?"),
        (0.25, 25.0, "factor of 100: unit slip?"),
        (0.25, 0.5, "factor of 2: a claim for another level or objective?"),
    ],
)
def test_a_conflict_names_the_unit_slip_it_looks_like(one: float, other: float, name: str) -> None:
    for pair in ((one, other), (other, one)):
        calibration = calibrate(slide(claim(pair[0]), claim(pair[1], source="b"), width_px=900, height_px=900))
        assert name in found(calibration, "MPP_CONFLICT").message


def test_a_conflict_of_no_known_factor_names_none() -> None:
    message = found(calibrate(slide(claim(0.2125), claim(0.2738, source="b"))), "MPP_CONFLICT").message
    assert "slip" not in message
    assert "28.8 %" in message


@pytest.mark.parametrize(
    ("mpp", "name"),
    [
        (25_400 / 72, "72 dpi"),
        (25_400 / 96, "96 dpi"),
        (25_400 / 150, "150 dpi"),
        (25_400 / 300, "300 dpi"),
        (10_000 / 28, "72 dpi"),  # JFIF in whole dots per cm
        (1_000_000 / 2835, "72 dpi"),  # PNG in whole dots per metre
        (1000.0, "1 px per mm"),
        (10_000.0, "1 px per cm"),
        (25_400.0, "1 px per inch"),
    ],
)
def test_densities_that_editors_write_are_quarantined_on_a_microscope_slide(mpp: float, name: str) -> None:
    info = slide(claim(mpp, source="tiff.X", rung="tiff"), width_px=50, height_px=50)
    finding = found(calibrate(info), "MPP_DPI_DEFAULT")
    assert finding.severity == "refusal"
    assert name in finding.message
    assert "--mpp" in finding.remedy
    assert calibrate(info).mpp is None
    assert calibrate(info).candidates == info.mpp_candidates


def test_a_quarantined_density_neither_conflicts_with_nor_replaces_a_real_claim() -> None:
    calibration = calibrate(slide(claim(0.25), claim(25_400 / 72, source="tiff.X", rung="tiff")))
    assert calibration.mpp == Mpp(0.25, 0.25)
    assert codes(calibration) == ["MPP_DPI_DEFAULT"]
    assert found(calibration, "MPP_DPI_DEFAULT").severity == "info"


def test_one_tag_that_two_readers_repeat_is_one_finding() -> None:
    dpi = 25_400 / 72
    calibration = calibrate(slide(claim(dpi), claim(dpi, source="tiff.X", rung="tiff"), width_px=9, height_px=9))
    assert codes(calibration) == ["MPP_DPI_DEFAULT"]


def test_plain_images_take_their_density_but_that_of_a_screen_only_where_it_is_meant() -> None:
    scanned = calibrate(slide(claim(25_400 / 300, rung="image")), policy=PLAIN)
    assert scanned.mpp is not None
    assert scanned.mpp.x == pytest.approx(84.6667, abs=1e-4)
    assert scanned.findings == ()
    for dpi in (72, 96):
        screen = slide(claim(25_400 / dpi, rung="image"))
        withheld = calibrate(screen, policy=PLAIN)
        assert (withheld.mpp, found(withheld, "MPP_DPI_DEFAULT").severity) == (None, "refusal")
        assert f"--dpi {dpi}, or --set calibration.screen_dpi_meant=true" in found(withheld, "MPP_DPI_DEFAULT").remedy
        meant = calibrate(screen, policy=CalibrationPolicy(profile="plain", screen_dpi_meant=True))
        assert meant.mpp is not None
        assert found(meant, "MPP_DPI_DEFAULT").severity == "warning"
    unit = calibrate(slide(claim(1000.0, rung="tiff")), policy=PLAIN)  # 1 px per mm
    assert (unit.mpp is None, found(unit, "MPP_DPI_DEFAULT").severity) == (False, "warning")


def test_the_plain_profile_leaves_out_what_only_holds_for_glass() -> None:
    info = slide(claim(500_000.0), objective_power=40.0, vendor="aperio")
    assert calibrate(info, policy=PLAIN).findings == ()
    assert set(codes(calibrate(info))) == {"MPP_IMPLAUSIBLE_EXTENT", "MPP_OUT_OF_BAND", "POWER_MISMATCH"}


@pytest.mark.parametrize(("width_px", "height_px"), [(76_000, 26_000), (26_000, 76_000)])
def test_an_image_as_large_as_a_slide_is_believed_in_either_orientation(width_px: int, height_px: int) -> None:
    assert calibrate(slide(claim(1.0), width_px=width_px, height_px=height_px)).mpp is not None
    wider = slide(claim(1.0), width_px=width_px + 1, height_px=height_px + 1)
    finding = found(calibrate(wider), "MPP_IMPLAUSIBLE_EXTENT")
    assert finding.severity == "refusal"
    assert finding.unit == "mm"
    assert "26 × 76 mm" in finding.message


def test_a_square_of_thirty_mm_fits_large_format_only() -> None:
    info = slide(claim(1.0), width_px=30_000, height_px=30_000)
    finding = found(calibrate(info), "MPP_IMPLAUSIBLE_EXTENT")
    assert (finding.measured, finding.limit) == (30.0, 26.0)
    assert calibrate(info, policy=CalibrationPolicy(max_extent_mm=(52.0, 76.0))).mpp is not None


@pytest.mark.parametrize(("mpp", "believed"), [(0.079, False), (0.08, True), (28.969, True), (40, True), (40.1, False)])
def test_level_0_lies_between_eight_hundredths_and_forty_um(mpp: float, believed: bool) -> None:
    calibration = calibrate(slide(claim(mpp), width_px=400, height_px=300))
    assert (calibration.mpp is not None) == believed
    assert ("MPP_OUT_OF_BAND" in codes(calibration)) != believed


@pytest.mark.parametrize(
    ("um", "power", "believed"),
    [(0.06, 100.0, True), (0.07, 60.0, True), (0.07, 40.0, False), (0.06, None, False), (0.04, 100.0, False)],
)
def test_finer_pixels_than_light_gives_take_a_strong_objective(um: float, power: float | None, believed: bool) -> None:
    calibration = calibrate(slide(claim(um), objective_power=power, width_px=400, height_px=300))
    assert (calibration.mpp is not None) == believed


@pytest.mark.parametrize(("um", "reason", "believed"), [(0.06, "super-resolution", True), (0.06, "", False)])
def test_finer_pixels_are_believed_with_a_reason(um: float, reason: str, believed: bool) -> None:
    word = MppCandidate(Mpp(um, um), "--mpp", "override", "A", reason)
    calibration = calibrate(slide(width_px=400, height_px=300), override=word)
    assert (calibration.mpp is not None) == believed
    assert ("MPP_OUT_OF_BAND" in codes(calibration)) != believed


def test_what_speaks_against_a_size_takes_its_quality_away() -> None:
    quiet = calibrate(slide(claim(0.5), objective_power=20.0, vendor="aperio"))
    pitch = calibrate(slide(claim(0.25), objective_power=20.0, vendor="aperio"))
    power = calibrate(slide(claim(0.6), objective_power=20.0))
    chosen = [c.chosen for c in (quiet, pitch, power)]
    assert [c is not None and c.quality for c in chosen] == ["A", "C", "C"]
    assert "quality C" in pitch.reason


def test_a_size_out_of_band_is_traced_to_the_slip_that_made_it() -> None:
    converted = found(calibrate(slide(claim(250_000.0), width_px=9, height_px=9)), "MPP_OUT_OF_BAND")
    assert (
        "would be 0.25 µm: unit slip?"
        in found(calibrate(slide(claim(0.025), objective_power=40.0)), "MPP_OUT_OF_BAND").message
    )
    assert "unit slip?" in converted.message


@pytest.mark.parametrize(
    ("power", "mpp", "severity"),
    [
        (20, 0.22, None),
        (20, 0.56, None),
        (20, 0.57, "warning"),
        (20, 1.67, "warning"),
        (20, 1.69, "refusal"),
        (20, 0.21, "warning"),
        (20, 0.073, "refusal"),
        (40, 0.11, None),
        (40, 0.499, "warning"),
        (40, 1.0, "refusal"),
        (10, 1.0, None),
        (5, 2.0, None),
        (2, 5.0, None),
        (2.5, 4.0, None),  # between the listed powers the band scales
        (63, 0.16, None),
        (63, 0.25, "warning"),
    ],
)
def test_the_objective_warns_and_beyond_a_factor_three_refuses(power: float, mpp: float, severity: str | None) -> None:
    info = slide(claim(mpp), objective_power=float(power), width_px=4000, height_px=4000)
    calibration = calibrate(info)
    assert [f.severity for f in calibration.findings if f.code == "POWER_MISMATCH"] == ([severity] if severity else [])
    assert (calibration.mpp is None) == (severity == "refusal")


@pytest.mark.parametrize("power", [0.0, -20.0, float("nan"), float("inf"), None])
def test_an_objective_power_that_is_none_says_nothing(power: float | None) -> None:
    assert calibrate(slide(claim(0.5), objective_power=power)).findings == ()


def test_square_pixels_to_one_percent_are_square() -> None:
    assert calibrate(slide(claim(0.2270972, 0.2271024))).findings == ()
    assert calibrate(slide(claim(0.5, 0.504))).findings == ()


def test_axes_are_kept_apart_never_averaged() -> None:
    calibration = calibrate(slide(claim(0.5, 0.52)))
    assert calibration.mpp == Mpp(0.5, 0.52)
    finding = found(calibration, "MPP_ANISOTROPIC")
    assert finding.severity == "warning"
    assert finding.measured == pytest.approx(0.04)


def test_axes_far_apart_need_an_override_with_a_reason() -> None:
    info = slide(claim(0.5, 0.3))
    refused = calibrate(info)
    assert refused.mpp is None
    assert "--mpp 0.5,0.3 --mpp-reason" in found(refused, "MPP_ANISOTROPIC").remedy
    assert calibrate(info, override=override(0.5, 0.3, reason="  ")).mpp is None
    confirmed = calibrate(info, override=override(0.5, 0.3, reason="line scanner, 0.3 µm steps"))
    assert confirmed.mpp == Mpp(0.5, 0.3)
    assert found(confirmed, "MPP_ANISOTROPIC").severity == "warning"


def test_dicom_imaged_volume_must_be_matrix_times_spacing() -> None:
    spacing = claim(16.783, source="dicom.PixelSpacing")
    agreeing = slide(spacing, width_px=957, height_px=715, imaged_volume_mm=(16.061538696289062, 12.0))
    assert calibrate(agreeing).findings == ()
    other = dataclasses.replace(agreeing, imaged_volume_mm=(16.2, 12.0))
    finding = found(calibrate(other), "VOLUME_MISMATCH")
    assert calibrate(other).mpp is None
    assert finding.measured == pytest.approx(16.2 / 16.061331 - 1, abs=1e-6)
    assert calibrate(other, override=override(16.783)).mpp == Mpp(16.783, 16.783)


def test_dicom_spacing_read_in_the_wrong_order_is_named() -> None:
    info = slide(claim(0.25, 0.26), width_px=4000, height_px=2000, imaged_volume_mm=(4000 * 2.6e-4, 2000 * 2.5e-4))
    assert "[row, column]" in found(calibrate(info), "VOLUME_MISMATCH").message


def test_a_volume_in_the_wrong_unit_is_named_and_an_empty_one_ignored() -> None:
    info = slide(claim(0.25), width_px=4000, height_px=4000, imaged_volume_mm=(1000.0, 1000.0))
    assert "factor of 1 000" in found(calibrate(info), "VOLUME_MISMATCH").message
    assert calibrate(dataclasses.replace(info, imaged_volume_mm=(0.0, 0.0))).mpp is not None


def test_an_override_settles_a_conflict_and_is_stamped_with_its_reason() -> None:
    calibration = calibrate(slide(claim(0.25), claim(0.5, source="b")), override=override(0.25))
    assert calibration.mpp == Mpp(0.25, 0.25)
    assert codes(calibration) == ["MPP_CONFLICT", "MPP_OVERRIDE"]
    assert {finding.severity for finding in calibration.findings} == {"info"}
    assert "scanner log of 3 May" in found(calibration, "MPP_OVERRIDE").message
    assert "scanner log of 3 May" in calibration.reason
    assert calibration.candidates[0].rung == "override"


def test_an_override_says_by_how_much_it_changes_the_area() -> None:
    message = found(calibrate(slide(claim(0.5)), override=override(0.25)), "MPP_OVERRIDE").message
    assert "0.25 times" in message
    without = found(calibrate(slide(), override=override(0.25, reason="")), "MPP_OVERRIDE")
    assert "no reason given" in without.message
    assert "--mpp-reason" in without.remedy
    assert "mpp_reason in the manifest" in without.remedy
    assert without.severity == "warning"  # the report says which numbers nobody vouches for


def test_an_override_that_contradicts_the_file_is_a_warning_and_one_that_does_not_is_on_record() -> None:
    assert found(calibrate(slide(claim(0.5)), override=override(0.25)), "MPP_OVERRIDE").severity == "warning"
    assert found(calibrate(slide(claim(0.5)), override=override(0.504)), "MPP_OVERRIDE").severity == "info"


def test_fifty_um_at_times_twenty_is_refused_with_the_arithmetic() -> None:
    large = slide(claim(0.499), objective_power=20.0, width_px=46_000, height_px=32_914)
    assert {"MPP_IMPLAUSIBLE_EXTENT", "POWER_MISMATCH"} <= set(codes(calibrate(large, override=override(50))))
    crop = slide(claim(0.499), objective_power=20.0, width_px=300, height_px=200)
    calibration = calibrate(crop, override=override(50))
    assert calibration.mpp is None
    message = found(calibration, "POWER_MISMATCH").message
    assert "2 001 such pixels in a row would be 100 mm" in message
    assert "0.25 µm² = 2.5e-7 mm²" in message
    assert "MPP_CONFLICT" in codes(calibration)  # nor is it near what the file says, which nobody confirmed
    confirmed = calibrate(crop, override=dataclasses.replace(override(50), is_confirmed=True))
    assert "MPP_OVERRIDE" in codes(confirmed)
    assert confirmed.mpp is None


def test_a_scanner_known_for_other_pixels_is_a_warning_only() -> None:
    assert calibrate(slide(claim(0.2525), vendor="aperio", objective_power=40.0)).findings == ()
    assert calibrate(slide(claim(0.2628), vendor="aperio", objective_power=40.0)).findings == ()  # GT450
    assert calibrate(slide(claim(0.2282), vendor="hamamatsu", objective_power=40.0)).findings == ()
    assert calibrate(slide(claim(0.2427), vendor="mirax", objective_power=20.0)).findings == ()
    assert calibrate(slide(claim(0.2439), vendor="philips")).findings == ()
    calibration = calibrate(slide(claim(0.22), vendor="aperio", objective_power=40.0))
    assert calibration.mpp == Mpp(0.22, 0.22)
    finding = found(calibration, "SCANNER_PITCH_MISMATCH")
    assert finding.severity == "warning"
    assert "Aperio AT2/CS2 0.2494 to 0.2528" in finding.message
    assert calibrate(slide(claim(0.22), vendor="aperio")).findings == ()  # no power, no prior


def test_refusals_stand_before_warnings_and_notes() -> None:
    info = slide(claim(0.6, 0.62), claim(900.0, source="b"), objective_power=20.0)
    severities = [finding.severity for finding in calibrate(info).findings]
    assert severities == sorted(severities, key=["refusal", "warning", "info"].index)
    assert len(set(severities)) > 1


def test_every_limit_can_be_set() -> None:
    pair = slide(claim(0.5), claim(0.52, source="b"))
    assert calibrate(pair, policy=CalibrationPolicy(conflict_tolerance=0.05)).mpp is not None
    wide = CalibrationPolicy(band_um=(0.01, 500.0), default_dpi=())
    assert calibrate(slide(claim(300.0), width_px=20, height_px=20), policy=wide).mpp is not None
    powered = slide(claim(1.2), objective_power=40.0, width_px=400, height_px=400)
    assert calibrate(powered).mpp is None
    assert calibrate(powered, policy=CalibrationPolicy(power_refusal_factor=5)).mpp is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"conflict_tolerance": 0.0},
        {"volume_tolerance": float("nan")},
        {"band_um": (60.0, 0.05)},
        {"max_extent_mm": (26.0, 0.0)},
        {"power_bands": ()},
    ],
)
def test_limits_that_would_let_everything_or_nothing_pass_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        CalibrationPolicy(**wrong)  # type: ignore[arg-type]


sizes = st.floats(1e-3, 1e6)
claims = st.lists(
    st.builds(claim, sizes, sizes, st.sampled_from("abcd"), st.sampled_from(["vendor", "tiff", "image"])), max_size=4
)


@settings(max_examples=150, deadline=None)
@given(claims, st.none() | st.builds(override, sizes, sizes), st.none() | st.floats(1, 100), st.booleans())
def test_a_size_is_chosen_exactly_when_nothing_refuses_it_and_is_always_one_that_was_claimed(
    claimed: list[MppCandidate], word: MppCandidate | None, power: float | None, glass: bool
) -> None:
    info = slide(*claimed, objective_power=power, width_px=4000, height_px=3000)
    calibration = calibrate(info, override=word, policy=CalibrationPolicy(profile="glass" if glass else "plain"))
    refused = any(finding.severity == "refusal" for finding in calibration.findings)
    assert (calibration.chosen is None) == refused
    assert len(calibration.candidates) == len(claimed) + (word is not None)
    told = [f for f in calibration.findings if f.code == "MPP_OVERRIDE" or "was given by" in f.message]
    assert len(told) == (word is not None)
    if calibration.chosen is not None:
        chosen = calibration.chosen
        assert word is None or (chosen.mpp, chosen.source) == (word.mpp, word.source)
        assert (chosen.mpp, chosen.source) in [(claim.mpp, claim.source) for claim in calibration.candidates]
        against = {"POWER_MISMATCH", "SCANNER_PITCH_MISMATCH"} & set(codes(calibration))
        if against and chosen.rung != "override":
            assert chosen.quality == "C"
        else:
            assert chosen in calibration.candidates
    assert all(finding.remedy for finding in calibration.findings if finding.severity == "refusal")
