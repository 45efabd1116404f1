"""inputs: which parts of a slide's drawings have a row of their own in the table of regions, and under which id."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from wsi_area.model.drawn import Drawn, DrawnRegion, NamedRegion, NamedRegions, RegionSource
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.finding import QaFinding

MOST_REGIONS = 250_000
"""Regions of a slide that have rows; of a slide with more, none has: rows are for what somebody reads."""
_OF_CLASSES = ("OUTLINES_OVERLAP", "CLASSES_OVERLAP")
_MEANT = ("annotation", "tmaCore")
_NAMED = 5


def named_regions(drawings: Mapping[RegionSource, Drawn | None]) -> NamedRegions:
    """Return the regions of a slide's drawings that have a row of their own.

    They are all of the drawing of regions; of the others, all if anything in them has an id, a name or a class. A file
    that was given twice has its rows once. Of QuPath's objects, annotations and TMA cores have rows, and the others
    where there are no such.
    """
    given: dict[str, tuple[RegionSource, Drawn]] = {}
    for source, drawn in drawings.items():
        if drawn is not None and (source == "regions" or _says_something(drawn)):
            given.setdefault(drawn.sha256, (source, drawn))
    regions, masks, left_aside, used = list[NamedRegion](), list[DrawnMask](), 0, set[str]()
    repeated: list[str] = []
    for source, drawn in given.values():
        meant = [r for r in drawn.regions if r.of.kind in _MEANT] or list(drawn.regions)
        left_aside += len(drawn.regions) - len(meant)
        repeated += repeated_ids(meant)
        own = list(_outlines(source, meant))
        if drawn.mask is not None:
            own += _codes(source, drawn.mask, len(masks))
            masks.append(drawn.mask)
        for region in own:
            region_id = _unused(region.region_id, source, used)
            used.add(region_id)
            regions.append(replace(region, region_id=region_id))
    files = tuple(_file(source, drawn) for source, drawn in given.values())
    if len(regions) > MOST_REGIONS:
        told = f"there are {len(regions)} regions, the most that have rows is {MOST_REGIONS}; keep those that you read"
        return NamedRegions(drawn=files, left_aside=left_aside, not_assessed=told)
    return NamedRegions(tuple(regions), tuple(masks), files, left_aside, repeated_ids=tuple(dict.fromkeys(repeated)))


def _file(source: RegionSource, drawn: Drawn) -> Drawn:
    """Return a drawing without what it holds; regions may overlap, so that this is no finding of theirs."""
    told = tuple(finding for finding in drawn.findings if source != "regions" or finding.code not in _OF_CLASSES)
    return replace(drawn, regions=(), mask=None, findings=told)


def regions_findings(slide_id: str, named: NamedRegions) -> tuple[QaFinding, ...]:
    """Return the findings on regions that have no rows, and of whoever found some; none where nothing is to be said."""
    if not named.not_assessed:
        return (*_repeated(slide_id, named.repeated_ids), *named.findings)
    remedy = "export the annotations alone, without detections and cells"
    told = f"no region is counted: {named.not_assessed}"
    finding = QaFinding(slide_id, "REGIONS_NOT_ASSESSED", "warning", None, MOST_REGIONS, "regions", told, remedy)
    return (finding, *named.findings)


def _repeated(slide_id: str, ids: Sequence[str]) -> Iterator[QaFinding]:
    if ids:
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        which = f"{', '.join(ids[:_NAMED])}{more}"
        told = f"several regions have one id in their file: {which}; their rows are told apart by the place in the file"
        remedy = "give each region an id of its own in the file; a copy made by hand often keeps the first one's"
        yield QaFinding(slide_id, "REGION_IDS_REPEATED", "warning", len(ids), 0, "ids", told, remedy)


def _says_something(drawn: Drawn) -> bool:
    named = any(r.name or r.of.object_id or r.of.own_name for r in drawn.regions)
    return named or (drawn.mask is not None and any(drawn.mask.names.get(code) for code in _present(drawn.mask)))


def _present(mask: DrawnMask) -> list[int]:
    return [code for code in mask.codes_present if code]


def _outlines(source: RegionSource, regions: Sequence[DrawnRegion]) -> Iterator[NamedRegion]:
    for region, region_id in zip(regions, region_ids(regions), strict=True):
        of = region.of
        own_class = region.name if of.own_class is None else of.own_class
        yield NamedRegion(
            region_id, of.own_name, own_class or ("core" if of.kind == "tmaCore" else ""), of.parent, source,
            wkb_l0_px=region.wkb_l0_px,
        )  # fmt: skip


def _codes(source: RegionSource, mask: DrawnMask, number: int) -> Iterator[NamedRegion]:
    for code in _present(mask):
        name = mask.names.get(code, "")
        yield NamedRegion(f"code {code}", name, name, "", source, mask_code=(number, code))


def region_ids(regions: Sequence[DrawnRegion]) -> list[str]:
    """Return an id for each region of a file: its own where no other has it, else with its layer, else with its place.

    ImageScope counts the regions of each layer from 1; other files give no id at all.

    >>> from wsi_area.model.drawn import DrawnObject
    >>> told = [("7", ""), ("1", "tumour"), ("1", "stroma"), ("", "")]
    >>> region_ids([DrawnRegion(n, "", b"", 1.0, of=DrawnObject(object_id=i, parent=p)) for n, (i, p) in
    ...             enumerate(told)])
    ['7', 'tumour/1', 'stroma/1', 'outline 3']
    """
    alone = Counter(region.of.object_id for region in regions)
    layered = Counter((region.of.parent, region.of.object_id) for region in regions)
    found = []
    for region in regions:
        own, parent = region.of.object_id, region.of.parent
        if own and alone[own] == 1:
            found.append(own)
        elif own and parent and layered[parent, own] == 1:
            found.append(f"{parent}/{own}")
        else:
            found.append(f"{own} outline {region.index}".strip())
    return found


def repeated_ids(regions: Sequence[DrawnRegion]) -> list[str]:
    """Return the ids that several regions of one layer have, in their order; parts of one object have one place."""
    places: dict[tuple[str, str], set[int]] = {}
    for region in regions:
        if region.of.object_id:
            places.setdefault((region.of.parent, region.of.object_id), set()).add(region.index)
    return [own for (_, own), found in places.items() if len(found) > 1]


def _unused(region_id: str, source: str, used: set[str]) -> str:
    """Return an id that no other region has: another one has its drawing before it."""
    while region_id in used:
        region_id = f"{source}/{region_id}"
    return region_id
