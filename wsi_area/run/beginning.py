"""run: the first steps of whoever writes a folder: run.json says that a run is at work, and nothing that is not so.

Tables and run.json are written at a run's end, or by an array's merge, hours away. Until then they would call slides
complete that are being measured afresh. run.json stops saying so first, then the tables go, then what the tasks of a
job array said and the slides' own documents, and only then is a tile touched: a kill in between leaves less said than
there is, never more. Nothing is lost but words: whatever a ledger holds is made a document again by a run without
force.
"""

from collections.abc import Collection, Iterable, Sequence

from wsi_area.inputs.collect import SlideInput, told_cases
from wsi_area.inputs.slide_settings import told_settings
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.class_map.cleaned_store import MADE_FROM_TILES
from wsi_area.results.documents import write_run
from wsi_area.results.layout import LABELS_NAME, RunLayout
from wsi_area.results.leftovers import discard_tables
from wsi_area.results.run_folder import Act, RunFolder
from wsi_area.storage.place import remove_tree

SAID_AT_THE_END = ("ended", "exit_code", "statuses", "not_reached", "slides_not_reached", "seal", "workers", "timing")
"""What `run_document.ended_run` adds besides the state and the slides: nothing of it is true of a run that goes on."""


def begun_header(
    folder: RunFolder, header: RunRecord, others: Iterable[EndedSlide], slides: Sequence[SlideInput]
) -> RunRecord:
    """Return run.json for slides that join others: what is known of all of them before any is measured.

    Parameters
    ----------
    folder
        What lies there.
    header
        What is known of this run, as `run_document.run_header` has it.
    others
        The slides of the earlier run that stay in the tables.
    slides
        Those asked for.
    """
    names = [other.slide_id for other in others]
    before = {} if folder.earlier is None else folder.earlier.slide_settings
    known = {} if folder.earlier is None else folder.earlier.known_cases
    planned = [*names, *(slide.slide_id for slide in slides)]
    # who is on a slide stays known where a later command has no manifest that says so
    cases = {name: known[name] for name in planned if name in known} | told_cases(slides)
    return header.model_copy(
        update={
            "slides_planned": tuple(planned),
            "cases": cases or None,
            "slide_settings": {name: before[name] for name in names if name in before} | told_settings(slides),
        }
    )


def begin_run(folder: RunFolder, act: Act, header: RunRecord, slides: Sequence[SlideInput]) -> None:
    """Write run.json of a run at work; where slides are measured afresh, what was said of them goes.

    For whoever holds the folder alone. Of the slides that stay in the tables, how they ended stays on record.
    """
    layout, mine = folder.layout, {slide.slide_id for slide in slides}
    ended = {} if folder.earlier is None else folder.earlier.ended_slides
    stay = {name: ended[name] for name in header.slides_planned if name not in mine and name in ended}
    write_run(layout, header.model_copy(update={"state": "running", "slides": stay}))
    if act is not Act.JOIN:
        discard_tables(layout)
    if act.forgets_tasks:
        discard_tasks(layout)


def take_back(folder: RunFolder, slide_ids: Collection[str], task_file: str) -> None:
    """Take back what is said of the slides, and the parts of slides, that one task of an array measures afresh.

    For whoever holds that task, and the settling of the plan, alone. What other tasks measured stays on record, and
    counts as merged if it was; the tables go, since they hold all of it.
    """
    layout = folder.layout
    if folder.earlier is not None:
        earlier, shards = folder.earlier, folder.earlier.shards
        stay = {name: ended for name, ended in earlier.ended_slides.items() if name not in slide_ids}
        if shards is not None:
            merged = {name: digest for name, digest in shards.merged.items() if name != task_file}
            shards = shards.model_copy(update={"merged": merged})
        now = {"state": "running", "slides": stay, "shards": shards}
        write_run(layout, earlier.model_copy(update=dict.fromkeys(SAID_AT_THE_END) | now))
    discard_tables(layout)
    discard_documents(layout, slide_ids)


def discard_tasks(layout: RunLayout) -> None:
    """Forget what a job array's tasks said, so that the folder can be begun afresh; their slides' folders stay."""
    layout.array_plan.unlink(missing_ok=True)
    for path in layout.tasks.glob("*-of-*.json"):
        path.unlink(missing_ok=True)


def discard_documents(layout: RunLayout, slide_ids: Iterable[str]) -> None:
    """Remove what slides measured afresh say and show of themselves, once nobody takes the folder for whole."""
    for slide_id in slide_ids:
        slide = layout.slide(slide_id)
        slide.result_json.unlink(missing_ok=True)
        for name in MADE_FROM_TILES:
            (slide.root / name).unlink(missing_ok=True)
        remove_tree(slide.root / LABELS_NAME)
