"""tests: what the synthetic slides claim is true of the files, as OpenSlide reads them."""

import math
from pathlib import Path

import numpy as np
import openslide
import pytest
from synthetic import (
    GLASS_RGB,
    PAINT_RGB,
    UNREADABLE,
    UNSCANNED,
    FileForm,
    Shape,
    box,
    chequerboard,
    disc,
    ellipse,
    everything,
    half_plane,
    nothing,
    reduced,
    ring,
    specks,
    write_empty_file,
    write_slide,
    write_slide_with_garbage_tile,
    write_text_slide,
    write_truncated_slide,
)

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size

SIZE = Size(700, 600)


def read_level(path: Path, level: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return rgb, uint8 (h, w, 3), and alpha, uint8 (h, w), of a whole level."""
    with openslide.OpenSlide(path) as slide:
        rgba = np.asarray(slide.read_region((0, 0), level, slide.level_dimensions[level]))
    return rgba[..., :3], rgba[..., 3]


def properties(path: Path) -> dict[str, str]:
    with openslide.OpenSlide(path) as slide:
        return dict(slide.properties)


# --- shapes


CURVED = [
    disc(SIZE, 300.3, 290.7, 250.2),
    disc(SIZE, 350.0, 0.0, 200.0),
    disc(SIZE, 700.0, 600.0, 333.3),
    ring(SIZE, 310.1, 300.2, 250.0, 111.5),
    ellipse(SIZE, 350.0, 300.0, 280.0, 90.0, 33.0),
    half_plane(SIZE, 0.0, 123.4),
    half_plane(SIZE, 31.0, 400.0),
    half_plane(SIZE, 200.0, -250.0),
    half_plane(SIZE, 90.0, 599.9),
]


@pytest.mark.parametrize("shape", CURVED)
def test_the_count_differs_from_the_closed_form_by_less_than_the_bound(shape: Shape) -> None:
    assert abs(shape.count_px - shape.area_px2) <= shape.bound_px2()
    assert abs(shape.count_px - shape.area_px2) <= 0.01 * shape.area_px2


@pytest.mark.parametrize("shape", CURVED)
@pytest.mark.parametrize("step_px", [4, 20])
def test_the_bounds_hold_on_coarser_grids_for_sampled_and_for_averaged_cells(shape: Shape, step_px: int) -> None:
    height, width = shape.mask.shape
    share = shape.mask.reshape(height // step_px, step_px, width // step_px, step_px).mean(axis=(1, 3))
    for threshold in (0.1, 0.5, 0.9):
        area_px2 = (share > threshold).sum() * step_px**2
        assert abs(area_px2 - shape.area_px2) <= shape.bound_px2(step_px, "box") + shape.bound_px2()


def test_the_count_of_a_disc_scatters_about_its_area_as_the_literature_says() -> None:
    rng, size = np.random.default_rng(7), Size(64, 64)
    discs = [disc(size, 32 + dx, 32 + dy, r) for dx, dy, r in rng.uniform((-2, -2, 20), (2, 2, 29), (400, 3))]
    errors = np.array([(d.count_px - d.area_px2) / d.expected_sd_px2() for d in discs])
    assert abs(errors.mean()) < 4 / math.sqrt(400)
    assert 0.85 < errors.std() < 1.15


@pytest.mark.parametrize(
    ("shape", "count_px"),
    [
        (box(SIZE, 0, 590, 700, 10), 7_000),
        (chequerboard(SIZE, 50), 210_000),  # 14 × 12 cells, half of them
        (chequerboard(Size(3, 3), 1), 5),
        (chequerboard(Size(3, 3), 1, x_px=1), 4),
        (chequerboard(Size(7, 5), 3), 18),  # by hand: three rows of 4 and two of 3
        (specks(Size(10, 10), 4), 9),
        (specks(Size(10, 10), 4, 3, 2), 4),
        (everything(SIZE), 420_000),
        (nothing(SIZE), 0),
    ],
)
def test_shapes_on_pixel_edges_are_exact(shape: Shape, count_px: int) -> None:
    assert shape.count_px == count_px
    assert shape.area_px2 == count_px
    assert shape.bound_px2() == 0


def test_a_half_plane_keeps_the_side_it_says() -> None:
    left = half_plane(Size(10, 4), 0.0, 3.0)
    assert left.mask[:, :3].all()
    assert not left.mask[:, 3:].any()
    assert left.area_px2 == pytest.approx(12)
    assert half_plane(Size(10, 10), 45.0, 10 / math.sqrt(2)).area_px2 == pytest.approx(50)


def test_disjoint_shapes_add_up_and_overlapping_ones_are_refused() -> None:
    left, right = disc(SIZE, 150, 300, 100), disc(SIZE, 500, 300, 100)
    assert (left + right).area_px2 == pytest.approx(2 * math.pi * 1e4)
    assert (left + right).count_px == left.count_px + right.count_px
    with pytest.raises(ValueError, match="overlap"):
        left + disc(SIZE, 200, 300, 100)


def test_shapes_without_a_closed_form_are_refused() -> None:
    with pytest.raises(ValueError, match="no closed form"):
        disc(SIZE, 50, 300, 100)
    with pytest.raises(ValueError, match="no closed form"):
        ellipse(SIZE, 50, 300, 100, 20)
    with pytest.raises(ValueError, match="over the edge"):
        box(SIZE, 695, 0, 10, 10)


# --- slides


@pytest.mark.parametrize(
    ("form", "vendor"),
    [
        (FileForm(), "generic-tiff"),
        (FileForm(compression="none", tile_px=64), "generic-tiff"),
        (FileForm(compression="lzw", bigtiff=True), "generic-tiff"),
        (FileForm(byteorder=">", bigtiff=True, tile_px=240), "generic-tiff"),
        (FileForm("aperio"), "aperio"),
        (FileForm("aperio", compression="none"), "aperio"),
        (FileForm("aperio", compression="lzw"), "aperio"),
        (FileForm("aperio", compression="jpeg2000"), "aperio"),
    ],
)
def test_every_lossless_form_reads_back_pixel_for_pixel_and_transparent_where_not_scanned(
    tmp_path: Path, form: FileForm, vendor: str
) -> None:
    t = form.tile_px
    made = write_slide(
        tmp_path / "a.svs",
        SIZE,
        {"tissue": disc(SIZE, 300, 300, 150)},
        form,
        noise_sd=4.0,
        unscanned=[Region(t * (700 // t), 0, 700 % t, t)],
    )
    rgb, alpha = read_level(made.path)
    assert properties(made.path)["openslide.vendor"] == vendor
    assert np.array_equal(alpha == 0, made.class_map == UNSCANNED)
    assert (alpha == 0).sum() == made.truth.unscanned_px == (700 % t) * t
    assert np.array_equal(rgb, made.rgb)
    assert len(np.unique(rgb)) > 20  # the noise is there


def test_openslide_refuses_a_big_endian_classic_tiff(tmp_path: Path) -> None:
    made = write_slide(tmp_path / "a.tif", SIZE, {}, FileForm(byteorder=">"))
    with pytest.raises(openslide.OpenSlideUnsupportedFormatError):
        openslide.OpenSlide(made.path)


def test_flat_paint_has_exactly_the_counts_of_the_truth(tmp_path: Path) -> None:
    shapes = {
        "tissue": ring(SIZE, 310, 300, 280, 150),
        "dab": disc(SIZE, 310, 300, 100),
        "blue": nothing(SIZE),
    }
    made = write_slide(tmp_path / "a.tif", SIZE, shapes)
    rgb, _ = read_level(made.path)
    for name, color in {"glass": GLASS_RGB, **PAINT_RGB}.items():
        assert (rgb == color).all(axis=2).sum() == made.truth.px[name]
    assert sum(made.truth.px.values()) == SIZE.area_px
    assert made.area_mm2("dab") == pytest.approx(math.pi * 0.025**2)  # 100 px of 0.25 µm


def test_jpeg_is_close_to_the_paint(tmp_path: Path) -> None:
    form = FileForm("aperio", compression="jpeg")
    made = write_slide(tmp_path / "a.svs", SIZE, {"tissue": everything(SIZE)}, form)
    assert np.abs(read_level(made.path)[0].astype(int) - made.rgb).max() <= 2


@pytest.mark.parametrize("kind", ["tiff", "aperio"])
def test_levels_are_box_means_and_a_rest_is_dropped(tmp_path: Path, kind: str) -> None:
    size = Size(2001, 1501)
    form = FileForm(kind, downsamples=(1, 4, 16), tile_px=128)
    made = write_slide(tmp_path / "a.svs", size, {"tissue": disc(size, 900, 700, 600)}, form, noise_sd=3)
    with openslide.OpenSlide(made.path) as slide:
        assert slide.level_dimensions == ((2001, 1501), (500, 375), (125, 93))
    assert made.levels_px == (size, Size(500, 375), Size(125, 93))
    for level, factor in enumerate((1, 4, 16)):
        rgb, _ = read_level(made.path, level)
        assert np.array_equal(rgb, reduced(made.rgb, factor))
        height, width = rgb.shape[:2]
        means = made.rgb[: height * factor, : width * factor].astype(float)
        means = means.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))
        assert np.abs(rgb - means).max() <= 0.5


@pytest.mark.parametrize("kind", ["tiff", "aperio"])
def test_an_unscanned_corner_is_transparent_on_every_level(tmp_path: Path, kind: str) -> None:
    size, corner = Size(1301, 1100), Region(1024, 768, 277, 332)
    form = FileForm(kind, downsamples=(1, 4), tile_px=64)
    made = write_slide(tmp_path / "a.svs", size, {"tissue": everything(size)}, form, unscanned=[corner])
    assert (read_level(made.path, 0)[1] == 0).sum() == made.truth.unscanned_px == corner.area_px
    assert made.truth.px["tissue"] == made.truth.area_px2["tissue"] == size.area_px - corner.area_px
    assert (read_level(made.path, 1)[1] == 0).sum() == (325 - 256) * (275 - 192)


def test_unscanned_boxes_off_the_grid_and_curves_cut_by_them_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="whole 256-px tiles"):
        write_slide(tmp_path / "a.tif", SIZE, {}, unscanned=[Region(0, 0, 100, 256)])
    shapes = {"tissue": disc(SIZE, 300, 300, 150)}
    with pytest.raises(ValueError, match="no closed form"):
        write_slide(tmp_path / "a.tif", SIZE, shapes, unscanned=[Region(256, 256, 256, 256)])
    with pytest.raises(ValueError, match="overlaps"):
        write_slide(tmp_path / "a.tif", SIZE, {"tissue": everything(SIZE), "dab": everything(SIZE)})


def test_mpp_is_what_was_asked_for_per_axis(tmp_path: Path) -> None:
    made = write_slide(tmp_path / "a.tif", SIZE, {}, FileForm(mpp=Mpp(0.2270972, 0.5)))
    found = properties(made.path)
    assert float(found["openslide.mpp-x"]) == pytest.approx(0.2270972, rel=1e-6)
    assert float(found["openslide.mpp-y"]) == pytest.approx(0.5, rel=1e-6)
    made = write_slide(tmp_path / "a.svs", SIZE, {}, FileForm("aperio", mpp=Mpp(0.499, 0.499)))
    found = properties(made.path)
    assert found["openslide.mpp-x"] == found["openslide.mpp-y"] == found["aperio.MPP"] == "0.499"
    assert found["openslide.objective-power"] == found["aperio.AppMag"] == "20"
    with pytest.raises(ValueError, match="anisotropic"):
        FileForm("aperio", mpp=Mpp(0.25, 0.26))


@pytest.mark.parametrize("kind", ["tiff", "aperio"])
def test_a_slide_without_mpp_has_none(tmp_path: Path, kind: str) -> None:
    made = write_slide(tmp_path / "a.svs", SIZE, {}, FileForm(kind, mpp=None, objective_power=None))
    assert made.mpp is None
    assert "openslide.mpp-x" not in properties(made.path)
    assert "openslide.objective-power" not in properties(made.path)
    with pytest.raises(ValueError, match="no pixel size"):
        made.area_mm2("tissue")


@pytest.mark.parametrize(
    ("text", "openslide_says"), [("0", "0"), ("250", "250"), ("-1", "-1"), ("abc", None), ("", None)]
)
def test_a_wrong_mpp_is_written_word_for_word(tmp_path: Path, text: str, openslide_says: str | None) -> None:
    made = write_slide(tmp_path / "a.svs", SIZE, {}, FileForm("aperio", mpp_text=text))
    assert properties(made.path)["aperio.MPP"] == text
    assert properties(made.path).get("openslide.mpp-x") == openslide_says
    assert made.mpp is None


def test_the_same_call_writes_the_same_bytes(tmp_path: Path) -> None:
    form = FileForm("aperio", downsamples=(1, 4))
    shapes = {"tissue": disc(SIZE, 300, 300, 200)}
    for name in "ab":
        write_slide(tmp_path / name, SIZE, shapes, form, noise_sd=5.0, seed=3)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# --- damage


@pytest.mark.parametrize("write", [write_text_slide, write_empty_file])
def test_what_is_no_slide_is_not_opened(tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(openslide.OpenSlideUnsupportedFormatError):
        openslide.OpenSlide(write(tmp_path / "a.svs"))


def test_a_truncated_pyramid_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(openslide.OpenSlideError):
        openslide.OpenSlide(write_truncated_slide(tmp_path / "a.svs", opens=False))


def test_a_truncated_single_level_opens_and_fails_at_its_end(tmp_path: Path) -> None:
    with openslide.OpenSlide(write_truncated_slide(tmp_path / "a.svs", opens=True)) as slide:
        assert slide.dimensions == (1536, 1536)
        slide.read_region((0, 0), 0, (512, 512))
        with pytest.raises(openslide.OpenSlideError):
            slide.read_region((1200, 1200), 0, (64, 64))


@pytest.mark.parametrize("compression", ["jpeg", "jpeg2000", "deflate", "lzw", "none"])
def test_a_garbage_tile_opens_and_fails_there_only(tmp_path: Path, compression: str) -> None:
    made = write_slide_with_garbage_tile(tmp_path / "a.svs", compression=compression)
    lost = made.class_map == UNREADABLE
    assert lost.sum() == made.truth.unreadable_px == 256 * 256
    assert lost[512:768, 512:768].all()
    assert made.truth.px == {"glass": 0, "tissue": 24 * 256 * 256}
    with openslide.OpenSlide(made.path) as slide:
        for x_px, y_px in ((0, 0), (256, 512), (768, 512), (512, 256), (512, 768)):
            rgb = np.asarray(slide.read_region((x_px, y_px), 0, (256, 256)))[..., :3]
            assert np.abs(rgb.astype(int) - PAINT_RGB["tissue"]).max() <= 2
        with pytest.raises(openslide.OpenSlideError):
            slide.read_region((640, 640), 0, (1, 1))
