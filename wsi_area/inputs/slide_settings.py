"""inputs: the settings of one slide: those of the run, and over them what a manifest gives to this slide alone."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.json_tree import flat
from wsi_area.segmenters.registry import make_segmenter
from wsi_area.settings.mistakes import in_words
from wsi_area.settings.own_settings import OWN_SECTIONS, OwnSettings
from wsi_area.settings.run_settings import RunSettings
from wsi_area.settings.segmenter_settings import NO_TISSUE
from wsi_area.settings.settings_tree import overlaid

FOR_THE_RUN = ("name", "classes", "model")
"""Keys of [segmenter] that decide which classes there are: one set a run, so that its tables have one meaning."""


def settings_of(settings: RunSettings, slide: SlideInput, sections: Sequence[str] = OWN_SECTIONS) -> RunSettings:
    """Return the settings that a slide is measured with.

    Parameters
    ----------
    settings : RunSettings
        Of the run.
    slide : SlideInput
    sections : sequence of str
        What is wanted of the slide's own; the rest is left aside, unseen.

    Raises
    ------
    SettingsError
        Naming row and column of the manifest.
    """
    own = slide.own
    if own is None:
        return settings
    tree = {name: section for name, section in settings.canonical().items() if name in OWN_SECTIONS}
    try:
        found = RunSettings.model_validate(
            overlaid(tree, {name: own.tree[name] for name in sections if name in own.tree})
        )
    except ValidationError as error:
        (first, *_) = error.errors()
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{_place(own, key)}: {in_words(error, RunSettings)}") from error
    _refuse_other_classes(settings, found, own)
    for section, wanted in (("segmenter", found.segmenter), ("tissue", found.tissue)):
        try:
            if wanted.name != NO_TISSUE:
                make_segmenter(wanted.name, wanted.own)
        except SettingsError as error:
            raise SettingsError(f"{_place(own, section)}: {error}") from error
    return settings.model_copy(update={section: getattr(found, section) for section in OWN_SECTIONS})


def _refuse_other_classes(settings: RunSettings, found: RunSettings, own: OwnSettings) -> None:
    for key in FOR_THE_RUN:
        if found.segmenter.own.get(key) != settings.segmenter.own.get(key) or (
            key == "name" and found.segmenter.name != settings.segmenter.name
        ):
            raise SettingsError(
                f"{_place(own, f'segmenter.{key}')}: segmenter.{key} decides which classes there are, and a run has "
                "one set of them; give it in --config for all slides, or measure these slides in a run of their own"
            )


def refuse_wrong_settings(settings: RunSettings, slides: Sequence[SlideInput]) -> None:
    """Refuse a manifest's settings that some slide cannot have, before any slide is opened.

    Raises
    ------
    SettingsError
        Naming row and column of the manifest, or the map of an array that cannot be used.
    """
    for slide in slides:
        found = settings_of(settings, slide)
        if found.tma.core_mm is not None:
            from wsi_area.inputs.tma_map import wanted_cores  # geometry is loaded only where there is an array

            wanted_cores(found.tma, slide.slide_id)


def told_settings(slides: Sequence[SlideInput]) -> dict[str, Any]:
    """Return the settings that slides have of their own, by their ids, as run.json has it."""
    return {slide.slide_id: slide.own.document() for slide in slides if slide.own is not None}


def _place(own: OwnSettings, key: str) -> str:
    """Return the line of the manifest, and the column or columns that say what a key below or above this one is."""
    about = [said for name, said in own.columns.items() if f"{name}.".startswith(f"{key}.") or key.startswith(name)]
    columns = dict.fromkeys(about or own.columns.values())
    return f"{own.where}, {', '.join(columns)}"


def changed_keys(own: OwnSettings) -> str:
    """Return a slide's own settings as one line, such as ``segmenter.threshold=40``."""
    return ", ".join(f"{key}={value}" for key, value in flat(own.tree))
