"""results: the amended versions of a slide, as they lie in its folder; what was measured is never touched by them."""

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.corrections.amendment import Amendment
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.overlaid import require_same_base
from wsi_area.results.content_hash import content_hash
from wsi_area.results.documents import read_result
from wsi_area.results.layout import AMENDED_FOLDER, SlideLayout
from wsi_area.results.seal.contents import ledger_digest


@frozen_value
class AmendedSlide:
    """One amended version of a slide."""

    number: int
    layout: SlideLayout
    result: CountedSlide
    amendment: Amendment
    is_base_gone: bool  # the slide was measured again since, and is another result: its class map cannot be read

    @property
    def base_content_hash(self) -> str:
        """Return the content hash of the result that it corrects."""
        return self.amendment.base

    @property
    def content_hash(self) -> str:
        """Return the content hash of its own result."""
        return content_hash(self.result)


def amended_numbers(layout: SlideLayout) -> tuple[int, ...]:
    """Return the numbers of the amended versions in a slide's folder, in ascending order; only whole ones count."""
    folder = layout.root / AMENDED_FOLDER
    if not folder.is_dir():
        return ()
    names = [place.name for place in folder.iterdir()]
    numbers = sorted(int(name) for name in names if is_number(name))
    return tuple(number for number in numbers if layout.amended(number).result_json.is_file())


def is_number(name: str) -> bool:
    """Return True if a folder's name is a version's number: a whole number from 1, without a zero before it.

    >>> [is_number(name) for name in ("1", "12", "0", "03", "x", "²")]
    [True, True, False, False, False, False]
    """
    return name.isascii() and name.isdecimal() and not name.startswith("0")


def read_amended(layout: SlideLayout, number: int) -> AmendedSlide:
    """Return an amended version of a slide.

    Raises
    ------
    ResultError
        If there is none of this number, or it cannot be read.
    """
    place = layout.amended(number)
    result = read_result(place)
    if not isinstance(result, CountedSlide) or result.amendment is None or result.amendment.number != number:
        raise ResultError(f"{place.result_json} is not the amended version {number} of a slide; remove its folder")
    return AmendedSlide(number, place, result, result.amendment, _is_gone(layout, place, result.amendment))


def amended_slides(layout: SlideLayout) -> tuple[AmendedSlide, ...]:
    """Return the amended versions of a slide, the oldest first; for errors as `read_amended`."""
    return tuple(read_amended(layout, number) for number in amended_numbers(layout))


def latest_amended(layout: SlideLayout) -> AmendedSlide | None:
    """Return the newest amended version of a slide, its base gone or not; None where it has none.

    Raises
    ------
    ResultError
        If it cannot be read.
    """
    numbers = amended_numbers(layout)
    return read_amended(layout, numbers[-1]) if numbers else None


def _is_gone(layout: SlideLayout, place: SlideLayout, amendment: Amendment) -> bool:
    """Return True if the class maps that a version was laid over are no longer those in the slide's folder.

    Their pixels count, by the keys and rows of their ledgers. Other bands or findings over the same pixels take nothing
    from a version.
    """
    try:
        require_same_base(place, layout)
        if amendment.tissue_map is not None:
            require_same_base(place.tissue, layout.tissue)
        return ledger_digest(ledger_rows(layout)) != amendment.measured_ledger
    except ResultError:
        return True


def require_base(layout: SlideLayout) -> None:
    """Refuse an amended version of which what it was laid over is gone.

    Raises
    ------
    ResultError
        Then, and if it cannot be read.
    """
    measured = layout.base
    version = None if measured is None else read_amended(measured, int(layout.root.name))
    if version is not None and version.is_base_gone:
        raise ResultError(
            f"{layout.slide_id}: what the amended version {version.number} was laid over is gone, since the slide was "
            "measured again; its numbers stay on record, its class map cannot be shown. Amend the slide again"
        )
