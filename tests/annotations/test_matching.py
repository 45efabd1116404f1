import pytest
import zarr

from wsi_area.annotations import find_for
from wsi_area.errors import AnnotationError


@pytest.mark.parametrize(
    "name",
    [
        *("S1.geojson", "S1.geojson.gz", "S1.json", "S1.xml", "S1.ndpa", "S1.ndpi.ndpa", "s1.XML", "S1.ndpi.geojson"),
        *("S1.png", "S1_mask.png", "S1_mask.tif", "S1.tiff", "unique-S1.geojson"),
    ],
)
def test_a_file_belongs_to_the_slide_whose_name_it_has(tmp_path, name):
    for other in (name, "S10.geojson", "S.geojson", "notes.txt", "S1.txt", "S1_class_codes.csv"):
        (tmp_path / other).touch()
    assert find_for("/slides/S1.ndpi", "unique-S1", tmp_path) == tmp_path / name


def test_the_slide_itself_is_not_its_own_mask(tmp_path):
    (tmp_path / "S1.tif").touch()
    assert find_for(tmp_path / "S1.tif", "S1", tmp_path) is None
    (tmp_path / "S1_mask.tif").touch()
    assert find_for(tmp_path / "S1.tif", "S1", tmp_path) == tmp_path / "S1_mask.tif"


def test_two_that_would_do_are_refused_by_name(tmp_path):
    (tmp_path / "S1.geojson").touch()
    (tmp_path / "S1.xml").touch()
    with pytest.raises(AnnotationError, match=r"holds S1\.geojson and S1\.xml for the slide S1"):
        find_for("S1.svs", "S1", tmp_path)


def test_a_file_or_a_zarr_store_is_taken_as_it_is(tmp_path):
    (tmp_path / "any.xml").touch()
    zarr.create_array(tmp_path / "any.zarr", shape=(2, 2), dtype="uint8")
    assert find_for("S1.svs", "S1", tmp_path / "any.xml") == tmp_path / "any.xml"
    assert find_for("S1.svs", "S1", tmp_path / "any.zarr") == tmp_path / "any.zarr"


def test_the_folder_of_a_run_gives_each_slide_its_class_map(tmp_path):
    zarr.create_group(tmp_path / "slides" / "S1" / "mask.ome.zarr")
    own = tmp_path / "slides" / "S1" / "mask.ome.zarr"
    assert find_for("S1.svs", "S1", tmp_path) == own
    assert find_for("S1.svs", "S1", tmp_path / "slides") == own
    assert find_for("S2.svs", "S2", tmp_path) is None


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(AnnotationError, match="does not exist"):
        find_for("S1.svs", "S1", tmp_path / "none")
