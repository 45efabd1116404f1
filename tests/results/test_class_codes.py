"""The codes of a class map: every one that a slide has gets a colour, and what is no class is named."""

from recorded import counted_slide

from wsi_area.model.classes import MAX_CLASS_ID
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.class_codes import RESERVED, class_colours, reserved_in


def slide(**counted: int) -> CountedSlide:
    """A slide of two classes, with these counts of pixels that are in none."""
    found = counted_slide()
    glass, tissue = found.classes[:2]
    classes = (tissue.model_copy(update={"color_rgb": (9, 8, 7)}), glass)
    none = {"n_px_unreadable": 0, "n_px_outside_roi": 0, "n_px_unscanned": 0}
    counts = found.counts.model_copy(update=none | counted)
    return found.model_copy(update={"classes": classes, "counts": counts})


def test_a_slide_has_a_colour_for_each_of_its_codes_in_their_order_and_for_no_other() -> None:
    assert list(class_colours(slide()).items()) == [(0, (255, 255, 255)), (1, (9, 8, 7))]
    assert list(class_colours(slide(n_px_unscanned=1, n_px_unreadable=5))) == [0, 1, 253, 255]


def test_what_is_no_class_is_named_only_where_a_pixel_has_it() -> None:
    assert reserved_in(slide()) == {}
    assert [found.text for found in reserved_in(slide(n_px_outside_roi=1)).values()] == [
        "outside the region of interest"
    ]


def test_every_code_beyond_the_classes_that_is_in_use_has_a_colour_that_is_neither_black_nor_another_s() -> None:
    colours = [what.color_rgb for what in RESERVED.values()]
    assert sorted(RESERVED) == list(range(MAX_CLASS_ID + 1, 256))
    assert len(set(colours)) == len(colours)
    assert min(max(colour) for colour in colours) > 64
