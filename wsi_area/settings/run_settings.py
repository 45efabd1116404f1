"""settings: the settings of a run, read from TOML and the command line, refused at the first wrong key."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from wsi_area.compute.calibration.policy import CalibrationPolicy
from wsi_area.errors import SettingsError
from wsi_area.model.classes import ClassScheme
from wsi_area.model.json_tree import flat, json_digest
from wsi_area.segmenters.exclusions.settings import ExclusionSettings
from wsi_area.segmenters.registry import make_segmenter
from wsi_area.settings.cluster_settings import ClusterSettings, StorageSettings, TlsSettings
from wsi_area.settings.effect import Effect, effect_of
from wsi_area.settings.estimate_settings import EstimateSettings
from wsi_area.settings.margin_settings import BandSettings, HotspotSettings
from wsi_area.settings.mistakes import in_words, placed
from wsi_area.settings.presets import config_file, shown
from wsi_area.settings.reader_settings import ReaderSettings
from wsi_area.settings.report_settings import ReportSettings
from wsi_area.settings.section_settings import SectionSettings, TmaSettings
from wsi_area.settings.segmenter_settings import NO_TISSUE, SegmenterSettings, TissueSettings
from wsi_area.settings.settings_origin import PROGRAM, origins, said_by
from wsi_area.settings.settings_tree import assign, assigned, is_plain, kept, plain_value, put, read_toml
from wsi_area.settings.uncertainty_settings import UncertaintySettings

ExecutorName = Literal["serial", "threads", "processes", "distributed", "slurm"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class TilingSettings(_Section):
    """How a slide is cut."""

    work_mpp: float | None = Field(None, gt=0, description="µm per pixel to work at; left out: the finest level")
    tile_px: int | Literal["auto"] = Field("auto", description="edge of a tile, work px; auto: near 512")
    skip_glass: bool = Field(True, description="count tiles of bare glass as background without reading them")
    skip_margin_um: float = Field(100.0, ge=0, description="µm around tissue within which nothing is skipped")


class ObjectSettings(_Section):
    """Which connected objects are too small to be believed; judged on the whole slide, never tile by tile."""

    foci: Annotated[bool, Effect.AFTER] = Field(
        True, description="measure each tumour focus: area, extent, centre (yes or no)"
    )
    min_focus_um2: float = Field(0.0, ge=0, description="µm²: a smaller tumour focus takes the class around it")
    min_tissue_um2: float = Field(0.0, ge=0, description="µm²: a smaller speck of tissue takes the class around it")
    max_hole_um2: float = Field(0.0, ge=0, description="µm²: a smaller hole in tissue takes the class around it")


class EnvelopeSettings(_Section):
    """How the envelope of the tissue is made: beside the tissue itself, with fat, lace and pale cytoplasm in it."""

    closing_um: float = Field(50.0, ge=0, description="µm: radius of the disc that closes gaps, up to twice as wide")
    fill_um: float = Field(
        250.0, ge=0, description="µm: an enclosed gap is filled where no disc of this radius fits into it"
    )
    box_um: float = Field(8.0, gt=0, description="µm: width of the boxes that it is made of; wider on large slides")


class CalibrationSettings(_Section):
    """What a pixel size must look like to be believed."""

    profile: Literal["glass", "plain"] = Field("glass", description="plain: not a microscope slide")
    max_extent_mm: tuple[float, float] = Field((26.0, 76.0), description="largest slide, mm; (52, 76) for large format")
    band_um: tuple[float, float] = Field((0.05, 40.0), description="µm per level-0 pixel that a slide can have")
    fine_um: float = Field(0.08, gt=0, description="µm per level-0 pixel below which ×60 or a reason must be on record")
    screen_dpi_meant: bool = Field(False, description="plain profile: believe 72 and 96 dpi, which programs make up")
    conflict_tolerance: float = Field(0.02, gt=0, description="relative difference at which two claims conflict")
    power_refusal_factor: float = Field(3.0, gt=1, description="how far beyond its power's band a pixel size may be")
    anisotropy_confirmation: float = Field(0.1, gt=0, description="relative difference of the axes that needs a reason")
    volume_tolerance: float = Field(0.005, gt=0, description="relative difference of DICOM volume and pixel spacing")

    @property
    def policy(self) -> CalibrationPolicy:
        """Return them as the limits of the calibration ladder."""
        own: dict[str, Any] = self.model_dump()
        return CalibrationPolicy(**own)


class QualitySettings(_Section):
    """When quality assurance should look."""

    unscanned_fraction: float = Field(0.5, ge=0, le=1, description="share of the slide not scanned")
    edge_tissue_fraction: float = Field(0.05, ge=0, le=1, description="share of the rim that is tissue")
    skip_bound_fraction: float = Field(0.01, ge=0, description="bound on skipped foreground, share of tissue")
    threshold_change: float = Field(0.05, ge=0, description="change of the tissue for 5 % of the threshold, share")
    stain_unexplained: float = Field(0.05, ge=0, description="absorption that the stain vectors leave over, share")
    stain_angle_deg: float = Field(20.0, ge=0, description="angle between stain vectors as set and as seen, degrees")
    most_taken: float = Field(0.95, ge=0, le=1, description="share of the slide that tissue or one class has")
    glass_fall: float = Field(0.06, ge=0, le=1, description="fall of the light over the field, share of the brightest")
    overview_difference: float = Field(
        0.02, ge=0, le=1, description="of the tissue, that the overview differs from what the count explains"
    )
    step_share: float = Field(
        0.25, ge=0, description="what a filter or an exclusion takes or adds, over what is left, share"
    )


class RunSection(_Section):
    """Who does the work; never changes a result."""

    executor: ExecutorName = Field("threads", description="serial, threads, processes or distributed, slurm")
    workers: int = Field(0, ge=0, description="how many; 0: one for each core this process may use")
    scheduler: str | None = Field(None, description="address of a running dask scheduler, tcp://host:port")
    memory_limit_mb: int | None = Field(None, gt=0, description="MiB one task may use; left out: what the machine has")
    slides_in_flight: int = Field(0, ge=0, description="slides measured at once; 0: 2, on a cluster one a worker")
    read_retries: int = Field(1, ge=0, description="times a tile or a copy that cannot be read is tried again")
    retry_wait_s: float = Field(1.0, ge=0, description="s before a copy is tried again; doubled each time")
    piece_mib: float = Field(64.0, ge=0, description="MiB of a slide up to which the tasks of an array never share it")
    worker_retries: int = Field(2, ge=0, description="times a batch that killed its worker is tried on another one")
    tile_timeout_s: float = Field(300.0, ge=0, description="s one tile may take; 0: any. Ends a hung worker process")
    fail_fast: bool = Field(False, description="start nothing new after the first failed or incomplete slide")
    stage_dir: Path | None = Field(None, description="folder on a local disk to copy each slide to before it is read")

    @model_validator(mode="after")
    def _stages_where_workers_are(self) -> "RunSection":
        if self.stage_dir is not None and (self.scheduler is not None or self.executor == "slurm"):
            raise ValueError(
                "run.stage_dir is a folder of this machine, which the workers of run.scheduler or run.executor=slurm "
                "cannot see; leave one of them out (a job array stages on each of its nodes)"
            )
        return self


class RunSettings(_Section):
    """Everything that was asked of a run."""

    tiling: TilingSettings = TilingSettings()
    segmenter: SegmenterSettings = SegmenterSettings()
    tissue: Annotated[TissueSettings, Effect.AFTER] = TissueSettings()
    exclusions: ExclusionSettings = ExclusionSettings()
    objects: ObjectSettings = ObjectSettings()
    envelope: Annotated[EnvelopeSettings, Effect.AFTER] = EnvelopeSettings()
    bands: Annotated[BandSettings, Effect.AFTER] = BandSettings()
    hotspots: Annotated[HotspotSettings, Effect.AFTER] = HotspotSettings()
    sections: Annotated[SectionSettings, Effect.AFTER] = SectionSettings()
    tma: Annotated[TmaSettings, Effect.AFTER] = TmaSettings()
    estimate: EstimateSettings = EstimateSettings()
    reader: ReaderSettings = ReaderSettings()
    calibration: CalibrationSettings = CalibrationSettings()
    quality: Annotated[QualitySettings, Effect.FINDINGS] = QualitySettings()
    uncertainty: Annotated[UncertaintySettings, Effect.FINDINGS] = UncertaintySettings()
    report: Annotated[ReportSettings, Effect.WORK] = ReportSettings()
    run: Annotated[RunSection, Effect.WORK] = RunSection()
    cluster: Annotated[ClusterSettings, Effect.WORK] = ClusterSettings()
    tls: Annotated[TlsSettings, Effect.WORK] = TlsSettings()
    storage: Annotated[StorageSettings, Effect.WORK] = StorageSettings()

    _said_by: dict[str, str] = PrivateAttr(default_factory=dict)  # who said which setting, as far as `load` knows

    @model_validator(mode="after")
    def _is_finite(self) -> "RunSettings":
        for key, value in flat(self.canonical()):
            if not is_plain(value):
                raise ValueError(f"{key} is {value}, which no file of results can hold; give a finite number")
        return self

    @model_validator(mode="after")
    def _encrypts_where_it_can(self) -> "RunSettings":
        scheduler = self.run.scheduler
        if self.tls.ca is not None and scheduler is not None and not scheduler.startswith("tls://"):
            raise ValueError(
                f"[tls] has certificates, but run.scheduler is {scheduler}: nothing would be encrypted; write tls://"
            )
        return self

    @property
    def origins(self) -> dict[str, str]:
        """Return who said each setting: the file, the command line, the program, or nobody."""
        return origins(self.canonical(), self.model_dump(mode="json", exclude_unset=True), self._said_by)

    def canonical(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return self.model_dump(mode="json")

    def require_classes(self, scheme: ClassScheme) -> None:
        """Refuse settings that name a class which a slide does not have."""
        self.bands.require_classes(scheme)
        self.hotspots.require_classes(scheme)

    @property
    def measurement_hash(self) -> str:
        """Return the hash of what can change a number: not who did the work, nor through which lane."""
        return json_digest(with_effect(self.canonical(), Effect.NUMBERS, Effect.AFTER))

    @property
    def tiles_hash(self) -> str:
        """Return the hash of what can change the class map: tiles of the same hash need not be read again."""
        return json_digest(with_effect(self.canonical(), Effect.NUMBERS))


def with_effect(settings: Mapping[str, Any], *effects: Effect) -> dict[str, Any]:
    """Return those of some settings, as nested tables, that have one of the effects."""
    return kept(settings, lambda key: effect_of(RunSettings, key) in effects)


def load(
    config: str | Path | None = None, assignments: Sequence[str] = (), values: Mapping[str, Any] | None = None
) -> RunSettings:
    """Return the settings of a TOML file, or of a preset by its name, with others on top.

    Parameters
    ----------
    config : str, Path or None
        None: the defaults.
    assignments : sequence of str
        Such as ``"tiling.work_mpp=0.5"``.
    values : mapping or None
        The same as Python has it, by section or by dotted name: ``{"tiling.work_mpp": 0.5}``.

    Raises
    ------
    SettingsError
        Naming the file, the key and the nearest right one. Nothing has been started then.
    """
    path = None if config is None else config_file(config)
    tree: dict[str, Any] = {} if path is None else read_toml(path)
    said = said_by(tree, "" if path is None else shown(path), assignments)
    for text in assignments:
        assign(tree, text)
    for key, value in flat(values or {}):
        put(tree, key, plain_value(key, value), f"the setting {key}")
        said[key] = PROGRAM
    tree.pop("train", None)  # read by `wsi-area train`: no part of how a slide is measured
    try:
        settings = RunSettings.model_validate(tree)
    except ValidationError as error:
        raise SettingsError(placed(error, RunSettings, path, assignments)) from error
    _refuse_wrong_segmenter(settings, path, assignments)
    settings._said_by.update(said)
    sealed = settings.uncertainty.with_seals()
    return settings if sealed == settings.uncertainty else settings.model_copy(update={"uncertainty": sealed})


def _refuse_wrong_segmenter(settings: RunSettings, path: Path | None, assignments: Sequence[str]) -> None:
    """Refuse a wrong key of a segmenter now, naming the command line where the file alone is right, else the file."""
    for section, wanted in (("segmenter", settings.segmenter), ("tissue", settings.tissue)):
        if wanted.name == NO_TISSUE:
            continue
        try:
            make_segmenter(wanted.name, wanted.own)
        except SettingsError as error:
            said = assigned(section, assignments)
            is_on_line = said and (path is None or _is_right(section, path))
            raise SettingsError(f"{said if is_on_line else path or 'the settings'}: {error}") from error


def _is_right(section: str, path: Path) -> bool:
    try:
        alone = SegmenterSettings.model_validate(read_toml(path).get(section, {}))
        make_segmenter(alone.name, alone.own)
    except (SettingsError, ValidationError):
        return False
    return True


def load_reading(path: Path | None) -> RunSettings:
    """Return the settings of reading slides and of their pixel sizes in a TOML file; its rest is left aside.

    Raises
    ------
    SettingsError
        Naming whatever cannot be used.
    """
    tree: dict[str, Any] = {} if path is None else read_toml(path)
    try:
        return RunSettings.model_validate({name: tree[name] for name in ("reader", "calibration") if name in tree})
    except ValidationError as error:
        raise SettingsError(f"{path}: {in_words(error, RunSettings)}") from error


def load_storage(config: str | Path | None, assignments: Sequence[str] = ()) -> StorageSettings:
    """Return the settings of object storage in a TOML file and ``key=value`` assignments; its rest is left aside.

    Raises
    ------
    SettingsError
        Naming whatever cannot be used, among it an assignment that is of something else.
    """
    path = None if config is None else config_file(config)
    tree: dict[str, Any] = {"storage": {} if path is None else read_toml(path).get("storage", {})}
    for text in assignments:
        if not text.strip().startswith("storage."):
            raise SettingsError(
                f"--set {text}: with what a run was measured is on record; only storage.endpoint and storage.profile, "
                "which say how to reach it, can be given here"
            )
        assign(tree, text)
    try:
        return RunSettings.model_validate(tree).storage
    except ValidationError as error:
        raise SettingsError(f"{path or 'the settings'}: {in_words(error, RunSettings)}") from error
