"""errors: every error the package raises on purpose; imports nothing.

::

    WsiAreaError
    ├── SettingsError (ValueError)            a key, a value or an option is wrong: nothing was started
    │   └── MissingExtraError (ImportError)   it needs packages that come with an extra only
    ├── SlideError
    │   ├── SlideOpenError (OSError)          the file is not a slide, or its header cannot be read
    │   ├── LaneError (RuntimeError)          the reading lane that was asked for cannot be proven here
    │   │   └── LaneDiffersError              what is about to be read by it is not what OpenSlide shows
    │   ├── MissingMppError (LookupError)     nothing in the file says how large a pixel is
    │   └── ImplausibleMppError (ValueError)  something does, and it cannot be true
    ├── AnnotationError (ValueError)          what was drawn cannot be read, or does not fit its slide
    ├── PlanError (ValueError)                the slide cannot be cut as asked
    │   └── MemoryBudgetError                 one task would need more memory than it may have
    ├── TileError
    │   ├── TileReadError (OSError)           a tile cannot be decoded
    │   └── SegmentationError (RuntimeError)  a segmenter raised or broke its contract
    ├── NewerDocumentError                    a document on disk is of a later version than this one
    └── ResultError
        ├── StaleResultError                  what is on disk was made from something else
        ├── IncompleteResultError             tiles are missing
        └── CountMismatchError                pixels do not add up: the result is refused

Each takes one positional message that says what, the number and the remedy, so each survives pickling
on its way back from a worker.
"""

__all__ = [
    "AnnotationError",
    "CountMismatchError",
    "ImplausibleMppError",
    "IncompleteResultError",
    "LaneDiffersError",
    "LaneError",
    "MemoryBudgetError",
    "MissingExtraError",
    "MissingMppError",
    "NewerDocumentError",
    "PlanError",
    "ResultError",
    "SegmentationError",
    "SettingsError",
    "SlideError",
    "SlideOpenError",
    "StaleResultError",
    "TileError",
    "TileReadError",
    "WsiAreaError",
]


class WsiAreaError(Exception):
    """Anything this package refuses; catch it to catch them all."""


class SettingsError(WsiAreaError, ValueError):
    """A settings key, a value or an option is wrong; nothing was started."""


class MissingExtraError(SettingsError, ImportError):
    """What was asked for needs packages that come with an extra only."""

    @classmethod
    def of(cls, what: str, extra: str, error: ImportError, instead: str = "") -> "MissingExtraError":
        """Return the error of something that could not be imported, in the words of every extra.

        >>> str(MissingExtraError.of("a PDF", "pdf", ImportError("No module named 'weasyprint'")))
        "a PDF needs what is not installed (No module named 'weasyprint'); install it with: pip install 'wsi-area[pdf]'"
        """
        remedy = f"install it with: pip install 'wsi-area[{extra}]'{instead}"
        return cls(f"{what} needs what is not installed ({error}); {remedy}")


class SlideError(WsiAreaError):
    """Something about one slide; the batch goes on."""


class SlideOpenError(SlideError, OSError):
    """The file is not a slide, or its header cannot be read."""


class LaneError(SlideError, RuntimeError):
    """The reading lane that was asked for cannot be proven for this slide."""


class LaneDiffersError(LaneError):
    """What is about to be read by a lane is not what OpenSlide shows; the slide is then read through OpenSlide."""


class MissingMppError(SlideError, LookupError):
    """Nothing in the file says how large a pixel is."""


class ImplausibleMppError(SlideError, ValueError):
    """The pixel size on record cannot be true, or two records disagree."""


class AnnotationError(WsiAreaError, ValueError):
    """A file of outlines or a mask cannot be read, or does not fit the slide it is meant for."""


class PlanError(WsiAreaError, ValueError):
    """The slide cannot be cut as asked."""


class MemoryBudgetError(PlanError):
    """One task would need more memory than it may have."""


class TileError(WsiAreaError):
    """Something about one tile; the slide goes on and counts it as unreadable."""


class TileReadError(TileError, OSError):
    """A tile cannot be decoded."""


class SegmentationError(TileError, RuntimeError):
    """A segmenter raised, or returned something that is not a class map."""


class NewerDocumentError(WsiAreaError):
    """A document on disk was written by a later version; no `ResultError`, since it is neither missing nor damaged."""


class ResultError(WsiAreaError):
    """Something about a result on disk or about to be written."""


class StaleResultError(ResultError):
    """The result on disk was made from another slide, setting or version."""


class IncompleteResultError(ResultError):
    """Tiles are missing, so there is no total to give."""


class CountMismatchError(ResultError):
    """The pixels of a slide do not add up; the result is refused."""
