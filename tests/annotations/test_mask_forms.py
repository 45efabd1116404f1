"""Masks in the forms that tools write: the codes are those that were saved, or the mask is refused with the reason."""

import json
import shutil

import numpy as np
import pytest
import tifffile
import zarr
from drawn_samples import codes_of, slide_of
from PIL import Image

from wsi_area.annotations import read_drawn
from wsi_area.errors import AnnotationError

RNG = np.random.default_rng(5)
CODES = RNG.integers(0, 5, (150, 210), dtype=np.uint8)
SLIDE = slide_of(210, 150)


def read(path, slide=SLIDE):
    return read_drawn(path, slide=slide)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int16, np.int64])
@pytest.mark.parametrize("options", [{}, {"tile": (64, 48)}, {"rowsperstrip": 7}])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd", "packbits", "lzma"])
def test_whole_numbers_of_any_width_are_codes_in_any_lossless_packing(tmp_path, dtype, options, compression):
    tifffile.imwrite(
        tmp_path / "a.tif", CODES.astype(dtype), photometric="minisblack", compression=compression, **options
    )
    assert np.array_equal(read(tmp_path / "a.tif").mask.codes(), CODES)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("predictor", [False, True])
def test_a_predictor_and_the_order_of_bytes_change_no_code(tmp_path, order, predictor):
    tifffile.imwrite(
        tmp_path / "a.tif",
        CODES.astype(np.uint16),
        byteorder=order,
        photometric="minisblack",
        compression="zlib",
        predictor=predictor,
        tile=(64, 64),
    )
    assert np.array_equal(read(tmp_path / "a.tif").mask.codes(), CODES)


def test_16_bits_of_grey_in_a_png_are_codes(tmp_path):
    Image.fromarray(CODES.astype(np.uint16)).save(tmp_path / "a.png")
    assert np.array_equal(read(tmp_path / "a.png").mask.codes(), CODES)


@pytest.mark.parametrize("options", [{}, {"tile": (64, 64)}, {"compression": "zlib", "rowsperstrip": 11}])
def test_yes_or_no_in_a_tiff_are_the_codes_1_and_0(tmp_path, options):
    tifffile.imwrite(tmp_path / "a.tif", CODES > 2, photometric="minisblack", **options)
    assert np.array_equal(read(tmp_path / "a.tif").mask.codes(), CODES > 2)


def test_a_fax_is_read_as_it_is_stored(tmp_path):
    Image.fromarray(CODES > 2).save(tmp_path / "a.tif", compression="group4")
    stored = tifffile.imread(tmp_path / "a.tif")
    assert np.array_equal(read(tmp_path / "a.tif").mask.codes(), stored)


@pytest.mark.parametrize(
    ("codes", "severity"), [(CODES, "info"), (CODES > 2, "warning"), ((CODES > 2) * np.uint8(255), "warning")]
)
def test_where_0_is_shown_white_codes_are_as_stored_and_that_is_said(tmp_path, codes, severity):
    tifffile.imwrite(tmp_path / "a.tif", codes, photometric="miniswhite")
    drawn = read(tmp_path / "a.tif")
    assert np.array_equal(drawn.mask.codes(), codes)
    assert [(f.code, f.severity) for f in drawn.findings] == [("MASK_MIN_IS_WHITE", severity)]


@pytest.mark.parametrize("bad", [256, 70_000, -1])
def test_a_number_that_is_no_code_is_refused_with_the_number(tmp_path, bad):
    codes = CODES.astype(np.int32)
    codes[140, 200] = bad
    tifffile.imwrite(tmp_path / "a.tif", codes, photometric="minisblack", tile=(64, 64))
    zarr.create_array(tmp_path / "a.zarr", data=codes, chunks=(40, 40))
    for name in ("a.tif", "a.zarr"):
        with pytest.raises(AnnotationError, match=f"holds the number {bad}, and codes go from 0 to 255"):
            read(tmp_path / name)


@pytest.mark.parametrize("compression", ["jpeg", "jpeg2000", "webp", "jpegxl"])
def test_what_may_change_codes_is_no_packing_of_a_mask(tmp_path, compression):
    codes = np.dstack([CODES] * 3) if compression == "webp" else CODES
    photometric = "rgb" if compression == "webp" else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", codes, photometric=photometric, compression=compression, tile=(64, 64))
    with pytest.raises(AnnotationError, match=r"which may change codes|holds codes, this TIFF has 3 samples"):
        read(tmp_path / "a.tif")


def test_several_planes_of_one_size_are_refused_and_a_pyramid_is_read_by_its_first(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([CODES, CODES]), photometric="minisblack")
    with pytest.raises(AnnotationError, match="holds 2 planes of 210 × 150 px"):
        read(tmp_path / "a.tif")
    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        writer.write(CODES, tile=(64, 64), photometric="minisblack", subifds=0)
        writer.write(CODES[::2, ::2], tile=(64, 64), photometric="minisblack", subfiletype=1)
    assert np.array_equal(read(tmp_path / "b.tif").mask.codes(), CODES)


def overwritten(path, tag, change):
    with tifffile.TiffFile(path, mode="r+") as tiff:
        entry = tiff.pages[0].tags[tag]
        values = list(entry.value)
        change(values)
        entry.overwrite(values)


def test_a_part_that_is_not_stored_is_code_0_and_said_and_a_torn_one_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", CODES, photometric="minisblack", tile=(64, 64), compression="zlib")
    shutil.copy(tmp_path / "a.tif", tmp_path / "torn.tif")
    overwritten(tmp_path / "a.tif", "TileByteCounts", lambda values: values.__setitem__(0, 0))
    shutil.copy(tmp_path / "a.tif", tmp_path / "half.tif")
    overwritten(tmp_path / "a.tif", "TileOffsets", lambda values: values.__setitem__(0, 0))
    drawn = read(tmp_path / "a.tif")
    assert codes_of(drawn.findings) == ["MASK_PARTS_ABSENT"]
    expected = CODES.copy()
    expected[:64, :64] = 0
    assert np.array_equal(drawn.mask.codes(), expected)
    overwritten(tmp_path / "torn.tif", "TileByteCounts", lambda values: values.__setitem__(1, values[1] // 2))
    for name in ("half.tif", "torn.tif"):
        with pytest.raises(AnnotationError, match="is damaged"):
            read(tmp_path / name)


@pytest.mark.parametrize("compression", [None, "lzw", "packbits"])
def test_a_part_that_is_too_short_is_refused_never_filled_with_zeros(tmp_path, compression):
    tifffile.imwrite(tmp_path / "a.tif", CODES, photometric="minisblack", tile=(64, 64), compression=compression)
    overwritten(tmp_path / "a.tif", "TileByteCounts", lambda values: values.__setitem__(2, values[2] // 3))
    with pytest.raises(AnnotationError, match="part 2 holds 1365 bytes" if compression is None else "is damaged"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("lead", [(), (1,), (1, 1), (1, 1, 1)])
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.bool_, np.int64])
def test_a_zarr_of_up_to_five_axes_is_read_where_all_but_two_are_1_long(tmp_path, lead, version, dtype):
    codes = (CODES > 2) if dtype is np.bool_ else CODES
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=version)
    array = group.create_array("0", shape=(*lead, 150, 210), chunks=(*(1 for _ in lead), 32, 64), dtype=dtype)
    array[...] = codes.reshape(*lead, 150, 210)
    assert np.array_equal(read(tmp_path / "a.zarr").mask.codes(), codes)


@pytest.mark.parametrize("version", [2, 3])
def test_ngff_names_the_folder_of_its_finest_level(tmp_path, version):
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=version)
    for name, codes in (("s1", CODES[::2, ::2]), ("s0", CODES)):
        group.create_array(name, data=np.ascontiguousarray(codes)[None, None, None], chunks=(1, 1, 1, 64, 64))
    scales = [{"datasets": [{"path": "s0"}, {"path": "s1"}]}]
    group.attrs.update({"multiscales": scales} if version == 2 else {"ome": {"version": "0.5", "multiscales": scales}})
    assert np.array_equal(read(tmp_path / "a.zarr").mask.codes(), CODES)


def test_a_path_of_ngff_that_leads_out_of_the_store_is_not_followed(tmp_path):
    zarr.create_array(tmp_path / "b.zarr", data=CODES, chunks=(64, 64))
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=3)
    group.attrs["ome"] = {"multiscales": [{"datasets": [{"path": "../b.zarr"}]}]}
    with pytest.raises(AnnotationError, match=r"a\.zarr"):
        read(tmp_path / "a.zarr")


def test_several_channels_are_refused_with_the_shape(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", data=np.stack([CODES, CODES])[None], chunks=(1, 1, 64, 64))
    with pytest.raises(AnnotationError, match=r"one plane .* this is uint8 \(1, 2, 150, 210\)"):
        read(tmp_path / "a.zarr")


def test_chunks_that_are_not_stored_have_the_fill_value(tmp_path):
    array = zarr.create_array(tmp_path / "a.zarr", shape=(3000, 4000), chunks=(512, 512), dtype="uint16", fill_value=3)
    array[600:700, 900:1000] = 1
    stored = list((tmp_path / "a.zarr").rglob("c/*/*"))
    assert len(stored) == 1
    px = read(tmp_path / "a.zarr", slide_of(4000, 3000)).mask.px_by_code
    assert (px[1], px[3], sum(px)) == (10_000, 12_000_000 - 10_000, 12_000_000)


def test_a_chunk_of_16_bits_may_be_as_large_as_it_says_and_no_larger(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", data=CODES.astype(np.uint16), chunks=(150, 210), compressors=None)
    assert np.array_equal(read(tmp_path / "a.zarr").mask.codes(), CODES)
    file = tmp_path / "a.zarr" / "zarr.json"
    metadata = json.loads(file.read_text())
    metadata["data_type"] = "uint8"
    metadata["fill_value"] = 0
    file.write_text(json.dumps(metadata))
    with pytest.raises(AnnotationError, match="it would unpack to 63000 bytes, a chunk of 210 × 150 px has 31500"):
        read(tmp_path / "a.zarr")


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_a_mask_that_is_turned_when_it_is_shown_is_refused(tmp_path, orientation):
    field = [(274, 3, 1, orientation, True)]
    tifffile.imwrite(tmp_path / "a.tif", CODES, photometric="minisblack", extratags=field)
    turned = Image.Exif()
    turned[274] = orientation
    Image.fromarray(CODES).save(tmp_path / "a.png", exif=turned)
    for name in ("a.tif", "a.png"):
        with pytest.raises(AnnotationError, match=f"orientation {orientation}"):
            read(tmp_path / name)


def test_a_mask_that_says_it_is_upright_is_read(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", CODES, photometric="minisblack", extratags=[(274, 3, 1, 1, True)])
    upright = Image.Exif()
    upright[274] = 1
    Image.fromarray(CODES).save(tmp_path / "a.png", exif=upright)
    for name in ("a.tif", "a.png"):
        assert np.array_equal(read(tmp_path / name).mask.codes(), CODES)
