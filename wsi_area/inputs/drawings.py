"""inputs: what was drawn on one slide, found by its name and read; the classes, and the region of interest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wsi_area import annotations
from wsi_area.compute.count.area import area_mm2
from wsi_area.errors import AnnotationError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.drawn_source import DrawnSource, drawn_source, read_for_slide
from wsi_area.inputs.named_regions import named_regions
from wsi_area.inputs.slide_settings import refuse_wrong_settings, settings_of
from wsi_area.model.calibration import Calibration, Mpp
from wsi_area.model.drawn import Drawn, NamedRegions, RegionOfInterest
from wsi_area.model.finding import QaFinding
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.slide_areas import OutlineOnRecord
from wsi_area.model.record.slide_origin import DrawnOnRecord, RoiMask, RoiOutlines
from wsi_area.model.slide import UPRIGHT, SlideInfo
from wsi_area.segmenters.protocol import UsesDrawn
from wsi_area.segmenters.registry import make_segmenter
from wsi_area.settings.run_settings import RunSettings
from wsi_area.settings.segmenter_settings import NO_TISSUE, TissueSettings

_BY_MANIFEST = ", or name it in a manifest"


@frozen_value
class Drawings:
    """What was drawn on a slide, by what it is for."""

    classes: Drawn | None  # None where none was given, like the next
    roi: RegionOfInterest | None
    regions: NamedRegions


def drawn_on(info: SlideInfo, calibration: Calibration, slide: SlideInput) -> Drawings:
    """Return the drawings on a slide: its classes, its region of interest, and the regions that have rows.

    Raises
    ------
    AnnotationError
        If the slide is shown otherwise than it is read; if there is nothing for this slide where it was said to be, or
        it cannot be read.
    """
    if (slide.annotations or slide.roi or slide.regions) and info.orientation != UPRIGHT and not info.is_turned:
        raise AnnotationError(
            f"{info.slide_id}: its orientation on record is {info.orientation}, so it is shown turned and read as it "
            "is stored, and what was drawn on it may be meant for either; export it upright, and draw on that"
        )

    def read(source: DrawnSource | None, what: str) -> Drawn | None:
        return None if source is None else read_for_slide(info, source, what, calibration.mpp, _BY_MANIFEST)

    classes, roi = read(slide.annotations, "annotations"), read(slide.roi, "a region of interest")
    named = named_regions({"regions": read(slide.regions, "regions"), "annotations": classes, "roi": roi})
    return Drawings(classes, None if roi is None else _region_of_interest(info, roi), named)


def _region_of_interest(info: SlideInfo, drawn: Drawn) -> RegionOfInterest:
    roi = annotations.region_of_interest(drawn)
    return replace(roi, findings=tuple(replace(f, slide_id=info.slide_id) for f in roi.findings))


def refuse_mismatch(settings: RunSettings, slides: Sequence[SlideInput]) -> None:
    """Refuse annotations that the segmenter would not look at, a segmenter that was given none, and wrong settings.

    Raises
    ------
    SettingsError
        Before any slide is opened.
    """
    refuse_wrong_settings(settings, slides)
    name = settings.segmenter.name
    uses_drawn = isinstance(make_segmenter(name, settings.segmenter.own), UsesDrawn)
    given = [slide for slide in slides if slide.annotations is not None]
    if given and not uses_drawn:
        raise SettingsError(
            f"--annotations was given, but segmenter {name!r} does not take classes from a drawing; set segmenter.name "
            'to "regions", or give the file as --roi to measure only within it, or as --regions-from for rows '
            "of its own for each outline"
        )
    if uses_drawn and slides and not given:
        raise SettingsError(
            f"segmenter {name!r} takes its classes from a drawing, and none was given; add --annotations FILE_OR_FOLDER"
        )
    _refuse_undrawn_tissue(settings, slides)


def _refuse_undrawn_tissue(settings: RunSettings, slides: Sequence[SlideInput]) -> None:
    """Refuse a tissue layer that is drawn nowhere, and a drawing of the tissue that its segmenter would not look at."""
    sharing = list[tuple[TissueSettings, list[SlideInput]]]()  # slides by how their tissue is asked for: few ways
    for slide in slides:
        found = settings_of(settings, slide)
        if found.calibration.profile == "plain":
            continue  # on plain images the tissue is never a layer
        same = next((group for asked, group in sharing if asked == found.tissue), None)
        if same is None:
            sharing.append((found.tissue, [slide]))
        else:
            same.append(slide)
    for tissue, group in sharing:
        takes_drawing = tissue.name != NO_TISSUE and isinstance(make_segmenter(tissue.name, tissue.own), UsesDrawn)
        if tissue.drawing is not None and not takes_drawing:
            raise SettingsError(
                f"tissue.drawing is {tissue.drawing}, but tissue.name = {tissue.name!r} takes none from a drawing; "
                'set tissue.name to "regions", or leave tissue.drawing out'
            )
        drawn_source("tissue.drawing", tissue.drawing, None, len(group))
        undrawn = [slide.slide_id for slide in group if slide.annotations is None]
        if takes_drawing and tissue.drawing is None and undrawn:
            raise SettingsError(
                f"tissue.name = {tissue.name!r} takes the tissue from a drawing, and none was given for {undrawn[0]} "
                f"({len(undrawn)} of {len(slides)} slides); set tissue.drawing to a file, or to a folder with one file "
                'a slide, or tissue.name to "tissue"'
            )


def drawn_on_record(drawn: Drawn | None) -> DrawnOnRecord | None:
    """Return the drawing that the classes were taken from, as the result has it; None where there was none."""
    if drawn is None:
        return None
    return DrawnOnRecord(
        path=drawn.path, kind=drawn.kind, sha256=drawn.sha256, scale_l0_px_per_unit=drawn.scale,
        regions=len(drawn.regions), has_mask=drawn.mask is not None,
    )  # fmt: skip


def roi_on_record(roi: RegionOfInterest | None, mpp: Mpp | None) -> RoiMask | RoiOutlines | None:
    """Return the region of interest as the result has it: outlines with their exact area; None where there was none."""
    if roi is None:
        return None
    if roi.wkb_l0_px is None:
        return RoiMask(path=roi.path, kind=roi.kind, sha256=roi.sha256, scale_l0_px_per_unit=roi.scale)
    from wsi_area.compute.cut.rasterise import area_of  # geometry is loaded only where something was drawn

    outline_px2 = area_of(roi.wkb_l0_px)
    return RoiOutlines(
        path=roi.path, kind=roi.kind, sha256=roi.sha256, scale_l0_px_per_unit=roi.scale,
        outline_area_px=outline_px2, outline_area_mm2=None if mpp is None else area_mm2(outline_px2, mpp),
    )  # fmt: skip


def left_out_findings(slide_id: str, facts: Mapping[str, Any]) -> tuple[QaFinding, ...]:
    """Return the findings on what a drawing holds and the class map does not.

    Parameters
    ----------
    facts
        What the segmenter found while fitting; where it left nothing out there is nothing to return.
    """
    entries = facts.get("left_out", ())
    if not entries:
        return ()
    where = "counted as background" if facts.get("unmatched") == "background" else "left out of the class map"
    count, area = sum(e["regions"] for e in entries), sum(e["area_l0_px2"] for e in entries)
    shown = ", ".join(
        f"{e['regions']} × {e['object_type']} {e['name']!r}" for e in entries[:8] if e["name"] is not None
    )
    message = f"{count} drawn regions of {area:.6g} level-0 px² are {where}: {shown}{' …' if len(entries) > 8 else ''}"
    remedy = "to measure them, name them in the match list of a class, and their kind in segmenter.object_types"
    found = [QaFinding(slide_id, "REGIONS_LEFT_OUT", "info", count, None, "regions", message, remedy)]
    outside = sum(e.get("outside_classes", 0) for e in entries)
    if outside:
        kinds = sorted({e["object_type"] for e in entries if e.get("outside_classes")})
        message = (
            f"{outside} regions ({', '.join(kinds)}) are named like a class, lie outside all that is measured, and are "
            "left out"
        )
        remedy = f"if they are areas that were meant, add {', '.join(kinds)} to segmenter.object_types"
        found.append(QaFinding(slide_id, "CLASS_LEFT_OUT", "warning", outside, 0, "regions", message, remedy))
    for entry in entries:
        over = entry.get("over_classes_l0_px2", 0.0)
        if over > 0:
            message = (
                f"{over:.6g} level-0 px² lie under {entry['name']!r}, which is left out, and are counted to their class"
            )
            remedy = (
                "to take them away, give it a class with is_excluded = true, listed last, or pass the file as --roi"
            )
            found.append(QaFinding(slide_id, "EXCLUSION_LEFT_OUT", "warning", over, 0, "px²", message, remedy))
    return tuple(found)


def drawn_classes(facts: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the classes of which something was drawn, outline or mask.

    Parameters
    ----------
    facts
        What the segmenter found while fitting; without a drawing there is nothing to return.
    """
    entries: Any = facts.get("classes", ())
    drawn = [entry for entry in entries if isinstance(entry, Mapping)]
    return frozenset(entry["class"] for entry in drawn if entry.get("regions") or entry.get("mask_px"))


def outlines_on_record(facts: Mapping[str, Any], plan: SlidePlan, mpp: Mpp | None) -> tuple[OutlineOnRecord, ...]:
    """Return the exact area of each class's outlines, beside which its pixel count can be held.

    Parameters
    ----------
    facts
        What the segmenter found while fitting; without outlines there is nothing to return.
    """
    drawn = [entry for entry in facts.get("classes", ()) if "visible_area_l0_px2" in entry]
    if not drawn or mpp is None:
        return ()
    from wsi_area.compute.judge.outline_area import outline_area

    level = plan.slide.levels[plan.level]
    work_px_l0 = level.downsample_x * plan.reduce_factor, level.downsample_y * plan.reduce_factor
    found = []
    for entry in drawn:
        area = outline_area(entry["visible_area_l0_px2"], entry["visible_boundary_l0_px"], mpp, work_px_l0)
        found.append(
            OutlineOnRecord(
                class_=entry["class"], outline_area_px=entry["visible_area_l0_px2"], area_mm2=area.area_mm2,
                u_count_mm2=area.u_count_mm2,
            )
        )  # fmt: skip
    return tuple(found)
