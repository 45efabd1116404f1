"""cli: the pictures that a file holds, as a table for people and as JSON values."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from wsi_area.compute.quantity_text import number_text, pair_text
from wsi_area.model.picture import Picture

FEW_SLIDES = 5
_MOST_ROWS = 24


def is_worth_a_table(pictures: Sequence[Picture], note: str, slide_count: int) -> bool:
    """Return True if the pictures of a slide are listed for people: several, and asked for or with a decision."""
    others = [picture for picture in pictures if picture.role != "reduced level"]
    return len(others) > 1 and (bool(note) or slide_count <= FEW_SLIDES or not any(p.taken for p in pictures))


def picture_table(slide_id: str, pictures: Sequence[Picture]) -> Table:
    """Return one row for each picture of a file, reduced levels left to JSON."""
    table = Table(box=None, pad_edge=False, header_style="bold", title=f"Pictures of {slide_id}", title_justify="left")
    for heading in ("no.", "size px", "role", "name", "which", "µm/px"):
        table.add_column(heading, no_wrap=heading in ("no.", "size px"), overflow="fold")
    table.add_column("taken or left out", overflow="fold")
    shown = [picture for picture in pictures if picture.role != "reduced level"]
    for picture in shown[:_MOST_ROWS]:
        size = f"{number_text(picture.size_px.width_px)} × {number_text(picture.size_px.height_px)}"
        table.add_row(
            str(picture.index), size, picture.role, Text(picture.name or "–"), Text(_which(picture)),
            "–" if picture.mpp is None else pair_text(picture.mpp.x, picture.mpp.y),
            Text(picture.why or "not decided", style="green" if picture.taken else "dim"),
        )  # fmt: skip
    if len(shown) > _MOST_ROWS:
        table.add_row("…", f"{len(shown) - _MOST_ROWS} more", "", "", "", "", "in --json")
    return table


def picture_document(picture: Picture) -> dict[str, Any]:
    """Return a picture as plain JSON values."""
    return asdict(picture)


def _which(picture: Picture) -> str:
    words = []
    if picture.channel is not None:
        words.append(f"channel {picture.channel} {picture.channel_name}".strip())
    if picture.plane is not None:
        words.append(f"plane {picture.plane} {picture.plane_name}".strip())
    if picture.time is not None:
        words.append(f"time {picture.time}")
    return ", ".join(words) or "–"
