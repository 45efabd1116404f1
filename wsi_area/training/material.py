"""training: what is learnt from: slides or images with their truth, and the one grid each is worked on."""

import csv
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from wsi_area.annotations import read_drawn
from wsi_area.compute.calibration.calibrate import calibrate
from wsi_area.compute.calibration.level_ratios import usable_levels
from wsi_area.compute.calibration.policy import CalibrationPolicy
from wsi_area.compute.cut.planning import WORK_MPP_TOLERANCE, Tiling, plan_slide
from wsi_area.compute.cut.roi import limit_to_roi
from wsi_area.errors import AnnotationError, MissingMppError, PlanError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.drawings import drawn_on
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.drawn import Drawn, RegionOfInterest
from wsi_area.model.picture import ANY_PICTURE, PictureChoice
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide import SlideInfo
from wsi_area.segmenters.pixels.balance import ColourBalance
from wsi_area.slides import choose_lane, inspect

TILE_PX = 512
PLAIN_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
MASK_ENDINGS = ("_anno", "_mask", "-anno", "-mask", "_label", "_labels", "")


DEFAULT_POLICY = CalibrationPolicy()


@frozen_value
class Source:
    """One slide or image with its truth, not yet opened."""

    slide: SlideInput
    group: str  # what is held out together: the slide itself, or its patient
    mask: Path | None = None  # a picture of codes on the image's own pixels; None: slide.annotations has the truth
    policy: CalibrationPolicy = DEFAULT_POLICY  # what a believable pixel size is
    choice: PictureChoice = ANY_PICTURE  # which picture of its file is meant


@frozen_value
class TrainingImage:
    """One slide or image, ready to be read block by block on its work grid."""

    info: SlideInfo
    mpp: Mpp  # of level 0
    mpp_source: str
    lane: str
    levels: tuple[int, ...]  # usable ones
    plan: SlidePlan
    drawn: Drawn
    within: RegionOfInterest | None  # nothing outside may be used in any way
    group: str
    balance: ColourBalance | None = None  # of its stain, where the features ask for one
    appearance: Mapping[str, float] | None = None  # of its tissue; None where it shows next to none

    @property
    def work_mpp_um(self) -> float:
        """Return the edge of a work pixel, the mean of both axes, µm; what features of a scale in µm are made for."""
        um = self.plan.work_mpp
        if um is None:
            raise MissingMppError(f"{self.info.slide_id} has no pixel size; give one with --mpp")
        return (um.x + um.y) / 2

    def files(self) -> dict[str, str]:
        """Return the sha256 of each file by its name: pixels, truth, and what they were limited to."""
        hashes = {
            Path(self.info.path).name: _sha256(Path(self.info.path)),
            Path(self.drawn.path).name: self.drawn.sha256,
        }
        return hashes if self.within is None else {**hashes, Path(self.within.path).name: self.within.sha256}


def within_bounds_l0_px(within: RegionOfInterest) -> tuple[float, float, float, float]:
    """Return the left, top, right and bottom end of a region of interest, level-0 px."""
    if within.wkb_l0_px is not None:
        left, top, right, bottom = shapely.bounds(shapely.from_wkb(within.wkb_l0_px)).tolist()
        return left, top, right, bottom
    if within.mask is None:
        raise ValueError("a region of interest has either an outline or a mask")
    rows, columns = np.zeros(within.mask.height_px, np.bool_), np.zeros(within.mask.width_px, np.bool_)
    for top, bottom, left, right, codes in within.mask.pieces():
        inside = np.broadcast_to(np.asarray(codes) != 0, (bottom - top, right - left))
        rows[top:bottom] |= inside.any(axis=1)
        columns[left:right] |= inside.any(axis=0)
    if not rows.any():
        return 0.0, 0.0, 0.0, 0.0
    x, y = within.mask.scale_x, within.mask.scale_y
    (y0, y1), (x0, x1) = np.flatnonzero(rows)[[0, -1]].tolist(), np.flatnonzero(columns)[[0, -1]].tolist()
    return x0 * x, y0 * y, (x1 + 1) * x, (y1 + 1) * y


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def slide_sources(slides: Sequence[SlideInput], groups: Mapping[str, str]) -> list[Source]:
    """Return the sources of annotated slides; a slide is its own group unless ``groups`` names another."""
    return [Source(slide, _group(slide.slide_id, groups)) for slide in slides]


def pair_sources(images: Path, masks: Path, mpp: Mpp, groups: Mapping[str, str]) -> list[Source]:
    """Return the images of a folder that have a mask, by name; what has none is refused.

    The mask of ``NAME.png`` is ``NAME_anno.png``, ``NAME_mask.png`` (``_label``, ``_labels``; also with a dash) or, in
    another folder, ``NAME.png``; other suffixes of pictures will do too.

    Raises
    ------
    SettingsError
        If a folder is missing, or an image has no mask or several.
    """
    for folder, option in ((images, "--images"), (masks, "--masks")):
        if not folder.is_dir():
            raise SettingsError(f"{option} {folder} is not a folder; correct the path")
    same = images.resolve() == masks.resolve()
    pictures = {p.name: p for p in sorted(images.iterdir()) if p.suffix.lower() in PLAIN_SUFFIXES and p.name[0] != "."}
    endings = [e for e in MASK_ENDINGS if e or not same]
    if same:
        stems = {p.stem for p in pictures.values()}
        pictures = {n: p for n, p in pictures.items() if not _is_mask_of_another(p.stem, stems)}
    if not pictures:
        raise SettingsError(f"--images {images} holds no images ({' '.join(PLAIN_SUFFIXES)})")
    return [
        Source(
            SlideInput(
                str(p.resolve()), p.stem, MppCandidate(mpp, "--mpp", "override", "given", "given to wsi-area train")
            ),
            _group(p.stem, groups),
            _mask_of(p, masks, endings),
        )
        for p in pictures.values()
    ]


def _is_mask_of_another(stem: str, stems: set[str]) -> bool:
    return any(ending and stem.endswith(ending) and stem.removesuffix(ending) in stems for ending in MASK_ENDINGS)


def _mask_of(image: Path, masks: Path, endings: Sequence[str]) -> Path:
    candidates = (masks / f"{image.stem}{ending}{suffix}" for ending in endings for suffix in PLAIN_SUFFIXES)
    found = [path for path in candidates if path.is_file()]
    if len(found) != 1:
        had = "no mask" if not found else f"{len(found)} masks ({', '.join(p.name for p in found)})"
        raise SettingsError(
            f"{image.name} has {had} in {masks}; name one {image.stem}_mask.png, or take the image away"
        )
    return found[0]


def _group(name: str, groups: Mapping[str, str]) -> str:
    if groups and name not in groups:
        raise SettingsError(f"--groups has no line for {name!r}; add one, or leave --groups out")
    return groups.get(name, name)


def read_groups(path: Path | None) -> dict[str, str]:
    """Return image (or slide) → group from a CSV with a heading; the first column names it, the second its group.

    Raises
    ------
    SettingsError
        If it cannot be read, or names an image twice.
    """
    if path is None:
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)][1:]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"--groups {path} cannot be read ({error}); give a CSV with image,group") from error
    groups: dict[str, str] = {}
    for row in rows:
        if len(row) < 2 or not row[1].strip():
            raise SettingsError(f"--groups {path}: the line {','.join(row)!r} has no group in its second column")
        name = row[0].strip()
        for key in dict.fromkeys((name, Path(name).stem)):
            if groups.setdefault(key, row[1].strip()) != row[1].strip():
                raise SettingsError(f"--groups {path} names {name!r} twice with different groups; keep one line")
    return groups


def no_halo(work_mpp_um: float) -> float:
    """Return 0: nothing round a pixel is needed to look at its size."""
    return 0.0


def prepared(source: Source, work_mpp_um: float | None, halo_um: Callable[[float], float] = no_halo) -> TrainingImage:
    """Return a source opened, calibrated and cut; ``work_mpp_um`` None works at its own level 0.

    ``halo_um`` tells, for the size of its work pixels in µm, how far round a pixel must be seen, in µm.

    Raises
    ------
    SlideOpenError
        It cannot be opened.
    MissingMppError
        It has no believable pixel size: features are in µm.
    AnnotationError
        Nothing was drawn on it.
    PlanError
        Its pixels are larger than the work pixels asked for.
    """
    slide = source.slide
    info = inspect(slide.path, slide_id=slide.slide_id, choice=source.choice)
    policy = source.policy if source.mask is None else replace(source.policy, profile="plain")
    calibration = calibrate(info, override=slide.override, policy=policy)
    if calibration.mpp is None or calibration.chosen is None:
        raise MissingMppError(
            f"{slide.slide_id} has no believable pixel size ({calibration.reason}), and features are in µm; give --mpp"
        )
    levels = tuple(usable_levels(info, policy))
    given = drawn_on(info, calibration, slide)
    drawn, within = given.classes, given.roi
    if source.mask is not None:
        drawn = read_drawn(source.mask, slide=info, scale=1.0, mpp=calibration.mpp)
    if drawn is None or (not drawn.regions and drawn.mask is None):
        raise AnnotationError(f"{slide.slide_id} has nothing drawn on it; name its file with --annotations")
    plan = plan_slide(info, calibration.mpp, levels, Tiling(work_mpp_um, TILE_PX, per_colour=False))
    if plan.work_mpp is not None:
        halo = halo_um((plan.work_mpp.x + plan.work_mpp.y) / 2)
        plan = plan_slide(info, calibration.mpp, levels, Tiling(work_mpp_um, TILE_PX, halo, per_colour=False))
    if within is not None:
        plan = limit_to_roi(plan, within)
    lane = choose_lane(info, [plan.level], "openslide", levels).lane
    image = TrainingImage(
        info, calibration.mpp, calibration.chosen.source, lane, levels, plan, drawn, within, source.group
    )
    if work_mpp_um is not None and image.work_mpp_um > work_mpp_um * (1 + WORK_MPP_TOLERANCE):
        raise PlanError(
            f"{slide.slide_id} has pixels of {image.work_mpp_um:.4g} µm, coarser than the {work_mpp_um:.4g} µm to work "
            "at; give a larger --work-mpp, or leave this one out"
        )
    return image
