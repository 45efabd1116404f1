"""review: what the end of a run asks of a review: is there one, and what does it say now.

Most runs have none, so what reads events is loaded only where somebody decided something.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from wsi_area.errors import NewerDocumentError, ResultError
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.layout import RunLayout

if TYPE_CHECKING:  # loaded where a review is begun
    from wsi_area.review.verdicts import ReviewState

_LOG = logging.getLogger(__name__)


def review_at_end(layout: RunLayout, run: RunRecord, slides: Iterable[EndedSlide]) -> "ReviewState | None":
    """Return the review of a run that ends; None where nobody decided anything.

    Whatever is wrong with a review stops no run: it is told in the log, and by ``wsi-area verify``.
    """
    if not layout.review.is_dir():
        return None
    from wsi_area.review.folder import review_folder

    folder = review_folder(layout)
    try:
        if not folder.is_begun:
            return None
        from wsi_area.review.contents import contents_of
        from wsi_area.review.verdicts import state_of

        return state_of(folder, contents_of(layout, run, slides))
    except (ResultError, NewerDocumentError) as error:
        _LOG.warning("the review of the run cannot be read: %s", error)
        return None
