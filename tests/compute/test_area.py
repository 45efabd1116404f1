import dataclasses
import math
import re

import pytest
from plans import slide_info

from wsi_area.compute.count.area import area_mm2, assert_accounted, measure
from wsi_area.errors import CountMismatchError
from wsi_area.model.calibration import Calibration, Mpp, MppCandidate
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.counts import ClassCounts
from wsi_area.results.record import class_on_record, signal_on_record

SCHEME = ClassScheme(
    (
        TissueClass(0, "background", (255, 255, 255)),
        TissueClass(1, "stroma", (0, 0, 255), is_tissue=True),
        TissueClass(2, "tumour", (255, 0, 0), is_tissue=True, is_tumor=True),
    )
)


def calibration(x: float, y: float) -> Calibration:
    candidate = MppCandidate(Mpp(x, y), "aperio.MPP", "vendor", "A")
    return Calibration(candidate, (candidate,), (), "the scanner says so")


UNCALIBRATED = Calibration(None, (), (), "nothing says so")
COUNTS = ClassCounts((400, 300, 200), 50, 30, 20, (0, 3_000_000, 8_000_000), 7)  # 1000 px


def test_the_articles_question_has_the_articles_answer() -> None:
    # 15 000 px of 0.25 µm²: 3 750 µm²
    assert area_mm2(15_000, Mpp(0.5, 0.5)) == pytest.approx(3_750 / 1e6)


def test_a_square_inch_at_300_dpi_is_645_16_mm2() -> None:
    mpp = Mpp(25_400 / 300, 25_400 / 300)
    assert area_mm2(300 * 300, mpp) == pytest.approx(25.4**2)


def test_both_axes_count_and_their_mean_never_does() -> None:
    wide = measure(slide_info((100, 10)), SCHEME, COUNTS, calibration(1.0, 0.25), None)
    assert wide.tumor_area_mm2 == pytest.approx(200 * 0.25e-6)
    assert wide.tumor_area_mm2 != pytest.approx(200 * 0.625**2 * 1e-6)


def test_twice_the_pixel_size_is_four_times_the_area() -> None:
    once = measure(slide_info((100, 10)), SCHEME, COUNTS, calibration(0.3, 0.4), None)
    twice = measure(slide_info((100, 10)), SCHEME, COUNTS, calibration(0.6, 0.8), None)
    for name in ("tumor_area_mm2", "tissue_area_mm2", "analyzed_area_mm2", "unread_area_mm2", "tumor_area_u_mm2"):
        assert getattr(twice, name) == pytest.approx(4 * getattr(once, name))
    assert twice.tumor_fraction == once.tumor_fraction


def test_classes_unscanned_outside_and_unreadable_each_have_their_place() -> None:
    burden = measure(slide_info((100, 10)), SCHEME, COUNTS, calibration(1.0, 1.0), 1_000_000)
    assert (burden.tumor_px, burden.tissue_px, burden.analyzed_px) == (200, 500, 900)
    assert burden.tumor_fraction == pytest.approx(0.4)
    assert burden.unread_area_mm2 == pytest.approx(20e-6)
    assert burden.status == "incomplete"
    # 3 OD·px of 1 µm² each over 300 µm², and 8 over 200
    assert burden.classes[1].mean_signal == pytest.approx(0.01)
    assert burden.classes[2].mean_signal == pytest.approx(0.04)


def test_a_mean_does_not_depend_on_how_finely_a_slide_was_scanned_and_a_sum_per_mm2_does() -> None:
    fine = ClassCounts((1600, 1200, 800), 200, 120, 80, (0, 12_000_000, 32_000_000))  # each pixel as four
    coarse = measure(slide_info((100, 10)), SCHEME, COUNTS, calibration(1.0, 1.0), 1_000_000)
    found = measure(slide_info((200, 20)), SCHEME, fine, calibration(0.5, 0.5), 1_000_000)
    once, four_times = ([class_on_record(c) for c in burden.classes] for burden in (coarse, found))
    # 3 OD·px over 300 px of 1 µm², and 8 over 200; then 12 over 1200 px of a quarter of that, and 32 over 800
    assert [c.mean_signal for c in once[1:]] == [c.mean_signal for c in four_times[1:]] == [0.01, 0.04]
    assert [c.integrated_signal for c in once[1:]] == pytest.approx([3e-6, 8e-6])
    assert [c.integrated_signal for c in four_times[1:]] == pytest.approx([3e-6, 8e-6])
    assert [c.sum_signal_per_mm2 for c in once[1:]] == pytest.approx([3 / 300e-6, 8 / 200e-6])
    assert [c.sum_signal_per_mm2 for c in four_times[1:]] == pytest.approx([12 / 300e-6, 32 / 200e-6])
    tissue, finer = (signal_on_record(burden, "od", 1_000_000) for burden in (coarse, found))
    assert (tissue.mean, tissue.n_px, finer.mean, finer.n_px) == (11 / 500, 500, 44 / 2000, 2000)
    assert (tissue.integrated_mm2, finer.integrated_mm2) == pytest.approx((11e-6, 11e-6))
    assert (tissue.sum_per_mm2, finer.sum_per_mm2) == pytest.approx((11 / 500e-6, 44 / 500e-6))


def test_a_mean_needs_no_pixel_size_and_whatever_is_per_mm2_does() -> None:
    bare = measure(slide_info((100, 10)), SCHEME, COUNTS, UNCALIBRATED, 1_000_000)
    classes, tissue = [class_on_record(c) for c in bare.classes], signal_on_record(bare, "od", 1_000_000)
    assert [c.mean_signal for c in classes[1:]] == [0.01, 0.04]
    assert [(c.integrated_signal, c.sum_signal_per_mm2) for c in classes] == [(None, None)] * 3
    assert (tissue.mean, tissue.integrated_mm2, tissue.sum_per_mm2) == (11 / 500, None, None)


def test_without_a_pixel_size_there_are_pixels_and_no_area_at_all() -> None:
    whole = dataclasses.replace(COUNTS, px_by_class=(420, 300, 200), unreadable_px=0)
    burden = measure(slide_info((100, 10)), SCHEME, whole, UNCALIBRATED, None)
    assert burden.status == "needs_calibration"
    assert burden.tumor_px == 200
    areas = [burden.tumor_area_mm2, burden.tissue_area_mm2, burden.analyzed_area_mm2, burden.unread_area_mm2]
    assert areas == [None] * 4
    assert all(c.area_mm2 is None and c.u_mm2 is None for c in burden.classes)


def test_where_no_class_is_tumour_the_tumour_area_is_unknown_and_not_zero() -> None:
    scheme = ClassScheme(tuple(dataclasses.replace(c, is_tumor=False) for c in SCHEME.classes))
    burden = measure(slide_info((100, 10)), scheme, COUNTS, calibration(1.0, 1.0), None)
    assert burden.tumor_px is None
    assert burden.tumor_area_mm2 is None
    assert burden.tumor_fraction is None


def test_zero_tissue_is_a_result() -> None:
    burden = measure(slide_info((100, 10)), SCHEME, ClassCounts((1000, 0, 0)), calibration(1.0, 1.0), None)
    assert burden.status == "complete"
    assert burden.tissue_area_mm2 == 0.0
    assert burden.tumor_fraction is None


@pytest.mark.parametrize("off_by", [-1, 1])
def test_counts_that_miss_the_slide_by_one_pixel_are_refused(off_by: int) -> None:
    info = slide_info((100, 10))
    wrong = dataclasses.replace(COUNTS, unscanned_px=COUNTS.unscanned_px + off_by)
    with pytest.raises(CountMismatchError, match=re.escape(f"({off_by:+d})")):
        assert_accounted(info, wrong)
    with pytest.raises(CountMismatchError):
        measure(info, SCHEME, wrong, calibration(1.0, 1.0), None)


def test_the_uncertainty_is_that_of_a_square_of_one_calibration() -> None:
    burden = measure(slide_info((100, 10)), SCHEME, COUNTS, calibration(1.0, 1.0), None)
    # a pixel size that is 0.5 % too large makes the area 1.0025 % too large: to first order twice
    assert burden.tumor_area_mm2 is not None
    assert burden.tumor_area_u_mm2 is not None
    assert math.isclose(burden.tumor_area_u_mm2 / burden.tumor_area_mm2, 1.005**2 - 1, rel_tol=0.01)
