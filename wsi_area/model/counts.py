"""model: exact integer counts of level-0 pixels, which add up in any order."""

from wsi_area.errors import CountMismatchError
from wsi_area.frozen_value import frozen_value


@frozen_value
class ClassCounts:
    """Level-0 pixels by class and by reason for having none.

    ``signal_by_class`` holds the integrated signal (micro-units × level-0 px) of a segmenter that measures
    one, else zeros: integers too, so that it does not depend on the order of the sum.
    """

    px_by_class: tuple[int, ...]
    unscanned_px: int = 0
    outside_roi_px: int = 0
    unreadable_px: int = 0
    signal_by_class: tuple[int, ...] = ()
    tiles_done: int = 0
    unsampled_px: int = 0  # in spots that an estimate did not draw

    @classmethod
    def empty(cls, class_count: int) -> "ClassCounts":
        """Return the counts of nothing: the neutral element of ``+``.

        >>> ClassCounts.empty(2) + ClassCounts((1, 2)) == ClassCounts((1, 2), signal_by_class=(0, 0))
        True
        """
        return cls((0,) * class_count, signal_by_class=(0,) * class_count)

    @property
    def total_px(self) -> int:
        """Return all level-0 pixels accounted for.

        >>> ClassCounts((3, 4), unscanned_px=5).total_px
        12
        """
        return sum(self.px_by_class) + self.unscanned_px + self.outside_roi_px + self.unreadable_px + self.unsampled_px

    def __add__(self, other: "ClassCounts") -> "ClassCounts":
        """Return the counts of both; exact, commutative, associative."""
        if len(self.px_by_class) != len(other.px_by_class):
            raise CountMismatchError(
                f"cannot add counts of {len(self.px_by_class)} and {len(other.px_by_class)} classes; "
                "they come from different class schemes"
            )
        none = (0,) * len(self.px_by_class)
        signals = zip(self.signal_by_class or none, other.signal_by_class or none, strict=True)
        return ClassCounts(
            tuple(a + b for a, b in zip(self.px_by_class, other.px_by_class, strict=True)),
            self.unscanned_px + other.unscanned_px,
            self.outside_roi_px + other.outside_roi_px,
            self.unreadable_px + other.unreadable_px,
            tuple(a + b for a, b in signals),
            self.tiles_done + other.tiles_done,
            self.unsampled_px + other.unsampled_px,
        )
