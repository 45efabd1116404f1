"""results: which picture of a file was measured and what was left out, as a sentence for people; pure."""

from wsi_area.compute.quantity_text import number_text
from wsi_area.model.picture import Picture
from wsi_area.model.record.slide_pictures import PicturesOnRecord

NO_OTHER = "the file holds no other"
_NAMED_MOST = 8


def picture_text(pictures: PicturesOnRecord | None) -> str:
    """Return the picture of a file that was measured, and what else it holds; "" where the result lists none."""
    if pictures is None:
        return ""
    left_out = "; ".join(left_out_texts(pictures))
    return f"{taken_text(pictures)}; left out: {left_out}" if left_out else f"{taken_text(pictures)}; {NO_OTHER}"


def taken_text(pictures: PicturesOnRecord) -> str:
    """Return the picture of a file that was measured."""
    return " and ".join(_told(picture) for picture in pictures.taken)


def left_out_texts(pictures: PicturesOnRecord) -> list[str]:
    """Return the other pictures of a file and why they were left out, a sentence each; the last says how many more."""
    others = [f"{_told(p)}: {p.why}" for p in pictures.listed if not p.taken and p.role != "reduced level"]
    more = [f"{len(others) - _NAMED_MOST} more"] if len(others) > _NAMED_MOST else []
    return [*others[:_NAMED_MOST], *more]


def _told(picture: Picture) -> str:
    words = [f"picture {picture.index}", *([f"“{picture.name}”"] if picture.name else [])]
    for key, number, name in (
        ("channel", picture.channel, picture.channel_name),
        ("plane", picture.plane, picture.plane_name),
    ):
        if number is not None:
            words.append(f"{key} {number} {name}".strip())
    size = picture.size_px
    return f"{' '.join(words)} ({picture.role}, {number_text(size.width_px)} × {number_text(size.height_px)} px)"
