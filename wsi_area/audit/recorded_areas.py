"""audit: the numbers of one slide of a finished run that its areas were made from, read back and checked."""

from pathlib import Path

from wsi_area.errors import ResultError, SettingsError
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.amended import latest_amended
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout
from wsi_area.results.run_folder import Standing, Wish, decide, read_folder
from wsi_area.results.sound_areas import require_sound
from wsi_area.results.uncertainty.reference_scores import reference_scores, with_reference
from wsi_area.storage.place import Place

_WITHOUT_TABLES = {Standing.ABSENT, Standing.EMPTY, Standing.UNMERGED}  # that could say another thing than a document


def recorded_slide(run: Place, slide_id: str | None = None, *, amended: bool = False) -> CountedSlide:
    """Return the result of one slide of a run, every area computed again from its count and found the same.

    What readers of reference points say of it is with it, and in its budgets; of an amended version, the newest, they
    said nothing.

    Raises
    ------
    ResultError
        There is no such run or slide, the slide has no areas or no amended version, or its result lacks a field.
    CountMismatchError
        An area on record is not its count times the pixel size on record.
    SettingsError
        The run has several slides and none was named.
    """
    layout = RunLayout(run)
    name = slide_id if slide_id is not None else _only_slide(layout)
    if Path(name).name != name:
        raise SettingsError(f"{name!r} is not the id of a slide; see {layout.slides}")
    _refuse_earlier(layout, name)
    if amended:
        return _newest_version(layout, name)
    return with_reference([slide_on_record(layout, name)], reference_scores(layout))[0]


def _newest_version(layout: RunLayout, name: str) -> CountedSlide:
    version = latest_amended(layout.slide(name))
    if version is None:
        raise ResultError(
            f"{layout.root}: slide {name} has no amended version; leave --amended out, or lay corrections over it with "
            "wsi-area amend"
        )
    require_sound(version.result, version.layout.result_json)
    return version.result


def _refuse_earlier(layout: RunLayout, name: str) -> None:
    """Refuse what lies in the folder of a slide that failed in this run, or left it: it is of an earlier one."""
    slide = layout.slide(name)
    folder = read_folder(layout)
    if folder.standing in _WITHOUT_TABLES or not slide.result_json.exists():
        return
    decide(folder, Wish.READ)
    run = folder.earlier
    if run is None:
        return
    ended = run.ended_slides.get(name)
    if ended is not None and ended.status == "failed" and isinstance(read_result(slide), CountedSlide):
        raise ResultError(
            f"{layout.root}: slide {name} failed in this run ({ended.reason or 'no reason on record'}); the "
            f"result in {slide.root} is of an earlier one. Mend that and run the same command again, or read that file"
        )
    if name not in run.slides_planned:
        raise ResultError(
            f"{layout.root}: slide {name} is not in this run any more; the result in {slide.root} is of an earlier "
            "one. Measure it into this folder again, or read that file"
        )


def slide_on_record(layout: RunLayout, name: str) -> CountedSlide:
    """Return the result in the document of one slide, whatever run it is of; for the rest as `recorded_slide`."""
    slide = layout.slide(name)
    if not slide.result_json.is_file():
        raise ResultError(f"{slide.result_json}: there is no result of slide {name}; {_slides_text(layout)}")
    result = read_result(slide)
    if not isinstance(result, CountedSlide):
        why = result.reason or "no reason on record"
        raise ResultError(f"{slide.result_json}: the slide ended as {result.status} and has no areas: {why}")
    require_sound(result, slide.result_json)
    return result


def _only_slide(layout: RunLayout) -> str:
    found = _slide_ids(layout)
    if len(found) != 1:
        raise SettingsError(f"name one slide of the run: {_slides_text(layout)}")
    return found[0]


def _slide_ids(layout: RunLayout) -> list[str]:
    if not layout.slides.is_dir():
        raise ResultError(f"{layout.root}: this is no run folder (it has no {layout.slides.name}/); name one")
    return sorted(path.parent.name for path in layout.slides.glob(f"*/{layout.slide('x').result_json.name}"))


def _slides_text(layout: RunLayout) -> str:
    found = _slide_ids(layout)
    listed = ", ".join(found[:20]) + (f" and {len(found) - 20} more" if len(found) > 20 else "")
    return f"{layout.root} has {listed}" if found else f"{layout.root} has no results yet"
