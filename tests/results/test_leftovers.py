"""What a kill leaves half written goes, and nothing else; tables go where everything is measured afresh."""

from pathlib import Path

from wsi_area.results.layout import RunLayout, write_bytes
from wsi_area.results.leftovers import MADE_FROM_SLIDES, discard_partials, discard_tables


def filled(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def left(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


def test_files_that_never_got_their_name_are_removed_from_the_run_and_from_the_slides_named(tmp_path: Path) -> None:
    whole = ("run.json", "slides/a/result.json", "slides/a/mask.ome.zarr/0/c/0/0", "partial", "slides/a/partial.json")
    half = (".run.json.01ab.partial", "slides/a/.result.json.2f.partial", "slides/a/mask.ome.zarr/0/c/0/.0.77.partial")
    others = ("slides/b/.result.json.5e.partial", "logs/x.partial")  # another slide's; not where a run writes so
    filled(tmp_path, *whole, *half, *others)
    assert discard_partials(RunLayout(tmp_path), ["a", "never-there"]) == len(half)
    assert left(tmp_path) == sorted(whole + others)


def test_links_are_not_followed_out_of_the_run(tmp_path: Path) -> None:
    filled(tmp_path / "elsewhere", "keep.partial")
    (tmp_path / "run/slides/a").mkdir(parents=True)
    (tmp_path / "run/slides/a/link").symlink_to(tmp_path / "elsewhere")
    assert discard_partials(RunLayout(tmp_path / "run"), ["a"]) == 0
    assert left(tmp_path / "elsewhere") == ["keep.partial"]


def test_a_run_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert discard_partials(RunLayout(tmp_path / "run"), ["a"]) == 0


def test_what_is_made_from_slides_goes_and_the_slides_stay(tmp_path: Path) -> None:
    layout = RunLayout(tmp_path)
    for name in (*MADE_FROM_SLIDES, "run.json", "slides/a/result.json"):
        write_bytes(tmp_path / name, b"{}")
    discard_tables(layout)
    discard_tables(layout)  # there is nothing left to remove
    assert left(tmp_path) == ["run.json", "slides/a/result.json"]
