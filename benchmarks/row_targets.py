"""benchmarks: all rows around the fast path, with what is wanted of each, and how often each is measured by size."""

from benchmarks.memory import CONFIGURATIONS, WORKERS
from benchmarks.row import Row, Turns

SMALL_PX, SMALL_SLIDES = 2048, 20
MEMORY_MIB = 286
"""300 MB in MiB."""

TURNS = {
    "limit": Turns(3, 3, 1),
    "cold": Turns(3, 3, 1),
    "first": Turns(2, 0, 0),  # compiling knows no slide
    "finished-small": Turns(2, 0, 0),  # slides of their own
    "finished": Turns(3, 3, 1),
    "clean": Turns(3, 2, 0),
    "executors": Turns(2, 2, 0),
    "geojson": Turns(2, 1, 0),
    "labels": Turns(3, 1, 0),
    "outlines": Turns(2, 0, 0),
    "evaluate": Turns(2, 1, 0),
    "passes": Turns(3, 1, 0),
    "filters": Turns(3, 1, 0),
    "prepare": Turns(3, 3, 3),
    "flat": Turns(3, 2, 0),
    "network": Turns(3, 1, 0),
    "features": Turns(1, 0, 0),  # seconds a pixel
    "formats": Turns(1, 0, 0),  # a cut of the slide, whatever its size, read several times
    "memory": Turns(1, 1, 0),  # of three turns the peaks lay within 3 %
    "peak": Turns(1, 1, 1),
}
"""How often each is measured, in the order in which they take turns."""


def _cold_rows() -> tuple[Row, ...]:
    told = {"pyvips": "pyvips", "cuCIM": "cuCIM", "fastslide": "fastslide, whose pixels are others"}
    wanted = {("pyvips", "1"): 1.5}
    return tuple(
        Row("cold", f"one cold run ÷ {title}, {mpp} µm/px", f"ours {mpp}", f"{peer} {mpp}", wanted.get((peer, mpp)))
        for peer, title in told.items()
        for mpp in ("1", "0.25")
    )


ROWS = (
    Row("limit", "batch decode + classify ÷ raw decode of the tiles read, 0.25 µm/px", "inner", "decode", 1.65),
    *_cold_rows(),
    *(
        Row("cold", f"largest difference of an area from pyvips's, % of the tissue, {mpp} µm/px",
            f"pyvips {mpp} apart %", f"tissue {mpp} mm2", 0.01)
        for mpp in ("1", "0.25")
    ),
    Row("first", "CPU s of the first run ever on a machine beyond a warm one", "more", "", 3),
    Row(
        "finished-small", f"{SMALL_SLIDES} finished slides of {SMALL_PX}², given again ÷ measured", "again", "run", 0.05
    ),
    Row("finished", "a finished slide, given again ÷ measured", "again", "run", 0.05),
    Row("finished", "`verify`, all of it ÷ the run", "verify", "run", 0.5),
    Row("finished", "`verify`, wall of two workers ÷ of one", "verify wall 2", "verify wall 1"),
    Row("clean", "`he_tissue_clean` ÷ `he_tissue`, tiles alone, 1 µm/px", "he_tissue_clean", "he_tissue", 8),
    Row("executors", "processes ÷ threads, tiles alone, 0.25 µm/px", "processes", "threads", 1.15),
    Row("geojson", "GeoJSON of a stained slide ÷ its run, 1 µm/px", "export", "run", 2),
    Row("geojson", "likewise, 0.25 µm/px", "export 0.25", "run 0.25", 2),
    Row("labels", "OME-Zarr labels of a stained slide ÷ its run, 1 µm/px", "export", "run", 2),
    Row("outlines", "GeoJSON of a stained slide ÷ rasterio's outlines of its class map", "export", "rasterio"),
    Row("evaluate", "`evaluate` against outlines of 2 µm/px ÷ the run, tissue, 1 µm/px", "evaluate", "run"),
    Row("passes", "a run with tumour foci ÷ without, 1 µm/px", "foci", "plain"),
    Row("passes", "a run with five bands round the tumour ÷ without, 1 µm/px", "bands", "plain"),
    Row("passes", "a run with hot spots of three sizes ÷ without, 1 µm/px", "hot spots", "plain"),
    Row("filters", "a run with filters by size ÷ without, tissue, 1 µm/px", "filtered", "plain"),
    Row("prepare", "CPU s before the tiles of a further slide, stain, 1 µm/px", "stain", "", 0.2),
    Row("prepare", "CPU s before the tiles of a further slide, tissue, 1 µm/px", "tissue", "", 0.2),
    Row("flat", "before the tiles of a slide with one level ÷ it and its tiles, 0.25 µm/px", "before", "run", 0.1),
    Row("flat", "libjpeg's entropy decoding of all its stored tiles alone ÷ the same", "least", "run"),
    Row("network", "runs of a network ÷ its windows that meet pixels read, 1 µm/px", "runs", "windows", 1.05),
    Row("network", "CPU beside the network ÷ that of a bare session, as many windows", "beside", "session", 0.3),
    Row("network", "the network's own CPU in a run ÷ in that bare session", "network", "session"),
    Row("features", "`pixel_classifier` ÷ scikit-image's features and forest, a pixel", "ours", "scikit-image"),
    Row("formats", "DICOM of JPEG read directly ÷ through OpenSlide", "jpeg-420 direct", "jpeg-420 openslide", 0.25),
    Row("formats", "DICOM of JPEG 2000, likewise", "jpeg2000-ict direct", "jpeg2000-ict openslide", 0.8),
    Row("formats", "DICOM of raw pixels, likewise", "raw direct", "raw openslide", 0.25),
    Row("formats", "DICOM TILED_SPARSE of JPEG, likewise", "sparse direct", "sparse openslide", 0.25),
    Row("formats", "DICOM of JPEG in two files, likewise", "concatenated direct", "concatenated openslide", 0.25),
    Row("formats", "DICOM of JPEG in fragments, likewise", "fragments direct", "fragments openslide", 0.25),
    *(
        row
        for title, name, wanted in (
            ("4:4:4", "ndpi-444", 0.5), ("4:2:2", "ndpi-422", 0.5),
            ("4:4:4, intervals as wide as the slide", "ndpi-rows", None),
        )
        for row in (
            Row("formats", f"NDPI of {title}, likewise", f"{name} direct", f"{name} openslide", wanted),
            Row("formats", f"NDPI of {title}: libjpeg alone ÷ reading through OpenSlide",
                f"{name} decoder", f"{name} openslide"),
        )
    ),
    *(
        Row("formats", f"{title}, likewise", f"{name} direct", f"{name} openslide", 0.5)
        for title, name in (
            ("Philips TIFF", "philips"), ("Ventana BIF without overlap", "ventana"),
            ("Trestle TIFF without overlap", "trestle"), ("OME-TIFF without a vendor", "ome"),
            ("generic TIFF", "tiff"),
        )
    ),
    *(
        Row("formats", f"{title}, tiles alone: directly ÷ through OpenSlide, 0.25 µm/px", f"{name} tiles direct",
            f"{name} tiles openslide", 0.5)
        for title, name in (
            ("NDPI of 4:4:4", "ndpi-444"), ("NDPI of 4:2:2", "ndpi-422"), ("Philips TIFF", "philips"),
            ("Ventana BIF", "ventana"),
        )
    ),
    Row("formats", "Leica SCN, which OpenSlide alone reads ÷ generic TIFF through it", "other leica openslide",
        "tiff openslide"),
    Row("formats", "MIRAX, which OpenSlide alone reads ÷ generic TIFF through it", "other mirax openslide",
        "tiff openslide"),
    *(
        Row("memory", f"peak MiB, {name}, {WORKERS} workers, {state}", f"{name}, {state}", "", wanted)
        for name in CONFIGURATIONS
        for state, wanted in (("warm", MEMORY_MIB), ("cold", None))
    ),
    Row("peak", f"peak MiB of the rule, 0.25 µm/px, {WORKERS} workers", "peak", "", MEMORY_MIB),
)  # fmt: skip
"""In the order of the page."""
