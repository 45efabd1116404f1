"""results: the data dictionary: every column of every table, with its unit, what it means and when it is empty.

One table here, from which ``docs/data_dictionary.md`` is written:
``python -m wsi_area.results.tables.dictionary > docs/data_dictionary.md``.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

NEVER = "never"
_NO_PIXEL_SIZE = "no pixel size is known"
_NO_MM2 = f"{_NO_PIXEL_SIZE}, or it was not counted"
_NO_TUMOR = f"no class of the settings is tumour, {_NO_MM2}"
_NONE = "it was not counted"
_NOT_STARTED = "it failed before anything of it was looked at"
_NO_FOCI = f"foci were not asked for, {_NO_TUMOR}"
_TUMOR_PX = f"no class of the settings is tumour, or {_NONE}"
_NO_FOCI_PX = f"foci were not asked for, {_TUMOR_PX}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one or several tables; ``<class>`` in a name stands for each class of the run."""

    name: str
    unit: str  # "" for text, flags and plain numbers
    meaning: str
    empty: str = NEVER


_SLIDE_ID = Column("slide_id", "", "the slide's name in the run: its file name without suffix, or from the manifest")
_STATUS = Column(
    "status",
    "",
    "complete; incomplete: tiles could not be read; needs_calibration: no mm², for want of a pixel size; failed",
)
_PATH = Column("path", "", "the slide's file, absolute, as it was found")

SUMMARY = (
    _SLIDE_ID,
    _STATUS,
    Column("reason", "", "why it is not complete", "the slide is complete"),
    Column("tumor_area_mm2", "mm²", "area of all tumour classes: the tumour burden, net of holes", _NO_TUMOR),
    Column("tumor_area_u_mm2", "mm²", "its standard uncertainty, from the pixel size alone", _NO_TUMOR),
    Column("tumor_area_ci95_low_mm2", "mm²", "lower end of its 95 % interval (1.96 u)", _NO_TUMOR),
    Column("tumor_area_ci95_high_mm2", "mm²", "upper end of its 95 % interval", _NO_TUMOR),
    Column("tumor_pct_tissue", "%", "tumour in percent of the tissue", f"{_TUMOR_PX}, or there is no tissue"),
    Column("tissue_area_mm2", "mm²", "area of all tissue classes, tumour among them, without excluded ones", _NO_MM2),
    Column("analyzed_area_mm2", "mm²", "area of every pixel with a class, background too", _NO_MM2),
    Column("unread_area_mm2", "mm²", "area of tiles that could not be decoded; above 0: incomplete", _NO_MM2),
    Column("total_area_mm2", "mm²", "area of the whole slide, scanned or not", _NO_MM2),
    Column("mpp_x_um", "µm/px", "width of a level-0 pixel, as believed", _NO_MM2),
    Column("mpp_y_um", "µm/px", "height of a level-0 pixel, as believed", _NO_MM2),
    Column("mpp_source", "", "where that pixel size was found", _NO_MM2),
    Column("mpp_quality", "", "A, B or C: how far that source is trusted; sets the uncertainty", _NO_MM2),
    Column("mpp_note", "", "what the source says, word for word; of an override: its reason", f"{_NO_MM2}, or no note"),
    Column("work_mpp_um", "µm/px", "edge of the pixels that were classified (the larger of x and y)", _NO_MM2),
    Column("asked_work_mpp_um", "µm/px", "the edge that the settings ask for", f"none was asked for, or {_NONE}"),
    Column("objective_power", "×", "as the scanner wrote it; used for no area", f"the file states none, or {_NONE}"),
    Column("vendor", "", "the scanner's make or the file's format", _NONE),
    Column("width_px", "level-0 px", "width of the slide", _NONE),
    Column("height_px", "level-0 px", "height of the slide", _NONE),
    Column("n_px_total", "level-0 px", "all pixels of the slide: the sum of all that follow", _NONE),
    Column("n_px_unscanned", "level-0 px", "pixels that the scanner never looked at", _NONE),
    Column("n_px_outside_roi", "level-0 px", "pixels outside the region of interest; 0 without one", _NONE),
    Column("n_px_unreadable", "level-0 px", "pixels of tiles that could not be decoded", _NONE),
    Column("n_px_background", "level-0 px", "pixels of class 0: glass, or what lies behind the tissue", _NONE),
    Column("n_px_excluded", "level-0 px", "pixels of excluded classes: pen, fold, out of focus", _NONE),
    Column("n_px_tissue", "level-0 px", "pixels of tissue classes, tumour among them", _NONE),
    Column("n_px_tumor", "level-0 px", "pixels of tumour classes", _TUMOR_PX),
    Column("class_<class>_area_mm2", "mm²", "area of one class", f"the slide's settings lack the class, {_NO_MM2}"),
    Column("n_px_class_<class>", "level-0 px", "pixels of one class", f"the slide's settings lack it, or {_NONE}"),
    Column("tumor_area_filled_mm2", "mm²", "tumour with the holes that its foci enclose", _NO_FOCI),
    Column("foci_count", "", "connected regions of tumour (pixels that touch at a corner are one)", _NO_FOCI_PX),
    Column("largest_focus_mm2", "mm²", "net area of the largest focus", _NO_FOCI),
    Column("largest_extent_mm", "mm", "largest diameter of any focus (maximal Feret diameter)", _NO_FOCI),
    Column("annotations", "", "the drawing or mask that the classes were taken from", f"none was used, or {_NONE}"),
    Column("roi", "", "the drawing of the region of interest", f"none was used, or {_NONE}"),
    Column(
        "signal_od_per_mm2", "optical density", "mean optical density of the stain over the tissue (∫ OD dA / mm²)",
        f"the segmenter measures no optical density, there is no tissue, {_NO_MM2}",
    ),
    Column("threshold", "as its method", "what parts tissue from background", f"none was used, or {_NONE}"),
    Column("threshold_method", "", "how it was found: otsu, fixed …", f"none was used, or {_NONE}"),
    Column(
        "skipped_tissue_px_upper_bound", "level-0 px", "most tissue that tiles skipped as bare glass can hold",
        f"too few of them were read to say, or {_NONE}",
    ),
    Column("reader", "", "direct or openslide: the lane that decoded the pixels", _NONE),
    Column("flags", "", "codes of all findings, once each, with spaces between; see flags.csv", "nothing was noticed"),
    _PATH,
    Column("sha_sample", "", "fingerprint of the slide's file: SHA-256 over samples of its bytes", _NONE),
    Column("config_hash", "", "SHA-256 over the settings that the measurement depends on", _NOT_STARTED),
    Column("wsi_area_version", "", "version that measured the slide", _NOT_STARTED),
)  # fmt: skip
"""Of ``summary.csv`` and ``summary.parquet``: one row for each planned slide."""

AREAS = (
    _SLIDE_ID,
    Column("class_id", "", "the class's code in the class map"),
    Column("class_name", "", "the class's name in the settings"),
    Column("is_tissue", "", "whether it is a part of the tissue"),
    Column("is_tumor", "", "whether it is a part of the tumour"),
    Column("n_px", "level-0 px", "its pixels"),
    Column("area_mm2", "mm²", "its area", _NO_PIXEL_SIZE),
    Column("area_u_mm2", "mm²", "standard uncertainty of that, from the pixel size alone", _NO_PIXEL_SIZE),
    Column("ci95_low_mm2", "mm²", "lower end of the 95 % interval (1.96 u)", _NO_PIXEL_SIZE),
    Column("ci95_high_mm2", "mm²", "upper end of the 95 % interval", _NO_PIXEL_SIZE),
    Column("pct_tissue", "%", "its share of the tissue", "it is no tissue, or there is none"),
    Column(
        "signal_per_mm2", "as the signal", "mean of the segmenter's signal over the class (∫ signal dA / mm²)",
        "the segmenter measures none, the class has no pixel, or no pixel size is known",
    ),
    _STATUS,
)  # fmt: skip
"""Of ``areas.parquet``: one row for each counted slide and class."""

FLAGS = (
    _SLIDE_ID,
    Column("code", "", "what was noticed, as a word that stays the same from version to version"),
    Column("severity", "", "info: on record; warning: look at it; refusal: mm² are withheld"),
    Column("measured", "see unit", "the number found", "the finding has no number"),
    Column("limit", "see unit", "the number it was held against", "there is no limit"),
    Column("unit", "", "of measured and limit", "they have none"),
    Column("message", "", "what was found, as a sentence"),
    Column("remedy", "", "what to do about it", "nothing needs doing"),
)
"""Of ``flags.csv``: one row for each finding."""

FAILED = (
    _SLIDE_ID,
    _STATUS,
    Column("reason", "", "why it was not measured whole"),
    _PATH,
)
"""Of ``failed.csv``: one row for each slide that failed or is incomplete."""

OBJECTS = (
    _SLIDE_ID,
    Column("object_id", "", "from 1, the largest first; of equally large ones the upper, then the left one"),
    Column("set", "", "what it is a connected region of: tumor"),
    Column("area_px", "level-0 px", "its pixels, net of holes"),
    Column("area_mm2", "mm²", "its area, net of holes", _NO_PIXEL_SIZE),
    Column("filled_px", "level-0 px", "its pixels and those of the holes it encloses, without foci inside these"),
    Column("filled_area_mm2", "mm²", "the same as an area", _NO_PIXEL_SIZE),
    Column("centroid_x_l0_px", "level-0 px", "column of its centre of mass"),
    Column("centroid_y_l0_px", "level-0 px", "row of its centre of mass"),
    Column("x_l0_px", "level-0 px", "left edge of its box"),
    Column("y_l0_px", "level-0 px", "upper edge of its box"),
    Column("width_l0_px", "level-0 px", "width of its box"),
    Column("height_l0_px", "level-0 px", "height of its box"),
    Column("max_feret_mm", "mm", "its largest diameter (maximal Feret diameter)", _NO_PIXEL_SIZE),
    Column("touches_border", "", "whether it reaches the slide's border and may go on beyond"),
    Column("touches_unread", "", "whether it reaches a tile that could not be read and may go on there"),
)
"""Of ``objects.parquet``: one row for each focus, of at most 100 000 a slide."""

TABLES: dict[str, tuple[str, tuple[Column, ...]]] = {
    "summary.csv, summary.parquet": ("One row for each planned slide, whatever became of it.", SUMMARY),
    "areas.parquet": ("One row for each counted slide and class.", AREAS),
    "flags.csv": ("One row for each finding.", FLAGS),
    "failed.csv": ("One row for each slide that failed or is incomplete.", FAILED),
    "objects.parquet": (
        "One row for each focus (connected region of tumour), at most 100 000 of a slide; also beside each slide's "
        "result.json. There is none where foci were not asked for or no class is tumour.",
        OBJECTS,
    ),
}
_HEAD = """\
# Data dictionary

Every column of the tables of a run. Written by `python -m wsi_area.results.tables.dictionary`; do not edit.

- CSV: UTF-8, comma, decimal point, full precision; what is not known is empty, never 0 and never "NA".
- Ids are text. What guesses types turns `001` into 1, `1E5` into 100000 and `NA` into nothing: open
  `summary.parquet`, which knows its types, or name them. pandas: `read_csv(…, dtype={"slide_id": str},
  keep_default_na=False, na_values=[""])`; R: `read.csv(…, colClasses = c(slide_id = "character"), na.strings = "")`;
  Excel, LibreOffice: `summary.xlsx`, typed, a sheet for each of summary, areas, flags and failed (a double click on a
  CSV takes the separator and the decimal sign of the country, and guesses dates).
- A slide was not counted if it failed, or if its settings look so many µm round a pixel and no pixel size is known.
- Lengths and areas are those of level 0, the finest level, whatever level was classified.
- `result.json` is described by `result.schema.json` beside this file.
"""


def data_dictionary() -> str:
    """Return the data dictionary as Markdown."""
    return "\n".join((_HEAD, *_sections()))


def _sections() -> Iterator[str]:
    for files, (rows, columns) in TABLES.items():
        yield f"## {files}\n\n{rows}\n"
        yield "| column | unit | meaning | empty where |"
        yield "|---|---|---|---|"
        for column in columns:
            yield f"| `{column.name}` | {column.unit} | {column.meaning} | {column.empty} |"
        yield ""


if __name__ == "__main__":
    sys.stdout.write(data_dictionary())
