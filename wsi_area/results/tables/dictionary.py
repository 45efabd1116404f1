"""results: the data dictionary: every column of every table: unit, type, meaning, when it is empty, where it is from.

All of it stands at the fields of the result, in `model.slide_result`. ``docs/data_dictionary.md`` is written from it:
``python -m wsi_area.results.tables.dictionary > docs/data_dictionary.md``.
"""

import sys
from collections.abc import Iterator

from wsi_area.results.tables.columns import Column, columns_of
from wsi_area.results.tables.scale_law import scale_text

TABLES: dict[str, tuple[str, tuple[Column, ...]]] = {  # the files of a table, what a row is, its columns
    "summary.csv, summary.parquet": ("One row for each planned slide, whatever became of it.", columns_of("summary")),
    "areas.parquet": ("One row for each counted slide and class.", columns_of("areas")),
    "flags.csv": ("One row for each finding.", columns_of("flags")),
    "failed.csv": ("One row for each slide that failed or is incomplete.", columns_of("failed")),
    "ratios.csv, ratios.parquet": (
        "One row for each ratio of areas and counted slide. There is none where no class has a role or a weight.",
        columns_of("ratios"),
    ),
    "subjects.csv, subjects.parquet": (
        "One row for each subject and class, and for all of its tumour, positive and tissue. There is none where no "
        "manifest says who is on the slides. A class that is a total by name and number stands once, as the total.",
        columns_of("subjects"),
    ),
    "objects.parquet": (
        "One row for each focus (connected region of tumour), at most 100 000 of a slide; also beside each slide's "
        "result.json. There is none where foci were not asked for or no class is tumour.",
        columns_of("objects"),
    ),
    "bands.parquet": (
        "One row for each counted slide, border, band and class, of tissue alone; written where `[bands]` asks for it.",
        columns_of("bands"),
    ),
    "hotspots.parquet": (
        "One row for each hot spot, area by area, the best first; written where `[hotspots]` asks for it.",
        columns_of("hotspots"),
    ),
    "budget.parquet": (
        "One row for each counted slide with mm², each of its classes but background and each total, and each thing "
        "that may make that area wrong.",
        columns_of("budget"),
    ),
    "regions.csv, regions.parquet": (
        "One row for each region of a slide that somebody drew, or that was found on it: outlines, codes of a mask, "
        "regions of interest, cores, sections. Regions may overlap; each is counted for itself. There is none where no "
        "region was given. The table beside each slide's result.json has the outlines too.",
        columns_of("regions"),
    ),
    "review/summary.csv": (
        "One row for each planned slide: the verdict as it stands, made of the events in `review/events`. There is "
        "none where nobody decided anything.",
        columns_of("review"),
    ),
}
_HEAD = """\
# Data dictionary

Every column of the tables of a run. Written by `python -m wsi_area.results.tables.dictionary`; do not edit.

- CSV: UTF-8, comma, decimal point, full precision; what is not known is empty, never 0 and never "NA".
- Ids are text. What guesses types turns `001` into 1, `1E5` into 100000 and `NA` into nothing: open
  `summary.parquet`, which knows its types, or name them. pandas: `read_csv(…, dtype={"slide_id": str},
  keep_default_na=False, na_values=[""])`; R: `read.csv(…, colClasses = c(slide_id = "character"), na.strings = "")`;
  Excel, LibreOffice: `summary.xlsx`, typed, a sheet for each of summary, areas, flags, failed and budget, one for
  subjects where the manifest names them, one for the review where somebody decided, and one with the seal of the run (a
  double click on a CSV takes the separator and the decimal sign of the country, and guesses dates).
- A text of a CSV that would begin a formula (`=`, `+`, `-`, `@`, a tab) has a `'` before it: take it away where one of
  these follows it. Numbers have none; parquet and xlsx hold texts as they are. A path whose name is no UTF-8, or orders
  something, is written with an escape (`caf\\xe9.tif`).
- A slide was not counted if it failed, or if its settings look so many µm round a pixel and no pixel size is known.
- Lengths and areas are those of level 0, the finest level, whatever level was classified.
- `<class>` stands for each class of the run, `<signal>` for each signal that its segmenter integrates: `od`, mean
  optical density, or `grey`, mean grey value. A run without a signal has no such column.
- The last column says what becomes of a number where the same picture has pixels of twice the size.
- An interval says what it holds. `*_scale_ci95_*` is the pixel size alone (version 0.1.0 had it under `*_ci95_*`).
  `*_ci95_*` has the error of the segmentation in it, and is empty where nobody knows that; the reason is beside it.
  `*_expanded_u_mm2` is what all known terms come to, and `*_u_holds` names them. `tumor_area_u_mm2`,
  `positive_area_u_mm2` and `area_u_mm2` are the pixel size alone, as before; they are deprecated.
- `result.json` is described by `result.schema.json` beside this file.
"""


def data_dictionary() -> str:
    """Return the data dictionary as Markdown."""
    return "\n".join((_HEAD, *_sections()))


def _sections() -> Iterator[str]:
    for files, (rows, columns) in TABLES.items():
        yield f"## {files}\n\n{rows}\n"
        yield "| column | unit | type | meaning | empty where | from | pixel × 2 |"
        yield "|---|---|---|---|---|---|---|"
        for column in columns:
            meaning = f"{column.meaning}; formerly `{column.formerly}`" if column.formerly else column.meaning
            law = _law(files, column)
            cells = (column.unit, column.kind, meaning, column.empty, column.source, law)
            yield f"| `{column.name}` | {' | '.join(cells)} |"
        yield ""


def _law(files: str, column: Column) -> str:
    """Return the law by which a number changes with pixels twice the size; of bands and windows the µm are stated."""
    if column.kind not in {"integer", "number"}:
        return ""
    return "–" if files in {"bands.parquet", "hotspots.parquet"} else scale_text(column.unit)


if __name__ == "__main__":
    sys.stdout.write(data_dictionary())
