"""tests: a run with one slide that is amended, and what an independent painter needs to know of it."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from painting_by_hand import write_corrections
from synthetic import FileForm, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.content_hash import content_hash
from wsi_area.results.documents import read_run
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.run.amending.amend import AmendOptions, AmendOutcome, amend_slide
from wsi_area.run.executors.serial import SerialExecutor
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

MPP = 0.5


@dataclass(frozen=True)
class Measured:
    """A run with the one slide ``s``."""

    out: Path
    settings: tuple[str, ...]
    tissue: tuple[str, ...] = ("tissue",)  # its tissue classes, the plain one first

    @property
    def slide(self) -> OpenedSlide:
        return open_run(self.out)["s"]

    def amend(self, file: Path, **options: Any) -> Any:
        """The amended version, which is there: corrections without effect make none."""
        version = self.outcome(file, **options).version
        assert version is not None
        return version

    def outcome(self, file: Path, **options: Any) -> AmendOutcome:
        from wsi_area.annotations.corrections.corrections_file import corrections_bytes

        layout = RunLayout(self.out)
        content = corrections_bytes(file)
        found = amend_slide(
            layout.slide("s"), read_run(layout), content, str(file), AmendOptions(**options), SerialExecutor()
        )
        assert found is not None
        return found

    def laid(
        self, features: list[dict[str, Any]], name: str = "c", base: str = "", *, or_none: bool = False, **options: Any
    ) -> Any:
        """The version that some corrections make: of what was measured, if no base is named."""
        file = write_corrections(
            self.out.parent / f"{name}.geojson", base or content_hash(self.slide.counted), features
        )
        return self.outcome(file, **options).version if or_none else self.amend(file, **options)

    def forget(self) -> None:
        """Take away every amended version."""
        shutil.rmtree(RunLayout(self.out).slide("s").root / "amended", ignore_errors=True)

    def measure_again(self, *further: str) -> None:
        """The same slide measured afresh with other settings."""
        path = self.slide.counted.path
        run_slides(collect_slides([path]), load(None, [*self.settings, *further]), self.out, force=True)


def outline(path: Path, **shapes: Mapping[str, Any]) -> Path:
    """A drawing of classes, each of one geometry."""
    features = [
        {"type": "Feature", "geometry": shape, "properties": {"classification": {"name": name}}}
        for name, shape in shapes.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def measured_run(
    folder: Path,
    size: Size,
    shape: Any,
    *assignments: str,
    tile_px: int = 64,
    config: Path | None = None,
    paint: str = "tissue",
    tissue: tuple[str, ...] = ("tissue",),
    mpp: float | None = MPP,
    **drawn: Any,
) -> Measured:
    """A slide with a shape on it, measured; drawings by the option that takes them, each a geometry or several."""
    form = FileForm(mpp=None if mpp is None else Mpp(mpp, mpp), downsamples=(1, 2, 4), tile_px=64)
    slide = write_slide(folder / "s.tif", size, {paint: shape}, form)
    given = {}
    for option, shapes in drawn.items():
        named = {"Region": shapes} if "type" in shapes else shapes
        given[option] = outline(folder / f"{option}.geojson", **named)
    told = (*assignments, f"tiling.tile_px={tile_px}")
    outcome = run_slides(collect_slides([str(slide.path)], **given), load(config, told), folder / "out")
    assert [s.status for s in outcome.slides] == ["complete" if mpp is not None else "needs_calibration"]
    return Measured(folder / "out", told, tissue)


def ids_of(slide: OpenedSlide) -> dict[str, int]:
    """Its classes by name, and the one that is excluded by hand."""
    found = {c.name: c.id for c in slide.counted.classes}
    return {**found, "excluded_by_hand": found.get("excluded_by_hand", len(found))}
