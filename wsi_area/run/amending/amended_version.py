"""run: one amended version of a slide, from corrections to its sealed result; what was measured is only read."""

from collections.abc import Iterator
from dataclasses import replace

from wsi_area.compute.corrections.painting import TALLIES
from wsi_area.compute.count.area import area_mm2
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.corrections.amendment import Amendment, CorrectionOnRecord
from wsi_area.model.corrections.correction import Correction
from wsi_area.model.finding import QaFinding
from wsi_area.model.json_tree import json_digest
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.objects import Foci, SizeFilters
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.cleaned_store import tiles_layout
from wsi_area.results.class_map.layered_map import grid_of
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.content_hash import content_hash
from wsi_area.results.corrections.corrected_map import CorrectedMap, corrected_classes, corrected_tissue
from wsi_area.results.documents import read_result, write_result
from wsi_area.results.layout import SlideLayout
from wsi_area.results.seal.contents import ledger_digest
from wsi_area.results.seal.sealed_run import class_map_digest
from wsi_area.run.amending.amended_document import Amended, amended_document, amendment_findings, elsewhere_finding
from wsi_area.run.amending.amended_layer import AmendedLayer, LayerToAmend, amend_layer
from wsi_area.run.amending.on_record import plan_on_record, regions_on_record, scheme_on_record
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.crossing import lay_over
from wsi_area.run.passes.merged_objects import MappedSlide, MergedObjects, with_named
from wsi_area.run.passes.tissue_envelope import mapped_tissue, measure_envelope
from wsi_area.settings.run_settings import RunSettings


@frozen_value
class VersionWanted:
    """A measured slide, the corrections that are laid over it, and where the version goes."""

    measured: CountedSlide
    below: SlideLayout
    layout: SlideLayout
    listed: tuple[Correction, ...]
    versions: tuple[int, ...]  # for each correction, the version that it came with
    corrects: int | None  # the amended version that the newest of them correct
    base: str  # its content hash, or that of what was measured
    file_sha256: str
    given_sha256: str
    drawn_are_filtered: bool
    settings: RunSettings
    run_seal: str | None
    findings: tuple[QaFinding, ...] = ()  # of the file

    @property
    def number(self) -> int:
        """Return the number of the version."""
        return int(self.layout.root.name)

    @property
    def filters(self) -> SizeFilters:
        """Return the filters by size of the slide: none where sizes are unknown."""
        return SizeFilters() if self.measured.mpp is None else _filters(self.settings)

    def key(self, below: CountedSlide) -> str:
        """Return the hash of all that the counts of one of its layers depend on."""
        return json_digest(
            [below.key, self.measured.key, [_facts(one) for one in self.listed], self.drawn_are_filtered]
        )


def _filters(settings: RunSettings) -> SizeFilters:
    return SizeFilters(**settings.objects.model_dump(exclude={"foci"}))


def _facts(one: Correction) -> list[object]:
    outlines = [[name, wkb.hex()] for name, wkb in one.outlines]
    wkb = None if one.wkb_l0_px is None else one.wkb_l0_px.hex()
    return [one.kind, one.class_name, wkb, one.seed_l0_px, one.most_mm2, outlines]


def make_version(wanted: VersionWanted, executor: Executor) -> CountedSlide | None:
    """Return the result of an amended version, its folder written but for result and seal; None if stopped before.

    Raises
    ------
    AnnotationError
        If a correction cannot be laid over the slide.
    IncompleteResultError
        If a batch came to no end.
    ResultError
        If something cannot be read or written.
    """
    measured, below = wanted.measured, wanted.below
    layer = _layer_below(wanted)
    tissue: tuple[CountedSlide, AmendedLayer] | None = None
    corrected = corrected_classes(
        tiles_layout(below, wanted.filters), grid_of(measured), scheme_on_record(measured), measured.mpp,
        wanted.listed, has_layer=layer is not None,
    )  # fmt: skip
    if layer is not None:
        tissue = _amended_tissue(wanted, layer, executor)
        if tissue is None:
            return None
    plan = plan_on_record(measured, ledger_rows(corrected.layout))
    asked = LayerToAmend(
        below, wanted.layout, plan, measured.mpp, len(measured.classes), corrected, wanted.filters,
        wanted.drawn_are_filtered, wanted.key(measured), measured.made_from.parts,
    )  # fmt: skip
    done = amend_layer(asked, executor)
    if done is None:
        return None
    mapped = MappedSlide(wanted.layout, plan, corrected.scheme, measured.mpp, measured.calibration.relative_u_area)
    objects = _objects(wanted, mapped, done, None if tissue is None else tissue[0], executor)
    if objects is None:
        return None
    again = regions_on_record(below, measured)
    objects = with_named(objects, mapped, again.named, wanted.settings, executor)
    if objects is None:
        return None
    amendment = _amendment(wanted, done, None if tissue is None else tissue[1])
    findings = (*wanted.findings, *amendment_findings(measured, amendment, again),
                *_elsewhere(wanted, corrected, done))  # fmt: skip
    made = Amended(
        measured, wanted.layout, plan, corrected.scheme, objects, asked.key, findings, amendment, done.has_facts
    )
    return _with_margins(wanted, amended_document(made, wanted.settings), executor)


def _elsewhere(wanted: VersionWanted, corrected: CorrectedMap, done: AmendedLayer) -> Iterator[QaFinding]:
    """Yield a word where a drawing of classes, laid over what was measured, lies beside what it replaces."""
    if len(wanted.listed) != 1 or wanted.listed[0].kind != "replace":
        return
    named = [c.class_id for c in corrected.scheme.classes if c.class_id and corrected.strokes[0].takes[c.class_id]]
    rows = ledger_rows(wanted.layout)
    after = LedgerLayout(len(corrected.scheme.classes)).total(rows.reshape(-1, rows.shape[-1])).px_by_class
    before = wanted.measured.counts.n_px_by_class
    found = elsewhere_finding(
        wanted.measured.slide_id,
        sum(before[n] for n in named if n < len(before)),
        sum(after[n] for n in named),
        int(done.tallies[0, TALLIES.index("changed")]),
    )
    if found is not None:
        yield found


def _layer_below(wanted: VersionWanted) -> CountedSlide | None:
    """Return the measured tissue layer of a slide; None where its tissue is none."""
    if wanted.measured.tissue_layer is None:
        return None
    found = read_result(wanted.below.tissue)
    if not isinstance(found, CountedSlide):
        raise ResultError(f"{wanted.below.tissue.root} holds no tissue; measure the slide again with --force")
    return found


def _amended_tissue(
    wanted: VersionWanted, layer: CountedSlide, executor: Executor
) -> tuple[CountedSlide, AmendedLayer] | None:
    """Return a tissue layer with its corrections, its folder written whole, and what they did to it."""
    below, layout = wanted.below.tissue, wanted.layout.tissue
    filters = replace(_filters(wanted.settings), min_focus_um2=0.0)
    corrected = corrected_tissue(tiles_layout(below, filters), grid_of(layer), scheme_on_record(layer), wanted.listed)
    plan = plan_on_record(layer, ledger_rows(corrected.layout))
    asked = LayerToAmend(
        below, layout, plan, layer.mpp, len(layer.classes), corrected, filters, wanted.drawn_are_filtered,
        wanted.key(layer), layer.made_from.parts,
    )  # fmt: skip
    done = amend_layer(asked, executor)
    if done is None:
        return None
    objects = MergedObjects(done.size_changes, None)
    made = Amended(layer, layout, plan, corrected.scheme, objects, asked.key, (), None, done.has_facts)
    result = amended_document(made, wanted.settings)
    write_result(layout, result)
    return result, done


def _objects(
    wanted: VersionWanted,
    mapped: MappedSlide,
    done: AmendedLayer,
    tissue: CountedSlide | None,
    executor: Executor,
) -> MergedObjects | None:
    """Return foci, crossing and envelope of the corrected class map, as the run makes them; None if stopped before."""
    layout, plan, scheme, mpp, settings = (
        mapped.layout, mapped.plan, mapped.scheme, mapped.mpp, wanted.settings
    )  # fmt: skip
    foci: Foci | None = None
    if settings.objects.foci and scheme.names_tumor:
        from wsi_area.run.passes.object_pass import measure_foci  # its kernels are for slides with foci alone

        foci = measure_foci(layout, plan, scheme, mpp, executor)
        if foci is None:
            return None
    objects = MergedObjects(done.size_changes, foci)
    if tissue is not None:
        laid = lay_over(layout, plan, len(scheme.classes), tissue, settings.envelope, executor)
        return None if laid is None else replace(objects, envelope=laid.envelope, laid=laid)
    map_of_tissue = mapped_tissue(plan, scheme)
    if map_of_tissue is None:
        return objects
    enclosed = measure_envelope(layout, map_of_tissue, settings.envelope, executor)
    return None if enclosed is None else replace(objects, envelope=enclosed)


def _with_margins(wanted: VersionWanted, result: CountedSlide, executor: Executor) -> CountedSlide | None:
    settings = wanted.settings
    if not (settings.bands.edges_um or settings.hotspots.windows_mm2):
        return result
    from wsi_area.run.passes.margin_pass import with_margins  # its kernels are for those who ask

    return with_margins(result, wanted.layout, settings.bands, settings.hotspots, executor)


def _amendment(wanted: VersionWanted, classes: AmendedLayer, tissue: AmendedLayer | None) -> Amendment:
    rows = [
        _on_record(wanted, n, dict(zip(TALLIES, classes.tallies[n].tolist(), strict=True)),
                   {} if tissue is None else dict(zip(TALLIES, tissue.tallies[n].tolist(), strict=True)))
        for n in range(len(wanted.listed))
    ]  # fmt: skip
    return Amendment(
        number=wanted.number,
        corrects=wanted.corrects,
        base=wanted.base,
        measured=content_hash(wanted.measured),
        measured_seal=wanted.run_seal,
        measured_ledger=ledger_digest(ledger_rows(wanted.below)),
        class_map=class_map_digest(wanted.layout),
        tissue_map=None if tissue is None else class_map_digest(wanted.layout.tissue),
        file_sha256=wanted.file_sha256,
        given_sha256=wanted.given_sha256,
        drawn_are_filtered=wanted.drawn_are_filtered,
        n_px_kept_from_filters=classes.kept_px + (0 if tissue is None else tissue.kept_px),
        listed=tuple(rows),
    )


def _on_record(
    wanted: VersionWanted, number: int, on_classes: dict[str, int], on_tissue: dict[str, int]
) -> CorrectionOnRecord:
    """Return a correction with what it did; of a tissue tool what of it was not painted is that of the tissue layer."""
    one, mpp = wanted.listed[number], wanted.measured.mpp
    of = on_tissue if one.kind in {"tissue", "not_tissue"} and on_tissue else on_classes
    clipped = of["unscanned"] + of["outside_roi"] + of["unreadable"]
    seed = one.seed_l0_px or (None, None)
    tissue_px = on_tissue.get("changed", 0)
    return CorrectionOnRecord(
        kind=one.kind,
        class_name=one.class_name,
        reviewer=one.reviewer,
        utc=one.utc,
        version=wanted.versions[number],
        n_px_drawn=of["drawn"],
        n_px_changed=on_classes["changed"],
        n_px_unscanned=of["unscanned"],
        n_px_outside_roi=of["outside_roi"],
        n_px_unreadable=of["unreadable"],
        n_px_tissue_changed=tissue_px,
        clipped_mm2=_mm2(clipped, mpp),
        beyond_mm2=_mm2(one.beyond_px, mpp),
        changed_mm2=_mm2(on_classes["changed"] + tissue_px, mpp),
        seed_x_l0_px=seed[0],
        seed_y_l0_px=seed[1],
        most_mm2=one.most_mm2 if one.kind == "fill" else None,
    )


def _mm2(n_px: float, mpp: Mpp | None) -> float | None:
    return None if mpp is None else area_mm2(n_px, mpp)
