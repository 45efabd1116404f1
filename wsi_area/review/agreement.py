"""review: how far two reviewers agree over the slides that both decided on; pure."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from wsi_area.compute.judge.agreement import kappa
from wsi_area.frozen_value import frozen_value
from wsi_area.model.review.verdict import STATUS_OF, ReviewersVerdict, SlideVerdict


@frozen_value
class ReviewersAgreement:
    """Two reviewers over the slides that both decided on, on the content of now."""

    first: str
    second: str
    slides: int
    agreed: int
    kappa: float | None  # Cohen's; None where chance alone would agree


def agreements(verdicts: Iterable[SlideVerdict]) -> tuple[ReviewersAgreement, ...]:
    """Return the agreement of each two reviewers, in the order of their names; none where no slide has two.

    Accepted with and without a remark is the same, and who asks for a second opinion has decided nothing.
    """
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for verdict in verdicts:
        told = {one.reviewer: _decision(one) for one in verdict.by_reviewer if not one.is_outdated}
        named = sorted((name, what) for name, what in told.items() if what is not None)
        for (first, one), (second, other) in combinations(named, 2):
            pairs.setdefault((first, second), []).append((one, other))
    return tuple(_agreement(first, second, told) for (first, second), told in sorted(pairs.items()))


def _decision(one: ReviewersVerdict) -> str | None:
    status = STATUS_OF[one.what]
    return {"accepted_with_remark": "accepted", "second_opinion": None}.get(status, status)


def _agreement(first: str, second: str, told: list[tuple[str, str]]) -> ReviewersAgreement:
    names = sorted({name for pair in told for name in pair})
    matrix = np.zeros((len(names), len(names)), np.int64)
    for one, other in told:
        matrix[names.index(one), names.index(other)] += 1
    return ReviewersAgreement(first, second, len(told), int(np.trace(matrix)), kappa(matrix))
