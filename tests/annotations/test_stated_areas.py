"""Areas that QuPath states are held against the outlines, at the slide's pixel size."""

import pytest
from drawn_samples import feature, slide_of, square, written

from wsi_area.annotations import read_drawn
from wsi_area.model.calibration import Mpp

HALF = Mpp(0.5, 0.5)


def found(tmp_path, side, stated, mpp=HALF, scale=None, **beside):
    properties = {"classification": "Tumor", **({"measurements": stated} if stated is not None else {}), **beside}
    path = written(tmp_path / "a.geojson", [feature([square(0, 0, side)], properties)])
    drawn = read_drawn(path, slide=slide_of(), mpp=mpp, scale=scale)
    return {f.code: f for f in drawn.findings}


@pytest.mark.parametrize("name", ["Area µm^2", "Area μm^2", "Area um^2", "Area µm²", "Cell: Area µm^2", "area_um2"])
def test_a_square_of_200_um_drawn_in_um_is_told_with_both_numbers(tmp_path, name):
    told = found(tmp_path, 200, {name: 40_000.0})["STATED_AREA_DISAGREES"]
    assert (told.severity, told.measured, told.limit, told.unit) == ("warning", 40_000, 10_000, "µm²")
    assert "0.5 µm: was it drawn in µm?" in told.message
    assert told.remedy.endswith("--annotation-scale 2")
    assert "STATED_AREA_DISAGREES" not in found(tmp_path, 200, {name: 40_000.0}, scale=2.0)


def test_px2_of_a_file_in_um_tells_the_same(tmp_path):
    told = found(tmp_path, 100, {"Area px^2": 160_000.0}, mpp=Mpp(0.25, 0.25))["STATED_AREA_DISAGREES"]
    assert (told.measured, told.limit, told.unit) == (160_000, 10_000, "px²")
    assert told.remedy.endswith("--annotation-scale 4")


@pytest.mark.parametrize(("stated", "agrees"), [(2500, True), (2540, True), (2460, True), (2560, False), (2440, False)])
def test_more_than_2_percent_is_a_warning_and_less_is_none(tmp_path, stated, agrees):
    codes = found(tmp_path, 100, {"Area µm^2": stated})
    assert set(codes) == {"STATED_AREA_AGREES" if agrees else "STATED_AREA_DISAGREES"}


def test_another_ratio_is_not_taken_for_um(tmp_path):
    told = found(tmp_path, 100, {"Area µm^2": 40_000.0})["STATED_AREA_DISAGREES"]  # a level 4 times coarser
    assert "drawn in µm" not in told.message
    assert "--annotation-scale 4 times" in told.remedy


@pytest.mark.parametrize(
    ("stated", "beside"),
    [
        ([{"name": "Area µm^2", "value": 40_000}, {"name": "x"}, 3], {}),  # before QuPath 0.4
        (None, {"Area µm^2": 40_000}),  # flattened
        ({"Area mm^2": 0.04}, {}),
    ],
)
def test_every_form_in_which_measurements_are_written_is_read(tmp_path, stated, beside):
    assert found(tmp_path, 200, stated, **beside)["STATED_AREA_DISAGREES"].measured == pytest.approx(40_000)


@pytest.mark.parametrize(
    "stated", [{"Area µm^2": "NaN"}, {"Area": 5}, {"Perimeter µm": 5}, {"Nucleus: Area µm^2": 5}, {"Area µm": 5}, {}]
)
def test_what_is_no_area_of_the_outline_is_compared_with_nothing(tmp_path, stated):
    assert found(tmp_path, 100, stated) == {}


def test_without_a_pixel_size_only_px2_are_compared(tmp_path):
    assert found(tmp_path, 100, {"Area µm^2": 40_000.0}, mpp=None) == {}
    assert set(found(tmp_path, 100, {"Area px^2": 9_000.0}, mpp=None)) == {"STATED_AREA_DISAGREES"}


def test_pixels_that_are_not_square_are_taken_as_they_are(tmp_path):
    assert set(found(tmp_path, 100, {"Area µm^2": 1250.0}, mpp=Mpp(0.25, 0.5))) == {"STATED_AREA_AGREES"}


def test_a_thousand_outlines_in_um_have_a_few_lines_and_their_number(tmp_path):
    ring, properties = square(0, 0, 20), {"measurements": {"Area µm^2": 400.0}}
    path = written(tmp_path / "a.geojson", [feature([ring], properties) for _ in range(1000)])
    told = [f for f in read_drawn(path, slide=slide_of(), mpp=HALF).findings if f.code == "STATED_AREA_DISAGREES"]
    assert len(told) < 15
    assert told[-1].measured == 1000
