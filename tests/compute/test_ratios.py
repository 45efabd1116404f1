"""Ratios of areas: hand-worked, each with its parts, and a reason where a part was not measured."""

import pytest
from recorded import counted_slide

from wsi_area.compute.count.ratios import ratios_of
from wsi_area.errors import SettingsError
from wsi_area.model.classes import TissueClass
from wsi_area.model.record.slide_areas import ClassOnRecord
from wsi_area.model.record.slide_ratios import RatioOnRecord
from wsi_area.segmenters.scheme import ClassSetting


def classes(*told: tuple[str, int, dict]) -> list[ClassOnRecord]:
    """A background of 5000 px, and the classes told of by name, pixels and flags."""
    plain = counted_slide("stain/complete").classes[0]
    bare = plain.model_copy(update={"n_px": 5000})
    return [
        bare,
        *(
            plain.model_copy(update={"id": i, "name": name, "n_px": n_px, "is_tissue": True, **flags})
            for i, (name, n_px, flags) in enumerate(told, 1)
        ),
    ]


def by_name(found: tuple[RatioOnRecord, ...]) -> dict[str, RatioOnRecord]:
    return {ratio.name: ratio for ratio in found}


TUMOR = {"is_tumor": True}


def test_the_three_shares_of_a_tumour_bed_are_those_worked_by_hand_and_add_up_to_100() -> None:
    # names say nothing: the class called stroma is dead
    found = by_name(
        ratios_of(
            classes(
                ("a", 500, TUMOR), ("b", 100, TUMOR), ("stroma", 250, {"role": "necrosis"}),
                ("c", 150, {"role": "stroma"}), ("d", 900, {}),
            )
        )
    )  # fmt: skip
    bed = [found[name].value for name in ("viable_tumor_pct", "necrosis_pct", "stroma_pct")]
    assert bed == [60.0, 25.0, 15.0]
    assert found["necrosis_pct_tumor_necrosis"].value == pytest.approx(100 * 250 / 850)
    assert found["stroma_pct_tumor_stroma"].value == 20.0
    assert found["tumor_stroma_ratio"].value == 4.0
    assert [(r.numerator_px, r.denominator_px) for r in found.values()] == [
        (600, 1000), (250, 1000), (150, 1000), (250, 850), (150, 750), (600, 150),
    ]  # fmt: skip
    assert all(ratio.reason is None for ratio in found.values())


def test_necrosis_that_counts_as_tumour_is_no_viable_tumour() -> None:
    found = by_name(
        ratios_of(classes(("t", 300, TUMOR), ("n", 100, TUMOR | {"role": "necrosis"}), ("s", 0, {"role": "stroma"})))
    )
    assert (found["viable_tumor_pct"].value, found["necrosis_pct"].value, found["stroma_pct"].value) == (75, 25, 0)
    assert (found["tumor_stroma_ratio"].value, found["tumor_stroma_ratio"].reason) == (
        None, "there is no stroma on the slide",
    )  # fmt: skip


def test_what_no_class_is_was_not_measured_and_is_not_0() -> None:
    found = by_name(ratios_of(classes(("t", 300, TUMOR), ("s", 100, {"role": "stroma"}))))
    assert (found["stroma_pct_tumor_stroma"].value, found["tumor_stroma_ratio"].value) == (25.0, 3.0)
    for name in ("viable_tumor_pct", "necrosis_pct", "stroma_pct", "necrosis_pct_tumor_necrosis"):
        assert found[name].value is None
        assert 'role = "necrosis"' in (found[name].reason or "")
    alone = by_name(ratios_of(classes(("s", 100, {"role": "stroma"}))))
    assert "is_tumor = true" in (alone["tumor_stroma_ratio"].reason or "")


def test_without_roles_and_weights_there_is_no_ratio_whatever_classes_are_called() -> None:
    assert ratios_of(classes(("tumor", 10, TUMOR), ("necrosis", 10, {}), ("stroma", 10, {}))) == ()


@pytest.mark.parametrize(
    ("px", "weights", "score"),
    [
        ((400, 300, 200, 100), (1.0, 2.0, 3.0), 100.0),  # (300 + 400 + 300) of 1000
        ((0, 0, 0, 50), (1.0, 2.0, 3.0), 300.0),
        ((1000, 0, 0, 0), (1.0, 2.0, 3.0), 0.0),
        ((500, 250, 0, 250), (1.0, 1.0, 1.0), 50.0),
    ],
)
def test_the_weighted_positive_area_is_the_sum_of_weight_times_share(px, weights, score) -> None:
    bands = [("weak", px[1], weights[0]), ("moderate", px[2], weights[1]), ("strong", px[3], weights[2])]
    told = [("negative", px[0], {}), *((name, n, {"weight": weight}) for name, n, weight in bands)]
    (ratio,) = ratios_of(classes(*told))
    assert (ratio.name, ratio.value, ratio.denominator_px) == ("weighted_positive_area", score, sum(px))


def test_a_slide_without_tissue_has_no_weighted_area_and_says_so() -> None:
    (ratio,) = ratios_of(classes(("weak", 0, {"weight": 1.0})))
    assert (ratio.value, ratio.reason) == (None, "there is no tissue on the slide")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"role": "tumor", "is_tissue": True}, "without is_tumor"),
        ({"role": "stroma", "is_excluded": True}, "excluded"),
        ({"weight": 1.0}, "only to a class that is tissue"),
    ],
)
def test_a_role_or_a_weight_that_contradicts_what_else_is_said_is_refused(told, why) -> None:
    with pytest.raises(SettingsError, match=why):
        ClassSetting(id=1, name="a", color="#000000", **told).tissue_class()
    with pytest.raises(SettingsError, match="class 0"):
        TissueClass(0, "background", (0, 0, 0), role="stroma")
