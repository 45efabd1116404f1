"""An uncertainty budget: held against the GUM's own example, and against what each row must come to."""

import math

import pytest

from wsi_area.compute.budget.budget import CountedArea, budget_of, with_terms
from wsi_area.compute.budget.combination import Component, combined
from wsi_area.compute.budget.rows import conflict_row, exact, pixel_size_row, skipped_glass_row, threshold_row
from wsi_area.compute.budget.terms import BudgetTerms, GivenTerm
from wsi_area.model.calibration import Quality, Rung
from wsi_area.model.record.slide_origin import CalibrationOnRecord, Candidate
from wsi_area.model.record.slide_threshold import MovedThreshold, ThresholdOnRecord

DRAWN = CountedArea("class", "lesion", ("lesion",), "lesion, drawn", 10.0, is_drawn=True)
FOUND = CountedArea("total", "tumor", ("metastasis",), "tumour", 10.0, is_drawn=False)


def claim(um: float, source: str, rung: Rung, quality: Quality = "A", **more: object) -> Candidate:
    told = {"mpp_x_um": um, "mpp_y_um": um, "source": source, "rung": rung, "quality": quality, "note": "", **more}
    return Candidate.model_validate(told)


def calibration(*claims: Candidate, relative_u: float = 0.01) -> CalibrationOnRecord:
    """The first claim is the chosen one."""
    um = claims[0].mpp_x_um
    return CalibrationOnRecord(
        mpp_x_um=um, mpp_y_um=um, source=claims[0].source, quality=claims[0].quality, note="", reason="",
        pixel_area_mm2=um * um * 1e-6, relative_u_area=relative_u, candidates=claims,
    )  # fmt: skip


def test_the_end_gauge_of_the_gum_has_16_degrees_of_freedom_and_93_nm() -> None:
    """JCGM 100:2008, H.1: nm, and degrees of freedom, from its table H.1; ν_eff 16, t 2.92, U 93 nm, level 99 %."""
    gauge = [Component(25.0, 18), Component(9.7, 25.6), Component(2.9, 50), Component(16.6, 2), Component(0.0, None)]
    found = combined(gauge, coverage=0.99)
    assert (round(found.u), found.degrees_of_freedom) == (32, 16)
    assert (round(found.k, 2), round(found.expanded)) == (2.92, 93)


def test_a_part_that_is_known_exactly_takes_no_degrees_of_freedom_away() -> None:
    assert combined([Component(3.0), Component(0.0, 1)]).degrees_of_freedom is None
    alone = combined([Component(1.0, 9)])
    assert (alone.degrees_of_freedom, round(alone.k, 2)) == (9, 2.32)  # GUM table G.2: t of 95.45 % and 9
    half = combined([Component(1.0, 9), Component(1.0, 9)])  # equal parts: as many as both together
    assert half.degrees_of_freedom == 18


def test_an_area_so_small_that_its_fourth_power_is_nothing_keeps_its_degrees_of_freedom() -> None:
    assert combined([Component(1e-90, 5), Component(1e-95)]).degrees_of_freedom == 5


def test_the_rows_come_to_the_root_of_their_squares_and_their_shares_to_one() -> None:
    own = [pixel_size_row(10.0, calibration(claim(0.5, "aperio.MPP", "vendor"), relative_u=0.03)),
           skipped_glass_row(4_000_000, 12, 1e-7 * math.sqrt(3), may_hold=True)]  # fmt: skip
    budget = budget_of(FOUND, own)
    assert [row.u_mm2 for row in budget.rows if row.u_mm2] == [pytest.approx(0.3), pytest.approx(0.4)]
    assert (budget.u_mm2, budget.k, budget.expanded_mm2) == (pytest.approx(0.5), 2.0, pytest.approx(1.0))
    assert [row.name for row in budget.by_width] == ["skipped_glass", "pixel_size"]
    assert sum(row.share or 0.0 for row in budget.rows) == pytest.approx(1)
    assert {row.name for row in budget.lacking} == {"segmentation", "rescan"}
    assert not budget.knows_segmentation


def test_a_given_term_takes_the_place_of_the_row_that_was_not_assessed() -> None:
    bare = budget_of(FOUND, [])
    points = GivenTerm("300 points", u_mm2=2.0, degrees_of_freedom=4, area_mm2=12.0)
    known = with_terms(bare, BudgetTerms(segmentation={"metastasis": points}))  # the class that alone is the tumour
    assert (known.area_mm2, known.counted_mm2, known.knows_segmentation) == (12.0, 10.0, True)
    assert known.k == pytest.approx(2.87, abs=0.005)  # GUM table G.2: t of 95.45 % and 4
    low, high = known.ci95_mm2 or (math.nan, math.nan)
    assert (low, high) == (pytest.approx(12 - 2 * 2.87, abs=0.02), pytest.approx(12 + 2 * 2.87, abs=0.02))
    assert with_terms(known, BudgetTerms()) == known  # nothing new changes nothing


def test_an_interval_does_not_reach_below_no_area() -> None:
    wide = with_terms(budget_of(FOUND, []), BudgetTerms(segmentation={"tumor": GivenTerm("card", relative_u=0.9)}))
    assert wide.ci95_mm2 == (0.0, pytest.approx(28.0))


def test_a_total_of_several_classes_does_not_take_the_term_of_one() -> None:
    two = CountedArea("total", "tumor", ("invasive", "in_situ"), "tumour", 10.0, is_drawn=False)
    told = BudgetTerms(segmentation={"invasive": GivenTerm("card", relative_u=0.1)})
    assert not budget_of(two, [], told).knows_segmentation


def test_a_drawing_lacks_its_observer_until_somebody_draws_it_again() -> None:
    alone = budget_of(DRAWN, [exact("counting", "no outline")])
    assert (alone.knows_segmentation, [row.name for row in alone.lacking]) == (False, ["observer", "rescan"])
    again = with_terms(alone, BudgetTerms(observer={"*": GivenTerm("2 readers", relative_u=0.04)}))
    assert again.knows_segmentation
    assert again.u_mm2 == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("claims", "relative_u", "expected_mm2"),
    [
        ([claim(0.5, "aperio.MPP", "vendor")], 0.01, None),  # nothing else on record
        ([claim(0.5, "aperio.MPP", "vendor"), claim(0.501, "tiff", "tiff", "B")], 0.01, None),  # within the grade
        # 1.9 % an axis, 3.836 % of the area: over the root of 3 that is 2.2147 %, of which 1 % is in the other row
        ([claim(0.5, "aperio.MPP", "vendor"), claim(0.5095, "tiff", "tiff", "B")], 0.01, 0.19761),
        ([claim(0.5, "aperio.MPP", "vendor"), claim(0.6, "dpi", "image", "C")], 0.01, None),  # a print density
        ([claim(0.5, "--mpp", "override", "given"), claim(0.25, "aperio.MPP", "vendor")], 0.06, 4.2884),
        ([claim(0.5, "--mpp", "override", "given", u_um=0.001), claim(0.25, "aperio.MPP", "vendor")], 0.004, None),
    ],
)  # fmt: skip
def test_claims_that_differ_widen_the_pixel_size_to_the_farthest(
    claims: list[Candidate], relative_u: float, expected_mm2: float | None
) -> None:
    row = conflict_row(10.0, calibration(*claims, relative_u=relative_u))
    assert (None if row is None else row.u_mm2) == (
        None if expected_mm2 is None else pytest.approx(expected_mm2, rel=1e-3)
    )


def test_the_threshold_counts_with_its_wider_side_and_for_tissue_alone() -> None:
    shares = {"-5%": 1.06, "used": 1.0, "+5%": 0.97}
    moved = ThresholdOnRecord(tiles=16, of_tiles=16, moved=tuple(
        MovedThreshold(shift=shift, threshold=40, n_px=100, share_of_used=share, share_u=0.0)
        for shift, share in shares.items()
    ))  # fmt: skip
    row = threshold_row(10.0, moved, is_tissue=True)
    assert row is not None
    assert (row.u_mm2, row.value) == (pytest.approx(0.6 / math.sqrt(3)), pytest.approx(6.0))
    other = threshold_row(10.0, moved, is_tissue=False)
    assert other is not None
    assert not other.is_assessed
    assert threshold_row(10.0, None, is_tissue=True) is None


def test_skipped_glass_that_nobody_bounded_is_not_taken_for_nothing() -> None:
    assert skipped_glass_row(0, 0, 1e-6, may_hold=True).u_mm2 == 0
    assert not skipped_glass_row(None, 5, 1e-6, may_hold=True).is_assessed
    assert skipped_glass_row(3_000_000, 5, 1e-6, may_hold=True).u_mm2 == pytest.approx(math.sqrt(3))
