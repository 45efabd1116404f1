"""cli: `wsi-area review`."""

import sys
from typing import get_args

import click

from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.amended_text import versions_without_base, without_base_lines
from wsi_area.cli.output.review_text import review_document, say_events, say_state
from wsi_area.cli.output.wrapping import say, say_beside, say_document
from wsi_area.errors import ResultError, SettingsError
from wsi_area.model.review.event import Reason, Scope
from wsi_area.results.opened_run import open_run
from wsi_area.review.decide import Decision, RunReview, named_reviewer
from wsi_area.review.folder import review_left_out
from wsi_area.review.tables import old_table, write_review
from wsi_area.review.verdicts import review_state
from wsi_area.storage.place import Place

EXIT_TABLE, EXIT_OPEN, EXIT_CHAINS = 2, 3, 4
_REASONS = ", ".join(get_args(Reason))


@click.command("review")
@click.argument("run", type=RunPlace())
@click.argument("about", nargs=-1)
@click.option("--status", is_flag=True, help="Say who has to look at what; also what is said without an option.")
@click.option("--accept", is_flag=True, help="Accept the slides named; with --remark: with a remark.")
@click.option("--reject", is_flag=True, help="Reject them, for a --reason.")
@click.option("--needs-remeasuring", is_flag=True, help="Say that they have to be measured again.")
@click.option("--second-opinion", is_flag=True, help="Ask another reviewer to decide on them.")
@click.option("--comment", is_flag=True, help="Say something of one slide: its id, then the text.")
@click.option(
    "--sign", type=click.Choice(get_args(Scope)), help="Sign the verdicts on slides, of subjects, of the run."
)
@click.option("--reason", type=click.Choice(get_args(Reason)), metavar="CODE", help=f"Of a rejection: {_REASONS}.")
@click.option("--remark", metavar="TEXT", help="In words.")
@click.option("--at", metavar="X,Y", help="Place of a comment, in level-0 px from the upper left corner.")
@click.option("--by", metavar="NAME", help="Who decides. The name is kept as typed; nobody checks it.")
@click.option("--role", default="", metavar="ROLE", help="Of that person, as typed.")
@click.option("--events", type=RunPlace(), help="Folder for the events, where the run is read-only.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    run: Place, about: tuple[str, ...], status: bool, accept: bool, reject: bool, needs_remeasuring: bool,
    second_opinion: bool, comment: bool, sign: Scope | None, reason: Reason | None, remark: str | None, at: str | None,
    by: str | None, role: str, events: Place | None, as_json: bool,
) -> None:  # fmt: skip
    """Decide on the slides of RUN, or see how they stand: what is decided is written at once and never changed.

    \b
    wsi-area review out/ --status
    wsi-area review out/ --accept S1 S2 --by "Ada Miller" --role pathologist
    wsi-area review out/ --reject S3 --reason wrong_outline --remark "fat as tumour" --by "Ada Miller"
    wsi-area review out/ --comment S3 --at 10240,8800 "look here" --by "Ada Miller"
    wsi-area review out/ --sign run --by "Ada Miller" --role pathologist

    Each session has a file of its own in RUN/review/events, so people on several machines need no lock. A verdict
    holds for the numbers that it was given on: with another number it is outdated.

    Exit codes: 0 decided, or nothing waits; 1 a decision that cannot be made; 2 decided, but the table of it cannot be
    written; 3 --status: slides wait for somebody (unreviewed, outdated, second opinion, reviewers differ); 4 the events
    are not those that were written.
    """  # noqa: D301 (click reads the backspace)
    wanted = [name for name, is_wanted in (
        ("accept", accept), ("reject", reject), ("needs_remeasuring", needs_remeasuring),
        ("second_opinion", second_opinion), ("comment", comment), ("sign", sign is not None),
    ) if is_wanted]  # fmt: skip
    if len(wanted) > 1 or (wanted and status):
        raise SettingsError("one thing at a time: give one of --status, --accept, --reject and the like")
    opened = open_run(run)
    if (left_out := review_left_out(opened.layout, events)) is not None:
        say_beside(left_out)
    if not wanted:
        if status and (about or by or remark or reason or at):
            raise SettingsError("--status is of the whole run: give it alone, or with --events and --json")
        if about or by or remark or reason or at:
            raise SettingsError("what is decided? give one of --accept, --reject, --comment, --sign and the like")
        state = review_state(opened, events)
        code = EXIT_CHAINS if state.faults else EXIT_OPEN if state.open_slides else 0
        gone, old = versions_without_base(opened), old_table(opened, state, events)
        if as_json:
            document = {**review_document(state), "amended_base_gone": gone, "old_table": old}
            say_document({"exit_code": code, **document})
        else:
            say_state(state)
            if old is not None:
                say_beside(old)
            for line in without_base_lines(gone):
                say(line)
        sys.exit(code)
    if not (by or "").strip():
        raise SettingsError("--by: who decides? give the name of the person")
    reviewer = named_reviewer(by or "", role)
    decisions = _decisions(wanted[0], about, sign, reason, remark, at)
    review = RunReview(opened, reviewer, events)
    written = [event for decision in decisions for event in review.record(decision)]
    try:
        state = write_review(opened, events)
        code = EXIT_CHAINS if state.faults else 0
    except ResultError as error:  # what was decided stands; only what is made of it is not there
        say_beside(f"what was decided is written, and the table of it is not: {error}")
        state, code = review_state(opened, events), EXIT_TABLE
    if as_json:
        told = [event.model_dump(mode="json") for event in written]
        say_document({"exit_code": code, "events": told, **review_document(state)})
    else:
        say_events(written, state)
    sys.exit(code)


def _decisions(
    what: str, about: tuple[str, ...], sign: Scope | None, reason: Reason | None, remark: str | None, at: str | None
) -> list[Decision]:
    """Return the decisions that a command line asks for."""
    if sign is not None:
        if sign == "subject":
            if not about:
                raise SettingsError("--sign subject: whose slides? name the subject as the manifest does")
            return [Decision("sign", scope="subject", subject=name, remark=remark) for name in about]
        if sign == "run" and about:
            raise SettingsError("--sign run is for all of its slides: name none, or give --sign slide")
        return [Decision("sign", about, scope=sign, remark=remark)]
    if what == "comment":
        if len(about) != 2:
            raise SettingsError("--comment: give the id of one slide, then the text, in quotation marks")
        return [Decision("comment", about[:1], remark=about[1], at_l0_px=_place(at))]
    if at is not None:
        raise SettingsError("--at is the place of a --comment")
    if what == "accept" and remark:
        return [Decision("accept_with_remark", about, remark=remark)]
    return [Decision(what, about, reason=reason, remark=remark)]  # type: ignore[arg-type]  # names of the options


def _place(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(f"--at {text!r}: give x,y in level-0 px, as 10240,8800") from None
    return x, y
