import dataclasses

import pytest
from plans import plan_of, slide_info
from test_area import SCHEME, calibration

from wsi_area.compute.count.area import measure
from wsi_area.compute.judge.quality import Observed, QualityLimits, check
from wsi_area.model.calibration import Mpp
from wsi_area.model.counts import ClassCounts

QUIET = Observed(edge_tissue_fraction=0.0, skipped_foreground_upper_bound_px=0)


def codes(counts: ClassCounts, observed: Observed = QUIET, **plan: object) -> list[str]:
    made = plan_of((100, 10), **plan)  # type: ignore[arg-type]
    burden = measure(slide_info((100, 10)), SCHEME, counts, calibration(0.5, 0.5), None)
    return [f.code for f in check(made, burden, observed, QualityLimits())]


GOOD = ClassCounts((500, 300, 200))


def test_a_good_slide_has_nothing_to_say() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        (ClassCounts((1000, 0, 0)), "TISSUE_ZERO"),
        (ClassCounts((499, 300, 200), unreadable_px=1), "TILE_UNREADABLE"),
        (ClassCounts((200, 100, 100), unscanned_px=600), "UNSCANNED_HIGH"),
    ],
)
def test_counts_that_need_a_look_are_named(counts: ClassCounts, code: str) -> None:
    assert codes(counts) == [code]


def test_tissue_at_the_rim_is_named() -> None:
    assert codes(GOOD, dataclasses.replace(QUIET, edge_tissue_fraction=0.2)) == ["TISSUE_TOUCHES_EDGE"]


def test_a_dark_slide_under_bright_settings_is_named_and_a_dark_one_under_dark_settings_is_not() -> None:
    dark = dataclasses.replace(QUIET, background_seen="dark")
    assert codes(GOOD, dataclasses.replace(dark, background_assumed="bright")) == ["BACKGROUND_UNEXPECTED"]
    assert codes(GOOD, dataclasses.replace(dark, background_assumed="dark")) == []


def test_a_scan_coarser_than_what_was_asked_is_named() -> None:
    assert codes(GOOD, work_mpp_um=0.25, mpp=Mpp(0.5, 0.5)) == ["WORK_MPP_COARSER"]


def test_warnings_come_before_what_is_only_on_record() -> None:
    found = codes(ClassCounts((1000, 0, 0)), dataclasses.replace(QUIET, edge_tissue_fraction=0.2))
    assert found == ["TISSUE_ZERO", "TISSUE_TOUCHES_EDGE"]
