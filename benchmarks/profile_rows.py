"""benchmarks: the rows that are profiled before and after: the commands of each, and what was changed between.

Both programs are given the same words. In braces stand the places of `profiles.places`: slides, models, folders that
are empty when a row begins, and ``{rule}``, the rule of the benchmark as each program's own folder has it.
"""

from dataclasses import dataclass

_ONE = "--workers 1 --no-report --set run.executor=threads"
_FINE, _COARSE = f"{_ONE} --set tiling.work_mpp=0.25", f"{_ONE} --set tiling.work_mpp=1"
_RUN_FINE, _RUN_COARSE = (f"run {{slide}} --config {{rule}} --out {{out}} {scale}" for scale in (_FINE, _COARSE))


@dataclass(frozen=True)
class Profiled:
    """One row: a command whose CPU is told by function, and what must be there before it begins."""

    key: str
    title: str
    command: str
    changed: str  # what was done about it
    first: tuple[str, ...] = ()  # commands before it, which are not profiled
    within: str = ""  # a file, as a pattern: only what is called from it is told; "": all
    told: str = ""  # of result.json's timing: the CPU s of what is called from there
    only_now: str = ""  # settings of today's program, without which it would do more than the one before


PROFILED = (
    Profiled("cold", "A cold run of the stain rule, 1 µm/px", _RUN_COARSE,
             "What only some runs need is loaded where it is needed, and machine code comes with the package; results "
             "have a seal and more tables than before."),
    Profiled("fine", "A cold run of the stain rule, 0.25 µm/px", _RUN_FINE,
             "A class map is packed as bit planes, its edges and other thresholds are counted besides: more work than "
             "before, done by machine code."),
    Profiled("prepare", "Before the tiles of four slides, stain, 1 µm/px",
             f"run {{further}} --config {{rule}} --out {{out}} {_COARSE}",
             "Stored tiles at edges are compared with OpenSlide's by the tasks that read them, no longer before the "
             "first tile.", within="wsi_area/run/prepare.py", told="prepare_cpu_s"),
    Profiled("finished", "A finished slide given again, 1 µm/px", _RUN_COARSE,
             "A finished slide of which nothing has changed is not opened again: `finished.json` says what its result "
             "rests on.", (_RUN_COARSE,)),
    Profiled("verify", "`verify`, 0.25 µm/px", "verify {out}",
             "A class map is counted again by machine code, shard by shard; the seal is held besides, which the "
             "program before did not have.", (_RUN_FINE,)),
    Profiled("clean", "`he_tissue_clean`, 1 µm/px",
             f"run {{slide}} --config {{configs}}/he_tissue_clean.toml --out {{out}} {_COARSE}",
             "What a rule asks of a window is one sum of whole numbers, and what all rules ask of a pixel is looked up "
             "once."),
    Profiled("geojson", "GeoJSON of the stained slide, 1 µm/px", "export {out} --format geojson",
             "Rings are traced and written by machine code and put together as arrays, without Python for a ring.",
             (_RUN_COARSE,)),
    Profiled("evaluate", "`evaluate` against today's outlines of 2 µm/px, tissue, 1 µm/px",
             "evaluate {out} --truth {truth}",
             "An outline of thousands of rings is checked, measured and made a geometry at once, not ring by ring.",
             (f"run {{slide}} --config {{configs}}/he_tissue.toml --out {{out}} {_COARSE}",)),
    Profiled("dicom", "DICOM of JPEG, 0.25 µm/px",
             f"run {{dicom}} --config {{rule}} --out {{out}} {_FINE}",
             "Frames are decoded directly where they are proven to be what OpenSlide reads."),
    Profiled("ndpi", "NDPI of 4:2:2, intervals of 2 048 px, 0.25 µm/px",
             f"run {{ndpi}} --config {{rule}} --out {{out}} {_FINE}",
             "Restart intervals are decoded directly, many as one JPEG; those at an edge, here two of five, by "
             "OpenSlide too, to compare them. The program before looked for no damage in what is stored."),
    Profiled("processes", "The tiles in two worker processes, 0.25 µm/px",
             "run {slide} --config {rule} --out {out} --workers 2 --no-report --set run.executor=processes "
             "--set tiling.work_mpp=0.25",
             "A worker process uses the memory of one tile for the next. What it loads before its first task is not in "
             "here.",
             within=r"wsi_area/run/(work/)?tile_task\.py", told="inner_cpu_s"),
    Profiled("network", "A network of three convolutions at its own 1 µm/px",
             f"run {{slide}} --config {{configs}}/onnx_model.toml --out {{out}} {_ONE} --set segmenter.model={{model}}",
             "Each window is run once, on a grid of what is kept of one; classes are chosen channel by channel.",
             only_now="--set tissue.name=none"),
    Profiled("foci", "A run with tumour foci, 1 µm/px",
             f"run {{slide}} --config {{foci}} --out {{out}} {_COARSE} --set objects.foci=true",
             "Objects are joined over seams without scipy, and the class map is read shard by shard."),
)  # fmt: skip
"""In the order of the page."""
