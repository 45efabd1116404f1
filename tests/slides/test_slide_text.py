"""Numbers, units, OME-XML and property tables, as files spell them."""

import doctest
import math
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsi_area.compute.units import positive_number, um_per_unit
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.geometry import Size
from wsi_area.slides.header.mpp_sources import slide_claims
from wsi_area.slides.header.ome import ome_images
from wsi_area.slides.header.tiff_scales import ome_claims

ROOMS = [
    "compute.units",
    "lanes.argb",
    "lanes.exactness",
    "header.descriptions.vips",
    "header.descriptions.words",
    "header.inspect",
    "header.mpp_sources",
    "header.ome",
    "header.picture_names",
    "header.tiff_slide",
    "stored.turning",
    "lanes.box_sums",
    "lanes.reading",
]


@pytest.mark.parametrize("name", ROOMS)
def test_the_examples_in_the_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(
        import_module(f"wsi_area.{name}" if name.startswith("compute") else f"wsi_area.slides.{name}")
    )
    assert (result.failed, result.attempted > 0) == (0, True)


@pytest.mark.parametrize(
    ("spellings", "um"),
    [
        (["um", "µm", "μm", "Micron", "micrometer", "micrometers", "micrometre", " UM "], 1),
        (["cm", "CENTIMETER", "centimeters"], 10_000),
        (["mm", "millimeter"], 1_000),
        (["nm", "nanometers"], 0.001),
        (["inch", "in", "INCH"], 25_400),
        (["m", "metre"], 1_000_000),
    ],
)
def test_every_spelling_of_a_unit_is_the_same_unit(spellings: list[str], um: float) -> None:
    assert {um_per_unit(text) for text in spellings} == {um}


@pytest.mark.parametrize("text", ["", "none", "pixel", "furlong", "RESUNIT.NONE"])
def test_an_unknown_unit_is_none(text: str) -> None:
    assert um_per_unit(text) is None


@pytest.mark.parametrize("text", ["", "abc", "0", "-1", "nan", "inf", "-inf", "1e999", "1,2,3", "1_0", "٠٫٥", None])
def test_what_is_no_positive_finite_number_is_none(text: str | None) -> None:
    assert positive_number(text) is None


@given(st.text(max_size=20))
def test_any_text_is_a_positive_finite_number_or_none(text: str) -> None:
    number = positive_number(text)
    assert number is None or (math.isfinite(number) and number > 0)


def ome_mpp(text: str) -> tuple[float, float] | None:
    claims = [claim for claim in ome_claims(ome_images(text), {}) if isinstance(claim, MppCandidate)]
    return (claims[0].mpp.x, claims[0].mpp.y) if claims else None


@given(st.text(max_size=200))
def test_any_text_is_ome_xml_or_none(text: str) -> None:
    found = ome_mpp(f'<OME><Pixels PhysicalSizeX="1" PhysicalSizeY="2"/>{text}')
    assert found in ((1.0, 2.0), None)


@pytest.mark.parametrize(
    ("attributes", "mpp"),
    [
        ('PhysicalSizeX="0.25" PhysicalSizeY="0.5"', (0.25, 0.5)),
        ('PhysicalSizeX="250" PhysicalSizeXUnit="nm" PhysicalSizeY="0.00025" PhysicalSizeYUnit="mm"', (0.25, 0.25)),
        ('PhysicalSizeX="0.25"', None),
        ('PhysicalSizeX="0.25" PhysicalSizeY="0.25" PhysicalSizeYUnit="pixel"', None),
        ('PhysicalSizeX="0" PhysicalSizeY="0.25"', None),
    ],
)
def test_ome_sizes_are_taken_with_their_units_and_never_one_for_both(
    attributes: str, mpp: tuple[float, float] | None
) -> None:
    xml = f'<ome:OME xmlns:ome="x"><ome:Image><ome:Pixels {attributes}/></ome:Image></ome:OME>'
    found = ome_mpp(xml)
    assert found == (None if mpp is None else pytest.approx(mpp))


def test_entities_are_never_expanded() -> None:
    bomb = '<!DOCTYPE OME [<!ENTITY a "0.25">]><OME><Pixels PhysicalSizeX="&a;" PhysicalSizeY="&a;"/></OME>'
    assert ome_mpp(bomb) is None


def sources(properties: dict[str, str], vendor: str = "generic-tiff") -> dict[str, Mpp]:
    claims = slide_claims(vendor, properties, Size(1000, 2000))
    return {claim.source: claim.mpp for claim in claims if isinstance(claim, MppCandidate)}


def test_dicom_and_philips_spacing_name_the_row_first() -> None:
    prefix = "dicom.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing"
    found = sources({f"{prefix}[0]": "0.0005", f"{prefix}[1]": "0.00025"}, "dicom")
    assert found == {"dicom.PixelSpacing": Mpp(0.25, 0.5)}
    found = sources({"philips.DICOM_PIXEL_SPACING": '"0.0005" "0.00025"'}, "philips")
    assert found == {"philips.DICOM_PIXEL_SPACING": Mpp(0.25, 0.5)}


def test_a_scanned_extent_in_nm_is_a_pixel_size() -> None:
    found = sources({"hamamatsu.PhysicalWidth": "250000", "hamamatsu.PhysicalHeight": "1000000"}, "hamamatsu")
    assert found == {"hamamatsu.PhysicalWidth": Mpp(0.25, 0.5)}


def test_imagej_names_its_unit_in_the_description() -> None:
    tags = {"tiff.XResolution": "4", "tiff.YResolution": "2", "tiff.ResolutionUnit": "none"}
    assert sources({**tags, "tiff.ImageDescription": "ImageJ=1.53\nunit=\\u00B5m\n"}) == {"imagej.unit": Mpp(0.25, 0.5)}
    assert sources({**tags, "tiff.ImageDescription": "ImageJ=1.53\nunit=pixel\n"}) == {}


def test_a_genuine_trestle_tag_is_micrometres() -> None:
    tags = {"openslide.mpp-x": "0.33", "openslide.mpp-y": "0.33", "tiff.XResolution": "0.33",
            "tiff.YResolution": "0.33", "tiff.ResolutionUnit": "inch"}  # fmt: skip
    assert sources(tags, "trestle") == {"openslide.mpp-x": Mpp(0.33, 0.33)}
