"""training: report.html of a trained model; one file, no outside request."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from wsi_area.audit.accuracy import Accuracy, ImageAgreement
from wsi_area.compute.judge.agreement import class_agreements
from wsi_area.training.figures import areas_png, calibration_png, case_png, importances_png
from wsi_area.training.outcome import TrainOutcome

_SHOWN_CASES = 3
_COUNTS_UP_TO = 6
"""Classes of which a confusion matrix can be read as counts; of more, shares are shown, shaded."""
_STYLE = """
body { font: 15px/1.55 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #30343a; background: #fff;
  max-width: 62rem; margin: 2.5rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; font-weight: 600; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; font-weight: 600;
  margin: 2.4rem 0 .6rem; border-bottom: 1px solid #e3e5e8; padding-bottom: .25rem; }
p { margin: .4rem 0; max-width: 46rem; } .note { color: #6a7079; font-size: .9rem; }
table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums; }
.pair figure { flex: 1 1 0; min-width: 0; }
th, td { padding: .28rem .9rem .28rem 0; text-align: right; border-bottom: 1px solid #eef0f2; white-space: nowrap; }
th { font-weight: 600; font-size: .88rem; color: #565c64; } th:first-child, td:first-child { text-align: left; }
.ci { color: #7b818a; font-size: .85rem; } .scroll { overflow-x: auto; }
.wrap { white-space: normal; min-width: 16rem; text-align: left; }
.shares td, .shares th { padding: .2rem .45rem; } .shares td:first-child { padding-left: 0; }
figure { margin: .8rem 0; } figcaption { font-size: .9rem; color: #565c64; } img { max-width: 100%; height: auto; }
.key { display: inline-block; width: .75rem; height: .75rem; border: 1px solid #c9cdd2; border-radius: 2px;
  margin: 0 .35rem 0 .9rem; vertical-align: -1px; } .pair { display: flex; gap: 1rem; }
.warn { background: #fff6e3; border-left: 3px solid #e0a030; padding: .5rem .9rem; }
code { font-size: .88em; overflow-wrap: anywhere; }
"""


def write_report(outcome: TrainOutcome, path: Path) -> None:
    """Write the report of a model: its accuracy, what it goes by, its best and worst cases, what it learnt from."""
    parts = [*_head(outcome)]
    if outcome.accuracy is None:
        parts.append(f'<p class="warn">Accuracy is not known: {escape(outcome.reason)}.</p>')
    else:
        parts += [*_accuracy(outcome.accuracy), *_cases(outcome.accuracy)]
    parts += [*_importances(outcome), *_material(outcome), *_settings(outcome)]
    title = "wsi-area pixel classifier"
    page = f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
    page += (
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n<body>\n'
    )
    path.write_text(page + "\n".join(parts) + "\n</body></html>\n", encoding="utf-8")


def _head(outcome: TrainOutcome) -> Iterable[str]:
    model, about = outcome.model, outcome.model.card
    names = ", ".join(c.name for c in model.classes if c.class_id in model.trees.class_ids)
    yield "<h1>Pixel classifier</h1>"
    yield (
        f"<p>Tells {escape(names)} apart at {model.features.work_mpp_um:.4g} µm per pixel, from "
        f"{len(model.features.names)} features and {len(model.trees.roots)} trees learnt from "
        f"{about['training_px']:,} pixels of {len(about['training_data'])} images.</p>"
    )
    yield f'<p class="note">Model <code>{outcome.model_hash}</code></p>'


def _accuracy(accuracy: Accuracy) -> Iterable[str]:
    yield "<h2>Accuracy on images it did not learn from</h2>"
    yield (
        f"<p>Each of the {len(accuracy.images)} images was classified as a whole by a model that had seen no image of "
        f"its group ({accuracy.groups} groups); pixels are pooled over all images and counted at level 0.</p>"
    )
    heads = ["class", "Dice", "IoU", "precision", "recall", "area found / true", "calibration error"]
    yield _table(heads, [_class_row(accuracy, k) for k in range(len(accuracy.scheme.classes))])
    if accuracy.intervals.reason:
        yield f'<p class="note">No intervals: {escape(accuracy.intervals.reason)}.</p>'
    else:
        yield (
            '<p class="note">In brackets 95 % intervals, from drawing whole groups with replacement '
            f"({accuracy.intervals.clusters} groups, seed {accuracy.seed}).</p>"
        )
    yield "<h2>Confusion</h2>"
    yield confusion_html(accuracy)
    kappa = "unknown" if accuracy.kappa is None else f"{accuracy.kappa:.3f}"
    left = ", ".join(f"{n:,} {why.replace('_', ' ')}" for why, n in accuracy.left_out_l0_px.items())
    yield f'<p class="note">Level-0 pixels. Cohen’s kappa {kappa}. Not compared: {left}.</p>'
    yield '<div class="pair">'
    yield _figure(calibration_png(accuracy), "Calibration: a point on the dashed line keeps its word.")
    yield _figure(areas_png(accuracy), "Area of each class in each image.")
    yield "</div>"


def confusion_html(accuracy: Accuracy) -> str:
    """Return the confusion matrix as a table: counts, or of many classes the share of each row, shaded."""
    return _counts(accuracy) if len(accuracy.scheme.classes) <= _COUNTS_UP_TO else _shares(accuracy)


def _counts(accuracy: Accuracy) -> str:
    names = [c.name for c in accuracy.scheme.classes]
    rows = [
        [escape(name), *(f"{n:,}" for n in row), f"{sum(row):,}"]
        for name, row in zip(names, accuracy.matrix.tolist(), strict=True)
    ]
    total = accuracy.matrix.sum(axis=0).tolist()
    rows.append(["found in all", *(f"{n:,}" for n in total), f"{sum(total):,}"])
    return _table(["true ↓ found →", *map(escape, names), "true in all"], rows)


def _shares(accuracy: Accuracy) -> str:
    """Return the shares of each class by where its pixels went, shaded; columns are numbered as the rows are."""
    rows = []
    for number, (entry, counts) in enumerate(zip(accuracy.scheme.classes, accuracy.matrix.tolist(), strict=True)):
        in_all = sum(counts)
        cells = "".join(_share_cell(n, in_all) for n in counts)
        rows.append(f"<tr><td>{number} {escape(entry.name)}</td>{cells}<td>{in_all:,}</td></tr>")
    numbers = "".join(f'<th title="{escape(c.name)}">{c.class_id}</th>' for c in accuracy.scheme.classes)
    head = f"<thead><tr><th>true ↓ found →</th>{numbers}<th>true in all, px</th></tr></thead>"
    note = (
        "Percent of the pixels that are truly of the class; columns are numbered as the rows. Blank: less than 0.5 %."
    )
    return (
        f'<div class="scroll"><table class="shares">{head}<tbody>\n' + "\n".join(rows) + "\n</tbody></table></div>"
        f'<p class="note">{note}</p>'
    )


def _share_cell(n: int, in_all: int) -> str:
    share = n / in_all if in_all else 0.0
    if share < 0.005:
        return f'<td title="{n:,} px"></td>'
    ink = "#ffffff" if share > 0.55 else "#30343a"
    return f'<td title="{n:,} px" style="background:rgba(0,84,147,{share:.2f});color:{ink}">{100 * share:.0f}</td>'


def _class_row(accuracy: Accuracy, class_id: int) -> list[str]:
    agreement, bins = accuracy.agreements[class_id], accuracy.reliability.get(class_id)
    cells = [escape(accuracy.scheme.classes[class_id].name)]
    for ratio in ("dice", "iou", "precision", "recall", "area_ratio"):
        interval = accuracy.intervals.of(class_id, ratio)
        shown = _number(getattr(agreement, ratio))
        if interval is not None and getattr(agreement, ratio) is not None:
            shown += f' <span class="ci">({interval[0]:.3f}–{interval[1]:.3f})</span>'
        cells.append(shown)
    return [*cells, _number(None if bins is None else bins.expected_error)]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _cases(accuracy: Accuracy) -> Iterable[str]:
    ranked = [image for image in accuracy.ranked() if image.case is not None]
    best = ranked[: min(_SHOWN_CASES, (len(ranked) + 1) // 2)]
    worst = ranked[len(best) :][-_SHOWN_CASES:][::-1]
    keys = "".join(
        f'<span class="key" style="background:rgb{c.color_rgb}"></span>{escape(c.name)}'
        for c in accuracy.scheme.classes
    )
    for title, images in (("Best cases", best), ("Worst cases", worst)):
        if images:
            yield f"<h2>{title}</h2><p>{keys}</p>"
            yield from (_figure(case_png(image, accuracy.scheme), _case_text(image, accuracy)) for image in images)


def _case_text(image: ImageAgreement, accuracy: Accuracy) -> str:
    rows = zip(accuracy.scheme.classes, class_agreements(image.matrix), strict=True)
    parts = [
        f"{c.name} Dice {_number(a.dice)}, area ratio {_number(a.area_ratio)}"
        for c, a in rows
        if a.truth_px and c.class_id
    ]
    return escape(
        f"{image.slide_id}, mean Dice of its classes {_number(image.score)}: "
        + ("; ".join(parts) or "no class but the background")
    )


def _importances(outcome: TrainOutcome) -> Iterable[str]:
    found = outcome.importances
    yield "<h2>What it goes by</h2>"
    yield _figure(
        importances_png(found["kind"], found["scale"]),
        "Share of the pixels that go wrong when the values of a kind of feature, or of a scale, are shuffled"
        + (" (pixels of images it did not learn from)." if outcome.accuracy else " (pixels it learnt from)."),
    )
    rows = [[escape(i.name), f"{100 * i.accuracy_drop:.2f} %"] for i in found["feature"][:10]]
    yield "<p>Shuffled one by one, where others can stand in:</p>" + _table(["feature", "pixels lost"], rows)


def _material(outcome: TrainOutcome) -> Iterable[str]:
    about = outcome.model.card
    yield "<h2>What it learnt from</h2>"
    rows = []
    for row in about["training_data"]:
        labelled = ", ".join(f"{name} {n:,}" for name, n in row["labelled_work_px"].items())
        used = row["used_l0_px"]
        box = "–" if used is None else f"x {used['x_px']}+{used['width_px']}, y {used['y_px']}+{used['height_px']}"
        files = "<br>".join(f"{escape(n)} <code>{h[:12]}</code>" for n, h in row["sha256"].items())
        told = f'<div class="wrap">{escape(labelled)}</div>'
        rows.append([escape(row["id"]), escape(row["group"]), f"{row['mpp_x_um']:.4g}", told, box, files])
    heads = ["image", "group", "µm/px", "labelled work px", "pixels that had any part, level 0", "files, sha256"]
    yield _table(heads, rows)


def _settings(outcome: TrainOutcome) -> Iterable[str]:
    about = outcome.model.card
    yield "<h2>Settings and versions</h2>"
    settings = {**about["settings"], "rest": about["naming"]["rest"], "renamed": about["naming"]["renamed"] or None}
    rows = [[escape(key), escape(str(value))] for key, value in settings.items() if value is not None]
    yield _table(["setting", "value"], rows)
    yield f'<p class="note">{escape(", ".join(f"{k} {v}" for k, v in about["versions"].items()))}</p>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{h}</th>" for h in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _figure(png: bytes, caption: str) -> str:
    data = base64.b64encode(png).decode()
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )
