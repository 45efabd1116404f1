"""The codes of a class map: every one that a slide has gets a colour, and what is no class is named."""

from typing import Any

from wsi_area.model.classes import MAX_CLASS_ID
from wsi_area.results.class_map.class_codes import RESERVED, class_colours, reserved_in


def record(**counted: int) -> dict[str, Any]:
    classes = [{"id": 1, "color_rgb": [9, 8, 7]}, {"id": 0, "color_rgb": [255, 255, 255]}]
    counts = {"n_px_unreadable": 0, "n_px_outside_roi": 0, "n_px_unscanned": 0}
    return {"classes": classes, "counts": counts | counted}


def test_a_slide_has_a_colour_for_each_of_its_codes_in_their_order_and_for_no_other() -> None:
    assert list(class_colours(record()).items()) == [(0, (255, 255, 255)), (1, (9, 8, 7))]
    assert list(class_colours(record(n_px_unscanned=1, n_px_unreadable=5))) == [0, 1, 253, 255]


def test_what_is_no_class_is_named_only_where_a_pixel_has_it() -> None:
    assert reserved_in(record()) == {}
    assert [found.text for found in reserved_in(record(n_px_outside_roi=1)).values()] == [
        "outside the region of interest"
    ]


def test_every_code_beyond_the_classes_that_is_in_use_has_a_colour_that_is_neither_black_nor_another_s() -> None:
    colours = [what.color_rgb for what in RESERVED.values()]
    assert sorted(RESERVED) == list(range(MAX_CLASS_ID + 1, 256))
    assert len(set(colours)) == len(colours)
    assert min(max(colour) for colour in colours) > 64
