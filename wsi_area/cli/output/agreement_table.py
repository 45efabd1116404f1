"""cli: how well classes agree with the truth, as tables for people."""

from rich.table import Table
from rich.text import Text

from wsi_area.audit.accuracy import Accuracy, ImageAgreement, freed_area
from wsi_area.cli.output.console import PlainConsole, fits, report_console
from wsi_area.cli.output.printer import print_lines
from wsi_area.compute.judge.agreement import RATIOS, class_agreements
from wsi_area.compute.quantity_text import percent_text

_HEADINGS = {
    "dice": "Dice",
    "iou": "IoU",
    "precision": "precision",
    "recall": "recall",
    "area_ratio": "area found / true",
}


def print_accuracy(accuracy: Accuracy, *, with_images: bool) -> None:
    """Print the confusion matrix, the ratios of each class, and the same for each image where that is asked for."""
    console = report_console()
    confusion, classes = _confusion(accuracy), _classes(accuracy, " ")
    console.print(confusion if fits(console, confusion) else _confusion_in_lines(accuracy))
    console.print()
    console.print(classes if fits(console, classes) else _classes(accuracy, "\n"))
    if with_images and (len(accuracy.images) > 1 or _has_adjusted(accuracy)):
        console.print()
        console.print(_images(accuracy))
    _print_notes(console, accuracy)


def _confusion(accuracy: Accuracy) -> Table:
    table = _table("true ↓ found →", [*(c.name for c in accuracy.scheme.classes), "true in all"])
    rows = accuracy.matrix.tolist()
    for entry, row in zip(accuracy.scheme.classes, rows, strict=True):
        table.add_row(Text(entry.name), *(f"{n}" for n in (*row, sum(row))))
    total = accuracy.matrix.sum(axis=0).tolist()
    table.add_row("found in all", *(f"{n}" for n in (*total, sum(total))))
    return table


def _confusion_in_lines(accuracy: Accuracy) -> Table:
    """Return the confusion matrix with a line for each cell that is not 0: what a narrow terminal can hold."""
    names = [c.name for c in accuracy.scheme.classes]
    table = _table("true", ["found", "level-0 px", "of the true"])
    for name, row in zip(names, accuracy.matrix.tolist(), strict=True):
        in_all = sum(row)
        for found, n in zip(names, row, strict=True):
            if n:
                table.add_row(Text(name), Text(found), f"{n}", percent_text(n / in_all))
                name = ""
    return table


def _classes(accuracy: Accuracy, separator: str) -> Table:
    """Return the ratios of each class, each with its interval beside it, or on a line of its own."""
    table = _table("class", [heading.replace(" found", f"{separator}found") for heading in _HEADINGS.values()])
    for entry, agreement in zip(accuracy.scheme.classes, accuracy.agreements, strict=True):
        intervals = (accuracy.intervals.of(entry.class_id, ratio) for ratio in RATIOS)
        cells = [_with_interval(getattr(agreement, r), i, separator) for r, i in zip(RATIOS, intervals, strict=True)]
        table.add_row(Text(entry.name), *cells)
    return table


def _images(accuracy: Accuracy) -> Table:
    with_adjusted = _has_adjusted(accuracy)
    more = ("adjusted mm²",) if with_adjusted else ()
    table = _table("slide", ["class", *_HEADINGS.values(), "true mm²", "found mm²", *more])
    for image in accuracy.images:
        name = image.slide_id
        pixel = image.pixel_area_mm2
        for entry, agreement in zip(accuracy.scheme.classes, class_agreements(image.matrix), strict=True):
            if not agreement.truth_px and not agreement.predicted_px:
                continue
            areas = ["–" if pixel is None else f"{n * pixel:.4f}" for n in (agreement.truth_px, agreement.predicted_px)]
            if with_adjusted:
                areas.append(_adjusted(image, entry.name, agreement.predicted_px))
            table.add_row(Text(name), Text(entry.name), *(_number(getattr(agreement, r)) for r in RATIOS), *areas)
            name = ""
    return table


def _has_adjusted(accuracy: Accuracy) -> bool:
    return any(image.held_out or image.points for image in accuracy.images)


def _adjusted(image: ImageAgreement, name: str, found_px: int) -> str:
    """Return the area freed of what the map has wrong, with its interval."""
    pixel = image.pixel_area_mm2
    freed = None if pixel is None else freed_area(image, name, found_px * pixel)
    return "–" if freed is None else f"{freed.area_mm2:.4f} ({freed.low_mm2:.4f} to {freed.high_mm2:.4f})"


def _table(first: str, others: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, overflow="fold")
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _with_interval(value: float | None, interval: tuple[float, float] | None, separator: str) -> str:
    shown = _number(value)
    if value is None or interval is None:
        return shown
    if separator == " ":
        return f"{shown} ({interval[0]:.4f} to {interval[1]:.4f})"
    return f"{shown}\n{interval[0]:.3f}–{interval[1]:.3f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _print_notes(console: PlainConsole, accuracy: Accuracy) -> None:
    kappa = "unknown" if accuracy.kappa is None else f"{accuracy.kappa:.4f}"
    left = ", ".join(f"{n} {why.replace('_', ' ')}" for why, n in accuracy.left_out_l0_px.items())
    intervals = accuracy.intervals
    if any(image.points for image in accuracy.images):
        print_lines(console, "\nAdjusted mm² are those of reference points that readers answered on the slide itself.")
    if any(image.held_out and not image.points for image in accuracy.images):
        print_lines(
            console,
            "\nAdjusted mm² are freed of the model's area ratio on held-out images, with the 95 % interval of one "
            "slide that is like them; whether these are, nobody assessed.",
        )
    about = f"no intervals: {intervals.reason}"
    if not intervals.reason:
        about = f"in brackets 95 % intervals by {intervals.clusters} groups, drawn with replacement or left out in turn"
    print_lines(
        console,
        f"\nCounts are level-0 px of {len(accuracy.images)} images; kappa {kappa}; {about}.\nNot compared: {left}.",
    )
