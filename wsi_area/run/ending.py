"""run: what is said at the end of a run: what ran, what did not, why, and what to do about it."""

from collections.abc import Sequence
from typing import Any

from wsi_area.model.slide_result import EndedSlide
from wsi_area.run.run_document import EXIT_CALIBRATION, EXIT_FAILED, EXIT_INTERRUPTED, RunOutcome, status_counts

WHAT_TO_DO = {
    EXIT_FAILED: "see the reason of each slide that is not complete and do what it says; then run again",
    EXIT_CALIBRATION: "give the pixel size of the slides that lack one (--mpp or --manifest) and run again",
    EXIT_INTERRUPTED: "run the same command again: it goes on where it stopped",
}
REMEDIES = {
    "failed": "do what each reason says; where it names no other command, then run the same one again",
    "incomplete": "see the reason; where tiles cannot be read look at the file, then run the same command again",
    "needs_calibration": "give the pixel size of each: --mpp for it alone, or a row of --manifest; then run again",
}
NOT_REACHED = "mend the slide that failed or leave run.fail_fast out, then run the same command again"

NAMED = 5
"""Slides named for each status; the tables name all of them."""


def what_to_do(outcome: RunOutcome) -> str:
    """Return the remedy for a run as a whole."""
    if outcome.lost and not outcome.interrupted:
        return f"{outcome.lost}; run the same command again: it goes on where it stopped"
    return WHAT_TO_DO.get(outcome.exit_code, "nothing: every slide is complete, or estimated as was asked")


def not_complete(outcome: RunOutcome) -> list[dict[str, Any]]:
    """Return each slide that ended otherwise than complete: why, and what to do."""
    return [
        {"slide": s.slide_id, "status": s.status, "reason": s.reason, "remedy": REMEDIES[s.status]}
        for s in outcome.slides
        if not s.is_final
    ] + [
        {"slide": s.slide_id, "status": s.status, "reason": s.reason, "remedy": _remedy_of_rest(outcome)}
        for s in outcome.not_reached
    ]


def ending_lines(outcome: RunOutcome) -> list[str]:
    """Return a summary for people: how many slides ended how, and for each kind that is not complete what to do.

    >>> ends = (("a", "complete", ""), ("b", "needs_calibration", "no pixel size"))
    >>> slides = [EndedSlide(slide_id=name, status=status, reason=why, path="") for name, status, why in ends]
    >>> for line in ending_lines(RunOutcome(tuple(slides), False, 2)):
    ...     print(line)
    1 of 2 slides is complete; 1 needs_calibration
    needs_calibration (b): give the pixel size of each: --mpp for it alone, or a row of --manifest; then run again
    """
    counts = status_counts(outcome.slides)
    complete, estimated = counts.pop("complete", 0), counts.pop("estimated", 0)
    unreached = outcome.planned - len(outcome.slides)
    rest = [f"{number} {status}" for status, number in counts.items()] + (
        [f"{unreached} not reached"] * bool(unreached)
    )
    verb = "is" if complete == 1 else "are"
    done = f"{complete} of {outcome.planned} slides {verb} complete" + f", {estimated} estimated as asked" * bool(
        estimated
    )
    lines = ["; ".join([done, ", ".join(rest)][: 1 + bool(rest)])]
    for status in counts:
        ended = [slide for slide in outcome.slides if slide.status == status]
        lines.append(f"{status} ({_named(ended)}): {REMEDIES[status]}")
    lines += [left.line for left in outcome.left_out]
    if outcome.not_reached:
        lines.append(f"not reached ({_named(outcome.not_reached)}): {_remedy_of_rest(outcome)}")
    return lines


def _remedy_of_rest(outcome: RunOutcome) -> str:
    """Return the remedy for the slides that a run did not come to."""
    if outcome.interrupted:
        return WHAT_TO_DO[EXIT_INTERRUPTED]
    return f"{outcome.lost}; run the same command again" if outcome.lost else NOT_REACHED


def _named(slides: Sequence[EndedSlide]) -> str:
    names = [slide.slide_id for slide in slides]
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
