import json
import shutil
import struct
import zlib

import numpy as np
import pytest
import tifffile
import zarr
from drawn_samples import codes_of, slide_of
from PIL import Image

from wsi_area.annotations import read_drawn
from wsi_area.annotations.masks.scale import mask_scale
from wsi_area.errors import AnnotationError
from wsi_area.model.geometry import Size

CODES = np.array([[0, 1, 1], [7, 0, 255]], np.uint8)
SLIDE = slide_of(3, 2)


def saved_png(path, codes=CODES, mode="L"):
    image = Image.fromarray(codes)
    if mode == "P":
        image = Image.fromarray(codes, "L").convert("P")
        image.putdata(codes.ravel().tolist())
        image.putpalette([255 - i // 3 for i in range(768)])
    image.save(path)
    return path


def test_a_grey_png_keeps_its_codes_and_names_them_after_their_number(tmp_path):
    drawn = read_drawn(saved_png(tmp_path / "S1_mask.png"), slide=SLIDE)
    assert (drawn.kind, drawn.scale, drawn.regions) == ("mask", 1.0, ())
    assert np.array_equal(drawn.mask.codes(), CODES)
    assert drawn.mask.names == {1: "class_1", 7: "class_7", 255: "class_255"}
    assert drawn.findings == ()


def test_a_palette_png_keeps_its_indices_whatever_their_colours(tmp_path):
    drawn = read_drawn(saved_png(tmp_path / "a.png", mode="P"), slide=SLIDE)
    assert np.array_equal(drawn.mask.codes(), CODES)


def test_a_black_and_white_png_and_tiff_have_the_codes_0_and_1(tmp_path):
    yes = np.array([[True, False, True], [False, False, True]])
    Image.fromarray(yes).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", yes, photometric="minisblack")
    for name in ("a.png", "a.tif"):
        assert np.array_equal(read_drawn(tmp_path / name, slide=SLIDE).mask.codes(), yes)


@pytest.mark.parametrize("options", [{}, {"tile": (16, 16), "compression": "zlib"}])
def test_a_tiff_keeps_its_codes_tiled_or_not(tmp_path, options):
    codes = np.random.default_rng(3).integers(0, 5, (50, 70), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", codes, photometric="minisblack", **options)
    assert np.array_equal(read_drawn(tmp_path / "a.tif", slide=slide_of(70, 50)).mask.codes(), codes)


def test_a_palette_tiff_keeps_its_indices(tmp_path):
    colours = np.random.default_rng(3).integers(0, 65535, (3, 256), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", CODES, photometric="palette", colormap=colours)
    assert np.array_equal(read_drawn(tmp_path / "a.tif", slide=SLIDE).mask.codes(), CODES)


def test_colours_are_refused_with_the_remedy(tmp_path):
    rgb = np.zeros((2, 3, 3), np.uint8)
    Image.fromarray(rgb).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", rgb, photometric="rgb")
    tifffile.imwrite(tmp_path / "b.tif", CODES.astype(np.float32), photometric="minisblack")
    Image.fromarray(np.dstack([CODES, CODES])).save(tmp_path / "d.png")  # grey with alpha
    for name in ("a.png", "a.tif", "b.tif", "d.png"):
        with pytest.raises(AnnotationError, match=r"holds codes, this .*8-bit grey or palette PNG"):
            read_drawn(tmp_path / name, slide=SLIDE)
    Image.fromarray(rgb).save(tmp_path / "a.jpg")
    with pytest.raises(AnnotationError, match="is a JPEG, which blurs"):
        read_drawn(tmp_path / "a.jpg", slide=SLIDE)


def test_grey_of_two_bits_which_readers_stretch_is_refused(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 4, 1, 2, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\x1b")) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(AnnotationError, match="holds codes"):
        read_drawn(tmp_path / "a.png", slide=slide_of(4, 1))


def test_a_header_that_claims_a_billion_pixels_is_refused_before_anything_is_decoded(tmp_path):
    content = bytearray(saved_png(tmp_path / "a.png").read_bytes())
    content[16:24] = struct.pack(">II", 1 << 20, 1 << 20)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(AnnotationError, match="1048576 × 1048576 px cannot be held"):
        read_drawn(tmp_path / "a.png", slide=SLIDE)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.tif", {}),
        ("a.tif", {"compression": "zlib"}),
        ("a.tif", {"tile": (64, 64)}),
        ("a.tif", {"tile": (64, 64), "compression": "zlib"}),
    ],
)
def test_a_truncated_mask_is_refused(tmp_path, name, options):
    codes = np.random.default_rng(3).integers(0, 255, (200, 300), dtype=np.uint8)
    path = tmp_path / name
    if name.endswith("png"):
        saved_png(path, codes)
    else:
        tifffile.imwrite(path, codes, photometric="minisblack", **options)
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(AnnotationError, match="is damaged"):
        read_drawn(path, slide=slide_of(300, 200))


@pytest.mark.parametrize("side_px", [0, 1 << 30])
def test_a_tile_that_claims_no_size_or_a_vast_one_is_refused(tmp_path, side_px):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((64, 64), np.uint8), photometric="minisblack", tile=(32, 32))
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tag = tiff.pages[0].tags["TileLength"]
        tag.overwrite(side_px)
    with pytest.raises(AnnotationError, match=r"is damaged|cannot be held"):
        read_drawn(tmp_path / "a.tif", slide=slide_of(64, 64))


def test_codes_are_named_by_the_table_beside_the_mask(tmp_path):
    path = saved_png(tmp_path / "S1_mask.png")
    (tmp_path / "S1_mask_class_codes.csv").write_text("code,name\n0,outside\n1,Tumor\n7,Stroma\n", "utf-8")
    drawn = read_drawn(path, slide=SLIDE)
    assert drawn.mask.names == {1: "Tumor", 7: "Stroma", 255: "class_255"}
    assert codes_of(drawn.findings) == ["MASK_CODE_WITHOUT_NAME"]
    assert "[255]" in drawn.findings[0].message


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("a,b\n1,2\n", "needs the columns code and name; it has a, b"),
        ("code,name\nx,Tumor\n", r"line 2: 'x', 'Tumor' is not a code"),
        ("code,name\n256,Tumor\n", "line 2: '256'"),
        ("code,name\n1,\n", "line 2: '1', ''"),
        ("code,name\n1,a\n1,b\n", r"line 3: code 1 has a name already \('a'\)"),
        ("", "is empty"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused_by_its_line(tmp_path, table, words):
    path = saved_png(tmp_path / "a.png")
    (tmp_path / "class_codes.csv").write_text(table, "utf-8")
    with pytest.raises(AnnotationError, match=words):
        read_drawn(path, slide=SLIDE)


def test_code_0_with_a_class_of_its_own_is_said(tmp_path):
    path = saved_png(tmp_path / "a.png")
    (tmp_path / "class_codes.csv").write_text("code,name\n0,Tumor\n1,Stroma\n7,x\n255,y\n", "utf-8")
    assert codes_of(read_drawn(path, slide=SLIDE).findings) == ["MASK_CODE_0_IS_BACKGROUND"]


def test_a_real_class_map_has_its_names_and_its_exact_counts(tmp_path, testdata):
    shutil.copy(testdata / "masks" / "bcss_TCGA-A2-A0YE_class_map.png", tmp_path / "A0YE.png")
    shutil.copy(testdata / "masks" / "bcss_class_codes.csv", tmp_path / "A0YE_class_codes.csv")
    drawn = read_drawn(tmp_path / "A0YE.png", slide=slide_of(4542, 4594))
    counts = np.bincount(drawn.mask.codes().ravel())
    assert counts[[0, 1, 2, 3]].tolist() == [9_678_238, 3_396_902, 5_683_401, 1_989_367]
    assert [drawn.mask.names[code] for code in (1, 2, 3)] == [
        "mostly_tumor",
        "mostly_stroma",
        "mostly_lymphocytic_infiltrate",
    ]


@pytest.mark.parametrize(
    ("mask", "slide", "scale", "found"),
    [
        ((100, 80), (100, 80), None, (1, 1)),
        ((100, 80), (1600, 1280), None, (16, 16)),
        ((101, 81), (1600 + 3, 1280 + 9), None, (16, 16)),  # padded to a whole mask pixel
        ((100, 80), (1600 + 3, 1280 + 9), None, (16, 16)),  # cut to one
        ((100, 80), (250, 200), None, (2.5, 2.5)),
        ((100, 80), (250, 200), 2.5, (2.5, 2.5)),
        ((101, 81), (250, 200), 2.5, (2.5, 2.5)),
        ((200, 160), (100, 80), 0.5, (0.5, 0.5)),
    ],
)
def test_the_scale_of_a_mask_is_the_one_that_covers_the_slide(mask, slide, scale, found):
    fitted = mask_scale(Size(*mask), Size(*slide), scale)
    assert (fitted.x, fitted.y) == found


@pytest.mark.parametrize(
    ("mask", "slide", "scale", "words"),
    [
        ((100, 80), (1600, 1280), 8, r"covers 800 × 640 px, but the slide has 1600 × 1280.*annotation-scale 16"),
        ((100, 80), (1600, 1000), 16, r"no scale fits \(one axis asks for 16, the other for 12.5\)"),
        ((100, 80), (1600, 1000), None, r"one axis asks for 16 .* the other for 12.5"),
        ((100, 80), (100, 78), None, "does not fit a slide of 100 × 78"),
        ((80, 100), (100, 80), 1, "no scale fits"),
    ],
)
def test_a_mask_that_does_not_cover_the_slide_is_refused_with_the_numbers(mask, slide, scale, words):
    with pytest.raises(AnnotationError, match=words):
        mask_scale(Size(*mask), Size(*slide), scale)


def test_a_scale_that_was_taken_from_the_sizes_is_said(tmp_path):
    drawn = read_drawn(saved_png(tmp_path / "a.png"), slide=slide_of(30, 20))
    assert drawn.scale == 10
    assert [(f.code, f.measured, f.slide_id) for f in drawn.findings] == [("MASK_SCALE_DERIVED", 10, "S1")]
    assert read_drawn(tmp_path / "a.png", slide=slide_of(30, 20), scale=10).findings == ()


def stored(path, version, **options):
    group = zarr.create_group(path, zarr_format=version)
    group.create_array("0", shape=CODES.shape, chunks=(2, 2), dtype="uint8", **options)[:] = CODES
    return group


@pytest.mark.parametrize("version", [2, 3])
def test_a_zarr_group_of_either_format_is_read_by_its_finest_level(tmp_path, version):
    stored(tmp_path / "a.zarr", version)
    drawn = read_drawn(tmp_path / "a.zarr", slide=SLIDE)
    assert np.array_equal(drawn.mask.codes(), CODES)
    assert drawn.mask.names == {1: "class_1", 7: "class_7", 255: "class_255"}


def test_a_mask_of_a_run_brings_its_names_and_its_reserved_codes_have_none(tmp_path):
    group = stored(tmp_path / "a.ome.zarr", 3, shards=(2, 4))
    classes = [{"label-value": code, "class": name} for code, name in ((0, "background"), (1, "tumor"), (7, "stroma"))]
    group.attrs["ome"] = {"version": "0.5", "image-label": {"properties": classes}}
    drawn = read_drawn(tmp_path / "a.ome.zarr", slide=SLIDE)
    assert drawn.mask.names == {1: "tumor", 7: "stroma"}
    moved = shutil.move(tmp_path / "a.ome.zarr", tmp_path / "b.ome.zarr")
    assert read_drawn(moved, slide=SLIDE).sha256 == drawn.sha256
    zarr.open_array(moved / "0", mode="r+")[0, 0] = 1
    assert read_drawn(moved, slide=SLIDE).sha256 != drawn.sha256


def test_a_plain_zarr_array_is_read_and_other_kinds_of_values_are_refused(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", shape=CODES.shape, dtype="uint8")[:] = CODES
    assert np.array_equal(read_drawn(tmp_path / "a.zarr", slide=SLIDE).mask.codes(), CODES)
    zarr.create_array(tmp_path / "b.zarr", shape=CODES.shape, dtype="float32")
    zarr.create_array(tmp_path / "c.zarr", shape=(2, *CODES.shape), dtype="uint8")
    zarr.create_group(tmp_path / "d.zarr")
    for name, words in (("b", "this is float32"), ("c", r"this is uint8 \(2, 2, 3\)"), ("d", "zarr array")):
        with pytest.raises(AnnotationError, match=words):
            read_drawn(tmp_path / f"{name}.zarr", slide=SLIDE)


@pytest.mark.parametrize("place", ["filters", "compressor", "codecs", "inner"])
def test_a_codec_that_could_run_code_is_never_let_near_the_chunks(tmp_path, place):
    version = 2 if place in ("filters", "compressor") else 3
    stored(tmp_path / "a.zarr", version, **({"shards": (2, 4)} if place == "inner" else {}))
    file = tmp_path / "a.zarr" / "0" / (".zarray" if version == 2 else "zarr.json")
    metadata = json.loads(file.read_text())
    if place == "filters":
        metadata["filters"] = [{"id": "pickle"}]
    elif place == "compressor":
        metadata["compressor"] = {"id": "pickle"}
    else:
        codecs = metadata["codecs"][0]["configuration"]["codecs"] if place == "inner" else metadata["codecs"]
        codecs.append({"name": "numcodecs.pickle", "configuration": {}})
    file.write_text(json.dumps(metadata))
    with pytest.raises(AnnotationError, match=r"uses the codecs \['(numcodecs\.)?pickle'\]"):
        read_drawn(tmp_path / "a.zarr", slide=SLIDE)


@pytest.mark.parametrize("sharded", [False, True])
def test_a_chunk_that_would_unpack_to_far_more_than_the_mask_is_refused_before_it_does(tmp_path, sharded):
    shards = {"shards": (64, 64)} if sharded else {}
    zarr.create_array(tmp_path / "a.zarr", shape=(64, 64), chunks=(64, 64), dtype="uint8", **shards)[:] = 1
    file = tmp_path / "a.zarr" / "zarr.json"
    metadata = json.loads(file.read_text())
    side = 1 << 20  # a tebibyte, which a few hundred kilobytes of zeros unpack to
    metadata["chunk_grid"]["configuration"]["chunk_shape"] = [side, side]
    file.write_text(json.dumps(metadata))
    with pytest.raises(AnnotationError, match=f"in parts of {side} × {side} px"):
        read_drawn(tmp_path / "a.zarr", slide=SLIDE)
