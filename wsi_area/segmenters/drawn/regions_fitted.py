"""segmenters: drawn regions made ready for one slide: their unions by class, in the order they are painted."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import PurePath

import numpy as np
import shapely

from wsi_area.compute.cut.rasterise import inside_at, mask_codes_at
from wsi_area.compute.picture.outlines import less, shared_area, united
from wsi_area.errors import SegmentationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID, UNSCANNED_CODE, ClassScheme
from wsi_area.model.drawn import Drawn, DrawnRegion
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, TilePixels, TilePlace
from wsi_area.segmenters.drawn.drawn_foreground import boxes_met_by_mask, boxes_met_by_outline
from wsi_area.segmenters.drawn.sorted_regions import SortedRegions, left_out_facts

RULE = (
    "a pixel belongs to a region if its centre lies inside; a centre exactly on an edge belongs to what is to the "
    "right of it, or below; regions of one class are united, so what is drawn twice counts once; where classes "
    "overlap, the one listed later in segmenter.classes has the pixel"
)
MASK_RULE = (
    "a pixel has the class of the mask pixel that holds its centre; code 0 and codes without a name are background"
)


@frozen_value
class FittedRegions:
    """What was drawn on one slide, as classes; answers by place alone."""

    scheme: ClassScheme
    layers: tuple[tuple[int, bytes], ...]  # class id and union as wkb, level-0 px; later ones are painted over
    mask: DrawnMask | None
    class_of_code: bytes  # 256 class ids, for a mask
    facts: dict[str, object]
    context_um: float = 0.0
    work_mpp: float | None = None
    signal: None = None

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Refuse: without its place a tile of pixels says nothing about what was drawn."""
        raise SegmentationError(
            f"the regions segmenter needs to know where its {pixels.valid.shape} pixels lie; call class_map_at"
        )

    def class_map_at(self, pixels: TilePixels, place: TilePlace) -> ClassMap:
        """Return uint8 (h, w) of class ids, ``UNSCANNED_CODE`` where not valid."""
        x, y = place.x_centres_l0_px, place.y_centres_l0_px
        if self.mask is not None:
            classes = np.frombuffer(self.class_of_code, np.uint8)[mask_codes_at(self.mask, x, y)]
        else:
            classes = np.full((len(y), len(x)), BACKGROUND_ID, np.uint8)
            for class_id, wkb in self.layers:
                classes[inside_at(wkb, x, y)] = class_id
        classes[~pixels.valid] = UNSCANNED_CODE
        return classes

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        """Return bool (h, w), True where a class other than background may touch the box of an overview pixel."""
        h, w = overview.valid.shape
        shape, size = Size(w, h), overview.size_l0_px
        if self.mask is not None:
            drawn = np.frombuffer(self.class_of_code, np.uint8) != BACKGROUND_ID
            return boxes_met_by_mask(drawn, self.mask, shape, size)
        met = np.zeros((h, w), np.bool_)
        for class_id, wkb in self.layers:
            if class_id != BACKGROUND_ID:
                met |= boxes_met_by_outline(wkb, shape, size)
        return met


def fit_outlines(
    drawn: Drawn, scheme: ClassScheme, found: SortedRegions, painted: Sequence[int], *, under: bool
) -> FittedRegions:
    """Return the fitted form of outlines.

    Parameters
    ----------
    found
        The regions by class, and those left out.
    painted
        Class ids, the last one on top.
    under
        Whether what matches no class is counted to the background: under all that matches, so that it takes no pixel
        of a class. Else it is left out.
    """
    unions = {i: united(_geometries(found.by_class[i])) for i in painted if i in found.by_class}
    entries = []
    for n, (class_id, union) in enumerate(unions.items()):
        visible = union
        for above in list(unions.values())[n + 1 :]:
            visible = less(visible, above)
        own = found.by_class[class_id]
        names = sorted({region.name for region in own})
        own_facts = {
            "id": class_id,
            "class": scheme.classes[class_id].name,
            "names_in_file": names,
            "regions": len(own),
        }
        entries.append(own_facts | _areas("polygon", union) | _areas("visible", visible))
    overlaps = [
        {"classes": [scheme.classes[a].name, scheme.classes[b].name], "area_l0_px2": shared}
        for a, b in combinations(unions, 2)
        if (shared := shared_area(unions[a], unions[b])) > 0
    ]
    facts = _facts(drawn, RULE) | {"classes": entries, "overlaps": overlaps}
    if found.nameless or found.not_asked:
        facts |= {"unmatched": "background" if under else "ignore", "left_out": left_out_facts(found, unions)}
    layers = tuple((class_id, bytes(union.wkb)) for class_id, union in unions.items())
    return FittedRegions(scheme, layers, None, b"", facts)


def fit_mask(
    drawn: Drawn, scheme: ClassScheme, class_of_name: Mapping[str, int | None], *, under: bool
) -> FittedRegions:
    """Return the fitted form of a mask; a code whose name matches no class is background, and on record."""
    mask = drawn.mask
    if mask is None:
        raise ValueError("fit_mask needs a drawing with a mask")
    table = np.zeros(256, np.uint8)
    px = np.array(mask.px_by_code, np.int64)
    px_l0 = mask.scale_x * mask.scale_y
    left_out = []
    for code, name in mask.names.items():
        class_id = class_of_name.get(name)
        if class_id is not None:
            table[code] = class_id
        elif code != 0 and px[code]:
            area = float(px[code]) * px_l0
            left_out.append({"name": name, "object_type": "code", "regions": 1, "area_l0_px2": area})
    entries = [
        {
            "id": tissue_class.class_id,
            "class": tissue_class.name,
            "names_in_file": sorted(name for name, owner in class_of_name.items() if owner == tissue_class.class_id),
            "mask_px": (mask_px := int(px[table == tissue_class.class_id].sum())),
            "mask_area_l0_px2": mask_px * px_l0,
        }
        for tissue_class in scheme.classes
    ]
    facts = _facts(drawn, MASK_RULE) | {"classes": entries, "mask_size_px": [mask.width_px, mask.height_px]}
    if left_out:
        facts |= {"unmatched": "background" if under else "ignore", "left_out": left_out}
    return FittedRegions(scheme, (), mask, table.tobytes(), facts)


def _geometries(regions: Sequence[DrawnRegion]) -> list[shapely.Geometry]:
    return list(shapely.from_wkb([region.wkb_l0_px for region in regions]))


def _areas(of_what: str, geometry: shapely.Geometry) -> dict[str, float]:
    """Return the exact area and boundary of a class: all of its outlines, or what later classes leave of them."""
    return {
        f"{of_what}_area_l0_px2": float(geometry.area),
        f"{of_what}_boundary_l0_px": float(geometry.length),
    }


def _facts(drawn: Drawn, rule: str) -> dict[str, object]:
    return {
        "file": PurePath(drawn.path).name,  # where it lay may differ from run to run, what it held may not
        "kind": drawn.kind,
        "sha256": drawn.sha256,
        "scale_l0_px_per_unit": drawn.scale,
        "rule": rule,
    }
