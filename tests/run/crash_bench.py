"""A slide, how the crash tests measure it, what an undisturbed run makes of it, what must never be said meanwhile."""

import csv
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from crash_children import Fault, Nursery
from stain_settings import POSITIVE_IS_TUMOUR
from synthetic import box, disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.errors import ResultError
from wsi_area.model.geometry import Size
from wsi_area.results.class_map.slide_files import FINISHED_NAME
from wsi_area.results.layout import read_json
from wsi_area.results.thumbnail import CLASSES_NAME

SIZE = Size(900, 700)
CUT = ("--set", "tiling.tile_px=128", "--set", "tiling.skip_glass=false", "--set", "run.executor=serial")
FLAT = ("segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=60")
FILTERS = tuple(
    part for text in (*FLAT, "objects.min_tissue_um2=40", "objects.max_hole_um2=40") for part in ("--set", text)
)
KINDS = ("foci", "filters")
"""Runs that measure objects after the tiles: foci of a tumour class; tissue without its specks and holes."""

TABLES = (
    "summary.csv",
    "summary.parquet",
    "summary.xlsx",
    "areas.parquet",
    "flags.csv",
    "failed.csv",
    "objects.parquet",
)
NO_STORES = {"result.json", "thumb.jpg", CLASSES_NAME, FINISHED_NAME}
KILLED = -9
SHARD = "wsi_area.results.class_map.overlaid:write_shard"
COMMIT = "wsi_area.run.work.tile_task:commit_batch"


class Bench:
    """A slide, how it is measured, and what an undisturbed run makes of it."""

    def __init__(self, folder: Path, configs: Path) -> None:
        shapes = {
            "dab": disc(SIZE, 300, 350, 200),
            "tissue": box(SIZE, 600, 100, 200, 300),
            "blue": box(SIZE, 9, 9, 8, 6),
        }
        self.slide = write_slide(folder / "s.tif", SIZE, shapes).path
        dab = ("--config", str(configs / "ihc_dab.toml"), "--set", "objects.foci=true", "--set", POSITIVE_IS_TUMOUR)
        self.settings = {"foci": (*dab, *CUT), "filters": (*FILTERS, *CUT)}
        self.nursery = Nursery(folder / "log", self.command(folder / "foci", "foci", "--report"))
        self.undisturbed = {kind: folder / kind for kind in KINDS}
        assert self.nursery.run(self.command(folder / "foci-again", "foci", "--report")) == 0
        assert self.nursery.run(self.command(folder / "filters", "filters", "--report")) == 0
        self.undisturbed["foci"] = folder / "foci-again"

    def command(self, out: Path, kind: str = "foci", *more: str) -> list[str | Path]:
        return ["run", self.slide, "--out", out, *self.settings[kind], *(more or ("--no-report",))]

    def resumed(self, out: Path, kind: str, *more: str) -> None:
        """Give the command again, and hold all that it leaves against the undisturbed run."""
        assert self.nursery.run(self.command(out, kind, *more)) == 0
        expected = self.undisturbed[kind]
        assert stores(out) == stores(expected)
        assert document(out) == document(expected)
        if "--report" in more:  # the picture is made for it
            picture = content(expected / "slides/s" / CLASSES_NAME)
            assert picture is not None
            assert content(out / "slides/s" / CLASSES_NAME) == picture
        for name in TABLES:
            assert content(out / name) == content(expected / name), name
        assert verify_run(out).disagreements == ()
        assert [str(p) for p in out.rglob("*.partial")] == []


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def stores(out: Path) -> dict[str, bytes]:
    """Every byte of the class map and the ledger, raw and filtered, and of the objects."""
    root = out / "slides/s"
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and p.name not in NO_STORES and not p.name.endswith(".partial")
    }


def document(out: Path) -> dict[str, Any]:
    record = read_json(out / "slides/s/result.json")
    del record["timing"]
    return record


def assert_no_lie(out: Path, whole: dict[str, bytes]) -> None:
    """Make sure that whoever looks at a run that was killed reads no torn file, and of nothing that it is complete.

    What is called complete must be all there: the stores of the slide are those of the undisturbed run.
    """
    claims = []
    if (out / "slides/s/result.json").exists():
        claims.append(read_json(out / "slides/s/result.json")["status"])
    if (out / "summary.csv").exists():
        with (out / "summary.csv").open(newline="") as file:
            claims += [row["status"] for row in csv.DictReader(file)]
    claims += [s for p in ("summary.parquet", "areas.parquet") if (out / p).exists() for s in statuses(out / p)]
    about = read_json(out / "run.json") if (out / "run.json").exists() else {}
    claims += [row["status"] for row in about.get("slides", {}).values()]
    if (out / "report.html").exists():
        assert (out / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
    if "complete" in claims:
        assert stores(out) == whole
    if about.get("state") == "finished":
        assert verify_run(out).disagreements == ()
        return
    if about:
        assert verify_run(out).disagreements  # that it is not finished, at least
        return
    with pytest.raises(ResultError, match=r"holds no run \(there is no run\.json\)"):
        verify_run(out)


def statuses(path: Path) -> list[str]:
    return pq.read_table(path, columns=["status"])["status"].to_pylist()


STEPS = {
    "before the first store": ("filters", Fault("wsi_area.run.continuation:create_store")),
    "class map laid out, no ledger": ("foci", Fault("wsi_area.results.class_map.store:_ome_attributes")),
    "stores laid out": ("foci", Fault("wsi_area.run.continuation:create_store", "after")),
    "before a chunk": ("foci", Fault(SHARD, "before", 3)),
    "after a chunk, before its row": ("foci", Fault(SHARD, "after", 3)),
    "after a row": ("foci", Fault(COMMIT, "after", 7)),
    "before reducing": ("foci", Fault("wsi_area.run.measure_slide:slide_document")),
    "after reducing": ("foci", Fault("wsi_area.run.measure_slide:slide_document", "after")),
    "before the foci's table": ("foci", Fault("wsi_area.run.passes.object_pass:write_foci")),
    "after the foci's table": ("foci", Fault("wsi_area.run.passes.object_pass:write_foci", "after")),
    "filtered stores laid out": ("filters", Fault("wsi_area.run.passes.object_pass:create_cleaned", "after")),
    "between two filtered batches": ("filters", Fault("wsi_area.run.work.object_task:commit_batch", "after", 4)),
    "filtered, not noted": ("filters", Fault("wsi_area.run.passes.object_pass:finish_cleaned")),
    "filtered and noted": ("filters", Fault("wsi_area.run.passes.object_pass:finish_cleaned", "after")),
    "before the tables": ("foci", Fault("wsi_area.run.closing:write_tables")),
    "between two tables": ("foci", Fault("wsi_area.results.tables.run_tables:_write", "after", 1)),
    "after the tables": ("foci", Fault("wsi_area.run.closing:write_tables", "after")),
    "before run.json": ("foci", Fault("wsi_area.run.closing:ended_run")),
}
