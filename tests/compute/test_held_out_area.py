"""What a model's card says of area: how far one more slide may be off, not how far the mean of many is."""

import numpy as np
import pytest

from wsi_area.compute.judge.held_out_area import held_out_areas


def facts_of(pairs: list[tuple[int, int]], groups: list[str] | None = None) -> dict[str, object]:
    names = groups or [f"g{n}" for n in range(len(pairs))]
    images = [
        {"group": group, "classes": [{"name": "gland", "predicted_px": found, "truth_px": true}]}
        for group, (found, true) in zip(names, pairs, strict=True)
    ]
    return {"about": {"accuracy": {"per_image": images}}}


def test_one_more_slide_lies_in_the_interval_in_95_of_100_models() -> None:
    rng, held, trials = np.random.default_rng(4), 0, 3000
    for _ in range(trials):
        ratios = np.exp(rng.normal(0.1, 0.3, 9))
        term = held_out_areas(facts_of([(round(1e6 * r), 10**6) for r in ratios[:8]]))["gland"]
        _, low, high = term.adjusted_mm2(float(ratios[8]))
        held += low <= 1.0 <= high
    assert held / trials >= 0.94


def test_images_of_one_patient_are_one_group_and_fewer_than_three_say_nothing() -> None:
    pairs = [(110, 100), (90, 100), (120, 100), (100, 100)]
    assert held_out_areas(facts_of(pairs, ["p", "p", "q", "q"])) == {}
    term = held_out_areas(facts_of(pairs, ["p", "p", "q", "r"]))["gland"]
    assert (term.groups, term.ratio) == (3, pytest.approx(1.05))


@pytest.mark.parametrize("facts", [{}, {"about": None}, {"about": {"accuracy": None}}, facts_of([(5, 0)] * 4)])
def test_nothing_is_said_where_the_card_has_no_such_images(facts: dict[str, object]) -> None:
    assert held_out_areas(facts) == {}
