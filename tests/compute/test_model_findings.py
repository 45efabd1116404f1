"""What is said of a trained model on one slide, and when nothing is."""

import pytest

from wsi_area.compute.judge.model_findings import ModelSeen, model_findings, model_seen

RANGES = {"red_share_median": (0.25, 0.35), "blue_share_high": (0.2, 0.3), "od_median": (0.2, 0.4)}
LIKE = {"red_share_median": 0.3, "blue_share_high": 0.25, "od_median": 0.3}


def told(groups=10, found=None, **changed):
    return model_findings("S1", ModelSeen(True, None, found or {**LIKE, **changed}, RANGES, groups))


def test_a_model_that_knows_its_accuracy_and_its_slides_is_quiet():
    assert told() == model_findings("S1", None) == model_findings("S1", ModelSeen(True, 1.0)) == ()


def test_a_model_without_accuracy_on_held_out_slides_says_so():
    (finding,) = model_findings("S1", ModelSeen(False))
    assert (finding.code, finding.severity) == ("ACCURACY_UNKNOWN", "warning")
    assert "wsi-area evaluate" in finding.remedy


@pytest.mark.parametrize(("share", "count"), [(None, 0), (1.0, 0), (0.5, 0), (0.49, 1), (0.0, 1)])
def test_glass_that_is_no_background_to_a_network_is_told(share, count):
    found = model_findings("S1", ModelSeen(True, share))
    assert [f.code for f in found] == ["GLASS_NOT_BACKGROUND"] * count


@pytest.mark.parametrize(
    ("changed", "measured", "limit"),
    [
        ({"red_share_median": 0.43}, 0.43, 0.35 + 0.06 + 0.01),  # 0.06, and 0.1 of ten slides
        ({"red_share_median": 0.17}, 0.17, 0.25 - 0.07),
        ({"blue_share_high": 0.5}, 0.5, 0.37),
        ({"od_median": 0.71}, 0.71, 0.4 * 1.6 * 1.1),  # 1.6 times, and a tenth more
        ({"od_median": 0.11}, 0.11, 0.2 / 1.76),
    ],
)
def test_a_slide_beyond_the_margin_is_told_with_the_number_and_the_limit(changed, measured, limit):
    (finding,) = told(**changed)
    assert finding.code == "MODEL_UNLIKE_TRAINING"
    assert finding.measured == measured
    assert finding.limit == pytest.approx(limit)
    assert f"is {measured:.3g}, its training images have" in finding.message


@pytest.mark.parametrize(
    "changed", [{"red_share_median": 0.41}, {"red_share_median": 0.19}, {"od_median": 0.7}, {"od_median": 0.115}]
)
def test_a_slide_within_the_margin_is_quiet(changed):
    assert told(**changed) == ()


def test_the_fewer_slides_were_seen_the_less_is_told():
    assert [len(told(groups, red_share_median=0.48)) for groups in (1, 2, 10)] == [0, 1, 1]
    assert [len(told(groups, od_median=0.9)) for groups in (1, 2, 10)] == [0, 0, 1]


def test_the_worst_comes_first_and_the_others_are_named():
    (finding,) = told(red_share_median=0.6, od_median=0.8)
    assert finding.measured == 0.6
    assert finding.message.endswith("also outside: the optical density (median)")


def test_worst_is_what_lies_out_by_most_of_its_own_margin():
    (finding,) = told(red_share_median=0.44, od_median=0.78)  # 0.02 of 0.07; 11 % of 76 %
    assert finding.measured == 0.44


@pytest.mark.parametrize("facts", [{}, {"trained_model": "a name"}])
def test_other_segmenters_have_no_model(facts):
    assert model_seen(facts) is None


def test_a_card_without_ranges_and_a_slide_without_tissue_say_nothing_of_looks():
    assert model_findings("S1", model_seen({"trained_model": {"has_accuracy": True, "appearance": None}})) == ()
    looks = {"found": None, "trained_on": {"groups": 3, "ranges": RANGES}}
    assert model_findings("S1", model_seen({"trained_model": {"has_accuracy": True, "appearance": looks}})) == ()
