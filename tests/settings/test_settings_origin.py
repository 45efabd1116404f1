"""run.json says of every setting who said it: a file, the command line, the program that called, or nobody."""

import json
from pathlib import Path

from command_line import wsi_area
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.model.json_tree import flat
from wsi_area.settings.cluster_settings import ClusterSettings
from wsi_area.settings.run_settings import RunSettings, TilingSettings, load

SIZE = Size(300, 200)


def test_each_setting_of_a_run_has_its_origin(tmp_path: Path) -> None:
    write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 50)})
    config = tmp_path / "mine.toml"
    config.write_text('[tiling]\ntile_px = 64\nwork_mpp = 0.5\n[segmenter]\nname = "tissue"\nthreshold = 60\n')
    out = tmp_path / "out"
    asked = ("--config", config, "--out", out, "--no-report", "--set", "tiling.tile_px=128", "--workers", "1")
    assert wsi_area("run", tmp_path / "s.tif", *asked).code == 0
    about = json.loads((out / "run.json").read_text())
    origin = about["settings_origin"]
    assert set(origin) == {key for key, _ in flat(about["settings"])}
    assert origin["tiling.work_mpp"] == origin["segmenter.threshold"] == str(config)
    assert origin["tiling.tile_px"] == origin["run.workers"] == "command line"
    assert about["settings"]["tiling"]["tile_px"] == 128
    assert origin["tiling.skip_glass"] == origin["cluster.jobs"] == "default"


def test_what_a_program_sets_by_itself_is_the_programs() -> None:
    origin = RunSettings(tiling=TilingSettings(tile_px=64), cluster=ClusterSettings(jobs=3)).origins
    assert origin["tiling.tile_px"] == origin["cluster.jobs"] == "program"
    assert origin["cluster.cores"] == "default"


def test_a_table_given_as_a_whole_speaks_for_all_in_it() -> None:
    origin = load(None, ["tiling = {tile_px = 64, work_mpp = 1.0}"]).origins
    assert origin["tiling.tile_px"] == origin["tiling.work_mpp"] == "command line"


def test_where_a_setting_comes_from_never_changes_a_result(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[tiling]\ntile_px = 64\n")
    assert load(config).measurement_hash == load(None, ["tiling.tile_px=64"]).measurement_hash
