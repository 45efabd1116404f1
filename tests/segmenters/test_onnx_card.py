import json

import pytest

from wsi_area.errors import SettingsError
from wsi_area.segmenters.onnx.card import OnnxCard, read_card

CARD = {
    "schema_version": 1,
    "name": "glands",
    "model_sha256": "ab" * 32,
    "input": {"mpp_um": 1.24, "window_px": 512, "context_px": 41, "divisible_by": 16},
    "output": {"activation": "softmax"},
    "classes": [
        {"id": 0, "name": "background", "color": "#ffffff"},
        {"id": 1, "name": "gland", "color": "#00aa00", "is_tissue": True},
    ],
    "licence": "research only",
    "provenance": "a test",
}


def card_with(**changes):
    """The card with dotted keys changed; None takes one away."""
    document = json.loads(json.dumps(CARD))
    for key, value in changes.items():
        *path, last = key.split("__")
        part = document
        for name in path:
            part = part[name]
        if value is None:
            del part[last]
        else:
            part[last] = value
    return document


@pytest.fixture
def read(tmp_path):
    def read_document(document):
        path = tmp_path / "card.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return read_card(path)

    return read_document


def test_a_card_comes_back_as_it_was_written(tmp_path):
    card = OnnxCard.model_validate(CARD)
    (tmp_path / "card.json").write_text(card.model_dump_json(indent=2), encoding="utf-8")
    assert read_card(tmp_path / "card.json") == card


def test_the_rim_is_the_context_rounded_up_to_whole_strides(read):
    card = read(CARD)
    assert (card.input.overlap, card.input.kept_px) == (48, 512 - 96)
    assert read(card_with(input__overlap_px=64)).input.kept_px == 384


def test_the_reach_covers_the_context_and_what_resampling_looks_at(read):
    # (41 + 2 output pixels + 1) · 1.02 + 2.5 = 47.38, whole pixels of 1.24 µm
    assert read(CARD).reach_um == pytest.approx(48 * 1.24)
    whole = read(card_with(input__context_px="window", input__overlap_px=32))
    assert whole.reach_um == pytest.approx(496 * 1.24)  # (448 kept + 32 + 3) · 1.02 + 2.5 = 495.16


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"input__mpp": 1.24}, "input.mpp: Extra"),
        ({"mpp_um": 1.24}, "mpp_um: Extra"),
        ({"schema_version": 2}, "schema_version"),
        ({"licence": None}, "licence: Field required"),
        ({"provenance": ""}, "provenance"),
        ({"model_sha256": "AB" * 32}, "model_sha256"),
        ({"input__mpp_um": 0}, "input.mpp_um"),
        ({"input__std": [1, 0, 1]}, "input.std.1"),
        ({"input__context_px": "all"}, "input.context_px"),
        ({"input__context_px": -1}, "input: overlap_px 0 is less than context_px -1, or that is negative"),
        ({"input__overlap_px": 32}, "input: overlap_px 32 is less than context_px 41"),
        ({"input__overlap_px": 50}, "input: window_px 512 and overlap_px 50 must be multiples of 16"),
        ({"input__window_px": 500}, "input: window_px 500 and overlap_px 48 must be multiples of 16"),
        ({"input__window_px": 96}, "leaves 0 px; make the window larger"),
        ({"output__stride": 5}, "must be multiples of the output's stride 5"),
        ({"output__threshold": 1}, "output.threshold"),
        ({"classes": CARD["classes"][1:] * 2}, "class ids must be 0, 1, 2"),
        ({"classes": CARD["classes"][:1]}, "classes: Tuple should have at least 2"),
    ],
)
def test_a_wrong_card_names_the_key(read, changes, where):
    with pytest.raises(SettingsError, match=r"the card .*card\.json is wrong at ") as refused:
        read(card_with(**changes))
    assert where in str(refused.value)


def test_what_is_no_json_or_not_there_is_named(read, tmp_path):
    with pytest.raises(SettingsError, match=r"card\.json is not JSON"):
        read("{")
    with pytest.raises(SettingsError, match=r"cannot be read .*every network needs one"):
        read_card(tmp_path / "nowhere.json")


def test_a_byte_order_mark_does_no_harm(read):
    assert read("\ufeff" + json.dumps(CARD)).name == "glands"


@pytest.mark.parametrize(
    ("output", "rule", "channels"),
    [
        ({"activation": "softmax"}, "argmax", 2),
        ({"activation": "none"}, "argmax", 2),
        ({"activation": "sigmoid"}, "threshold", 1),
        ({"activation": "none", "decision": "threshold"}, "threshold", 1),
        ({"activation": "sigmoid", "decision": "argmax"}, "argmax", 2),
    ],
)
def test_how_a_class_is_chosen_says_how_many_channels_there_are(read, output, rule, channels):
    card = read(card_with(output=output))
    assert (card.output.rule, card.channel_count) == (rule, channels)
