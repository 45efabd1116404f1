"""cli: the command `wsi-area`; each subcommand is loaded only when it is called."""

import atexit
import gc
import io
import logging
import os
import sys
from importlib import import_module

import click

from wsi_area.cli.options.refusal import EXIT_INTERRUPTED, INTERRUPTED, end_now_if_at_work, refuse, tell_document
from wsi_area.cli.output.wrapping import WrappedLines, say
from wsi_area.errors import CountMismatchError, ResultError, SettingsError, WsiAreaError
from wsi_area.storage.processes import share_one_arena
from wsi_area.version import __version__

_COMMANDS = {
    "check": "What is known of each slide before a pixel is decoded: size, pixel size, findings.",
    "plan": "What a run would do: tiles, pixels to decode, memory, disk. Measures nothing.",
    "run": "Measure slides into a folder: mm² per class, with counts that add up.",
    "merge": "Make one run of the shards that a job array measured.",
    "submit": "Measure slides on a SLURM cluster: a job array, and a job that merges it.",
    "train": "Train a pixel classifier from annotated slides or image/mask pairs, and measure how good it is.",
    "evaluate": "Hold a run or a trained model against the truth: confusion matrix, Dice, IoU, area ratio.",
    "reference": "Draw points for a reader to answer, and make areas with an interval of the answers.",
    "amend": "Lay a person's corrections over a measured slide, and count it anew beside the measurement.",
    "review": "Accept, reject, comment and sign what was measured; who has to look at what.",
    "report": "Write a run's report: one HTML file to read, mail and sign; --pdf for paper.",
    "export": "Write outlines for QuPath (GeoJSON) or labels for napari (OME-Zarr) into a run.",
    "verify": "Count a run's class maps again and hold all of it against itself.",
    "diff": "Compare two runs slide by slide, and say which settings differ.",
    "change": "What the same subjects gained or lost in mm² between two dates, and how sure that is.",
    "repeat": "How far measurements of the same subjects lie apart: rescans, scanners, readers, days.",
    "config": "The settings that hold and where each comes from; their schema, their reference page.",
    "doctor": "Whether this installation can measure: versions, readers, codecs, memory, disk.",
    "explain": "The arithmetic of one number, from its inputs.",
    "completion": "What bash, zsh or fish need to complete commands, options and file names.",
    "demo": "Build a slide whose tissue area is known, measure it, and compare.",
}

_CHAPTER = {"amend": "decisions", "review": "decisions"}
"""Commands that lie in a chapter of their folder."""

COLLECT_AFTER_OBJECTS = 200_000
"""How many new Python objects start a search for cycles. The default of 700 has a command searched hundreds of times
while it loads its libraries, whose objects all stay: 0.1 to 0.2 s. Counted from where the command is loaded."""

_FRUGAL = {
    "OPENBLAS_NUM_THREADS": "1",  # every core has a worker of ours; BLAS's own threads spin beside them
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # its own takes 6 MB more for tables of a few rows
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # it looks for them in every installed package: 15 ms or more
}
"""Told to libraries before they are loaded, unless the user has told them otherwise."""

EXIT_USAGE, EXIT_FAILED, EXIT_VERIFICATION = 1, 2, 4


class _LazyGroup(click.Group):
    """A group that knows its commands' names, and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = f"wsi_area.cli.commands.{_CHAPTER[cmd_name] + '.' if cmd_name in _CHAPTER else ''}{cmd_name}"
        is_new = module not in sys.modules
        command: click.Command = import_module(module).command
        if is_new:
            gc.freeze()  # what was loaded stays: no search for cycles goes over it
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all good; 1 usage or settings; 2 some slides failed or are incomplete; 3 some need a pixel "
    "size, or a review waits for somebody; 4 verification failed, two runs differ, or the demo missed its truth; 130 "
    "interrupted (run the same command again to go on).",
)
@click.version_option(__version__, prog_name="wsi-area")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens to each slide, on stderr.")
def cli(verbose: bool) -> None:
    """Tumour burden in mm² from whole-slide images.

    \b
    wsi-area check slides/*.svs
    wsi-area run slides/*.svs --config he_tissue --out out/
    wsi-area report out/ --pdf
    wsi-area explain --px 15000 --mpp 0.5 --power 20
    eval "$(wsi-area completion bash)"

    Each command has examples of its own: wsi-area COMMAND --help. Results go to standard output (--json: one
    document, of an error too), progress and messages to standard error; NO_COLOR=1 takes the colours away.
    """  # noqa: D301 (click reads the backspace)
    on_stderr = WrappedLines()
    on_stderr.setLevel(logging.INFO if verbose else logging.WARNING)
    on_stderr.addFilter(_is_for_people)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", handlers=[on_stderr])


def _is_for_people(record: logging.LogRecord) -> bool:
    """Return True if a line of the log is shown: ours, and others' errors unless ours tells the same with a remedy."""
    return record.name.startswith("wsi_area") or (record.levelno >= logging.ERROR and record.name != "tifffile")


def main() -> None:
    """Run the command line; every refusal is one clear line on stderr, --json: one document too, and its exit code."""
    for name, value in _FRUGAL.items():
        os.environ.setdefault(name, value)
    share_one_arena()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)  # or Python searches all the libraries for cycles before it ends, which takes 0.3 s
    try:
        code = cli.main(prog_name="wsi-area", standalone_mode=False)
    except click.ClickException as error:
        told = io.StringIO()
        error.show(told)
        say(told.getvalue(), err=True, nl=False)
        tell_document(error.format_message(), EXIT_USAGE)
        code = EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        try:
            refuse(INTERRUPTED, EXIT_INTERRUPTED)
        finally:
            end_now_if_at_work(EXIT_INTERRUPTED)
    except WsiAreaError as error:
        refuse(str(error), _code_of(error))
    sys.exit(code if isinstance(code, int) else 0)


def _code_of(error: WsiAreaError) -> int:
    """Return the exit code of an error that ended a command before it could do anything."""
    if isinstance(error, CountMismatchError):
        return EXIT_VERIFICATION
    return EXIT_USAGE if isinstance(error, SettingsError | ResultError) else EXIT_FAILED
