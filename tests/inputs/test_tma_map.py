"""The map of an array and a corrected grid are read as they are meant, or refused with their line."""

import json
from pathlib import Path

import pytest

from wsi_area.compute.sections.cores import MapCore, core_name
from wsi_area.errors import SettingsError
from wsi_area.inputs.tma_map import read_grid, read_map, wanted_cores
from wsi_area.settings.section_settings import TmaSettings


def written(tmp_path: Path, text: str, name: str = "map.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "row,column,patient\n1,2,p7\n3,10,p8\n",
        "row;column;patient\nA;2;p7\nC;10;p8\n",
        "name,patient\nA2,p7\nC10,p8\n",
        "Name,Patient\nA-2,p7\nc 10,p8\n",
        "row,column,name,patient\n1,2,A2,p7\n\n3,10,C10,p8\n",
    ],
)
def test_a_map_says_each_core_by_row_and_column_or_by_its_usual_name(tmp_path: Path, text: str) -> None:
    cores = read_map(written(tmp_path, text))
    assert [(core.row, core.column, core.patient) for core in cores] == [(1, 2, "p7"), (3, 10, "p8")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("row,column\n1,2\n1,2\n", "stands 2 times"),
        ("name,row,column\nx,1,2\nx,1,3\n", "name x stands 2 times"),
        ("row,column\n1,two\n", "line 2: column is 'two'"),
        ("row,column\n0,2\n", "line 2: row is '0'"),
        ("row,column,name\n,,liver\n", "line 2: row ''"),
        ("row,column\n1,\n", "give row and column"),
        ("row,column\n", "it has no core"),
        ("row,col\n1,1\n", "unknown column 'col'"),
    ],
)
def test_a_wrong_map_is_refused_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        read_map(written(tmp_path, text))


def test_a_grid_says_the_centre_of_each_core_of_its_slide(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "slide_id,row,column,name,patient,status,x_l0_px,y_l0_px\n"
        "one,1,1,A1,p,missing,10.5,20\nother,1,1,A1,p,complete,1,2\none,,,liver,,extra,30,40\n",
    )
    assert read_grid(path, "one") == (
        MapCore(1, 1, "A1", "p", (10.5, 20.0)),
        MapCore(0, 0, "liver", "", (30.0, 40.0)),
    )
    with pytest.raises(SettingsError, match="none of third"):
        read_grid(path, "third")


@pytest.mark.parametrize("value", ["", "left", "nan", "inf"])
def test_a_centre_that_is_no_number_is_refused(tmp_path: Path, value: str) -> None:
    path = written(tmp_path, f"name,x_l0_px,y_l0_px\nA1,{value},2\n")
    with pytest.raises(SettingsError, match="line 2: x_l0_px"):
        read_grid(path, "any")


def test_a_grid_of_geojson_says_the_middle_of_each_named_feature(tmp_path: Path) -> None:
    square = {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 20], [0, 20], [0, 0]]]}
    features = [
        {"type": "Feature", "properties": {"name": "B3"}, "geometry": square},
        {"type": "Feature", "properties": {"name": "C1"}, "geometry": {"type": "Point", "coordinates": [7, 8]}},
        {"type": "Feature", "properties": {}, "geometry": square},
    ]
    path = written(tmp_path, json.dumps({"type": "FeatureCollection", "features": features}), "grid.geojson")
    assert [(c.name, c.row, c.column, c.xy_l0_px) for c in read_grid(path, "any")] == [
        ("B3", 2, 3, (5.0, 10.0)),
        ("C1", 3, 1, (7.0, 8.0)),
    ]


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"features": 3}', '{"features": [{"properties": {"name": "A1"}}]}'])
def test_a_file_that_is_no_geojson_of_cores_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"grid\.geojson"):
        read_grid(written(tmp_path, text, "grid.geojson"), "any")


def test_a_grid_takes_the_patients_of_the_map_by_name(tmp_path: Path) -> None:
    settings = TmaSettings(
        core_mm=1,
        map=written(tmp_path, "name,patient\nA1,p1\nA2,p2\n"),
        grid=written(tmp_path, "name,x_l0_px,y_l0_px\nA2,1,1\nA3,2,2\n", "grid.csv"),
    )
    assert [core.patient for core in wanted_cores(settings, "any")] == ["p2", ""]


@pytest.mark.parametrize("given", [{"rows": 3}, {"core_mm": 1, "rows": 3}, {"map": "m.csv"}, {"core_mm": 0},
                                   {"core_mm": 1, "rows": 2, "columns": 2, "map": "m.csv"}])  # fmt: skip
def test_settings_that_say_no_one_grid_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"tma|greater than 0"):
        TmaSettings.model_validate(given)


def test_usual_names_are_read_as_they_are_written(tmp_path: Path) -> None:
    places = [(1, 1), (26, 9), (27, 30), (52, 12)]
    text = "name\n" + "\n".join(core_name(row, column) for row, column in places)
    assert [(core.row, core.column) for core in read_map(written(tmp_path, text))] == places
