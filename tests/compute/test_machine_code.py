import ast
import shutil
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import wsi_area.compute.count.reduction
from wsi_area.compute import machine_code
from wsi_area.compute.kept_code import place_for, places_for
from wsi_area.compute.machine_code import address_of, call_native, native_function
from wsi_area.compute.processor import processor

SOURCE = """
from numba import carray
{imports}

def scale(values_at, count, out_at):
    values, out = carray(values_at, count), carray(out_at, count)
    for i in range(count):
        out[i] = {factor} * values[i]
"""
ARGUMENTS = "uint8* int64 int64*"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache for a process that has loaded nothing yet, and a folder for modules."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder))
    monkeypatch.setattr(machine_code, "_LOADED", {})
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("scaling", "constants"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return folder


def scaled(folder, factor=3, imports="", frozen=()):
    """What machine code of that source makes of 1, 2, 250, as a new process would."""
    (folder.parent / "scaling.py").write_text(SOURCE.format(factor=factor, imports=imports))
    sys.modules.pop("scaling", None)
    shutil.rmtree(folder.parent / "__pycache__", ignore_errors=True)  # .pyc tell sources apart by the second only
    machine_code._LOADED.clear()
    scale = native_function("scaling", "scale", ARGUMENTS, frozen)
    values, out = np.array([1, 2, 250], np.uint8), np.zeros(3, np.int64)
    scale(address_of(values), 3, address_of(out))
    return out.tolist()


def was_compiled():
    return "scaling" in sys.modules  # the source is imported only to be compiled


def test_what_lies_on_disk_is_loaded_and_not_compiled_again(cache, caplog):
    assert scaled(cache) == [3, 6, 750]
    assert was_compiled()
    assert scaled(cache) == [3, 6, 750]
    assert not was_compiled()
    assert len(list(cache.iterdir())) == 1
    assert not caplog.records


@pytest.mark.parametrize("damage", ["cut short", "a byte changed", "of another function", "not ours", "empty"])
def test_a_file_that_is_not_whole_and_ours_is_refused_and_made_anew(cache, caplog, damage):
    scaled(cache)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    if damage == "cut short":
        file.write_bytes(whole[:-100])
    elif damage == "a byte changed":
        file.write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])
    elif damage == "of another function":
        scaled(cache, factor=5)
        (other,) = set(cache.iterdir()) - {file}
        file.write_bytes(other.read_bytes())
    else:
        file.write_bytes(b"" if damage == "empty" else b"\x7fELF" + whole)
    assert scaled(cache) == [3, 6, 750]
    assert was_compiled()
    assert str(file) in caplog.text
    assert scaled(cache) == [3, 6, 750]
    assert not was_compiled()  # the file is whole again


def test_a_changed_source_is_compiled_anew_and_does_not_touch_the_old_code(cache):
    assert scaled(cache, factor=3) == [3, 6, 750]
    assert scaled(cache, factor=7) == [7, 14, 1750]
    assert scaled(cache, factor=3) == [3, 6, 750]
    assert not was_compiled()


def test_a_changed_constant_of_another_module_is_compiled_anew(cache):
    constants = cache.parent / "constants.py"
    for factor in (2, 9):
        constants.write_text(f"FACTOR = {factor} #{'*' * factor}")  # of another length, so that it is read again
        sys.modules.pop("constants", None)
        told = scaled(cache, "FACTOR", "from constants import FACTOR", ("constants",))
        assert told == [factor, 2 * factor, 250 * factor]
        assert was_compiled()


def test_code_for_another_processor_is_not_loaded(cache, monkeypatch):
    scaled(cache)
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    processor.cache_clear()
    try:
        assert scaled(cache) == [3, 6, 750]
        assert was_compiled()
    finally:
        processor.cache_clear()


def test_where_nothing_can_be_written_the_code_is_compiled_all_the_same_and_a_warning_says_so(cache, caplog):
    cache.write_text("a file where the folder should be")
    for _ in range(2):
        assert scaled(cache) == [3, 6, 750]
        assert was_compiled()
    assert "NUMBA_CACHE_DIR" in caplog.text
    assert place_for("wsi_area.compute.count.reduction") is None


def test_code_that_needs_numba_while_it_runs_works_but_is_not_kept(cache, caplog):
    assert scaled(cache, "np.ones(count).size", "import numpy as np") == [3, 6, 750]
    assert "cannot be kept" in caplog.text
    assert not cache.exists()


def test_the_cache_is_beside_the_package_unless_another_is_named(monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    beside = Path(wsi_area.compute.count.reduction.__file__).parent / "__pycache__"
    assert places_for("wsi_area.compute.count.reduction")[0] == beside


def test_the_address_of_a_view_is_that_of_its_first_pixel():
    store = np.zeros((6, 7), np.uint8)
    for view in (store, store[2:, 3:], store[::-1], store[:0]):
        assert address_of(view) == view.__array_interface__["data"][0]
    store.setflags(write=False)
    assert address_of(store) == store.__array_interface__["data"][0]


TINY = """
    import sys
    import numpy as np
    from wsi_area.compute.count.reduction import box_mean
    from wsi_area.segmenters.colour.colour_rule import ColourRule
    from wsi_area.segmenters.colour.kernels import classify_and_count
    rgb = np.full((4, 4, 3), 200, np.uint8)
    rgb[0] = 10
    ones, out = np.ones(2, np.int64), np.zeros((2, 2), np.uint8)
    for stain in (None, (9.0, -7.0, 4.0)):  # look-ups of 32 and of 64 bits
        counts, signal = np.zeros(6 if stain else 5, np.int64), np.zeros(3 if stain else 2, np.int64)
        rule = ColourRule("darkness", 90, stain, (300.0,) if stain else ())
        classify_and_count(rgb, None, rule, ones, ones, 2, out, counts, signal)
        assert out.tolist() == [[1, 1], [0, 0]], out
    assert box_mean(rgb, None, 2).rgb[:, :, 0].tolist() == [[105, 105], [200, 200]]
    print(*("numba" in sys.modules, "scipy" in sys.modules))
"""


MARGINS = """
    import sys
    import numpy as np
    from wsi_area.compute.bands.band_counts import band_counts
    from wsi_area.compute.bands.band_rule import band_rule
    from wsi_area.compute.hotspots.window import window_of
    from wsi_area.compute.hotspots.window_sums import window_sums
    from wsi_area.model.calibration import Mpp
    from wsi_area.model.geometry import Region
    codes, tissue = np.array([[1, 0, 0, 0]], np.uint8), np.full((1, 4), 9, np.uint32)
    box, mpp = Region(0, 0, 4, 1), Mpp(1, 1)
    assert band_counts(codes, box, tissue, (1,), band_rule((0, 1, 2), mpp))[0][:, 0].tolist() == [9, 9]
    ys, xs = np.zeros(1, np.int64), np.array([0, 3])
    windows = [window_of(n * 1e-6, "square", mpp) for n in (1, 9)]
    found = window_sums(codes, tissue, (1,), box, ys, xs, windows).windows
    assert [one.px[:, 0].tolist() for one in found] == [[[9, 9], [9, 0]], [[18, 18], [9, 0]]], found
    print(*("numba" in sys.modules, "scipy" in sys.modules))
"""
REGIONS = """
    import sys
    import numpy as np
    import wsi_area.run.passes.region_pass
    from wsi_area.compute.regions.under_spans import counts_under, parts_of, signal_under, tissue_under
    codes, of_code = np.array([[0, 1, 1], [1, 0, 1]], np.uint8), np.arange(256, dtype=np.uint8)
    spans = np.array([[0, 0], [0, 1], [0, 0], [3, 1]], np.int32)
    edges, tumour = (np.arange(4) * 2, np.arange(3) * 2), (of_code == 1).astype(np.uint8)
    counts, found = counts_under(codes, of_code, tumour, edges, spans, (1, 2))
    assert counts.tolist() == [[4, 12]]
    signal = np.array([[7, 1, 2], [3, 7, 7]], np.int32)
    assert signal_under(codes, of_code, signal, edges, spans, (1, 2)).tolist() == [[28, 24]]
    assert found.tolist() == [[0, 0, 1, 3], [0, 1, 0, 1]]
    parts, n = parts_of(found)
    assert (parts.tolist(), n) == ([0, 0], 1)
    assert tissue_under(codes, of_code, np.full((2, 3), 5, np.uint32), spans, (1, 2)).tolist() == [[5, 15]]
    print(*("numba" in sys.modules, "scipy" in sys.modules))
"""
OBJECTS = """
    import sys
    import numpy as np
    from wsi_area.compute.objects.components import Box, summarise_foci
    from wsi_area.compute.objects.feret import merged_extents_um
    from wsi_area.compute.objects.run_lengths import class_map_of, runs_of, tally_tiles
    from wsi_area.compute.objects.parts_kernels import join_pairs
    from wsi_area.compute.objects.size_filter import KEPT, apply_stage, stages_of
    from wsi_area.model.calibration import Mpp
    from wsi_area.model.classes import ClassScheme, TissueClass
    from wsi_area.model.objects import SizeFilters
    classes = np.array([[0, 0, 0, 0, 254], [0, 1, 0, 1, 1], [0, 0, 0, 1, 1]], np.uint8)
    xs, ys = np.arange(6), np.arange(4)
    box, runs = Box(0, 0, 0, 0, xs, ys, (False, False, True, False)), runs_of(classes)
    found = summarise_foci(runs, box, (1,), Mpp(1, 1))
    assert found.foci["area_px"].tolist() == [1] and 4 in found.parts["area_px"]
    assert merged_extents_um(np.zeros(2, np.int64), 1, np.array([0, 3]), np.array([0, 4]), None).tolist() == [5.0]
    assert join_pairs(np.array([2]), np.array([1]), 3).tolist() == [0, 1, 1]
    colour = (0, 0, 0)
    scheme = ClassScheme((TissueClass(0, "glass", colour), TissueClass(1, "tissue", colour, is_tissue=True)))
    (stage,) = stages_of(SizeFilters(min_tissue_um2=2), scheme, Mpp(1, 1))
    kept = class_map_of(apply_stage(runs, box, stage, np.full(1, KEPT, np.int16)))
    assert kept.tolist() == [[0, 0, 0, 0, 254], [0, 0, 0, 1, 1], [0, 0, 0, 1, 1]]
    assert tally_tiles(runs, 5, xs, ys)[0, 0, [0, 1, 254]].tolist() == [9, 5, 1]
    print(*("numba" in sys.modules, "scipy" in sys.modules))
"""
EXCLUSIONS = """
    import sys
    import numpy as np
    from wsi_area.segmenters.exclusions.sharpness import blur_votes, detail
    from wsi_area.model.pixels import TilePixels
    from wsi_area.segmenters.colour.colour_rule import ColourRule
    from wsi_area.segmenters.exclusions.absorption import seen_of
    from wsi_area.segmenters.exclusions.pen import PenRule
    rgb, valid = np.full((9, 9, 3), (40, 60, 160), np.uint8), np.ones((9, 9), bool)
    seen = seen_of(TilePixels(rgb, valid), ColourRule("darkness", 40), (243, 240, 246))
    assert PenRule(2).mask(seen).all()
    details, known = detail(seen.grey, valid, 1)
    assert known.sum() == 49 and not details.any()
    assert not blur_votes(valid, details, details, 2, 1, (1, 2)).any()
    print(*("numba" in sys.modules, "scipy" in sys.modules))
"""
PIXELS = """
    import sys
    import numpy as np
    from wsi_area.model.pixels import TilePixels
    from wsi_area.segmenters.pixels.feature_set import FeatureSet
    from wsi_area.segmenters.pixels.features import features_at
    from wsi_area.segmenters.pixels.probability import cell_probabilities
    from wsi_area.segmenters.pixels.trees import TreeEnsemble
    features = FeatureSet((2.0, 30.0), 1.0, 2.0)
    rgb, valid = np.full((40, 40, 3), 255, np.uint8), np.ones((40, 40), bool)
    rgb[:, 20:] = 100
    def whole(*numbers): return np.array(numbers, np.int32)
    def real(*numbers): return np.array(numbers, np.float32)
    od, n = features.names.index("od_2um"), len(features.names)
    trees = TreeEnsemble(
        n, (0, 1), "logistic", whole(0), whole(0), whole(od, 0, 1), real(0.2, 0, 0), whole(1, -1, -1),
        whole(2, -1, -1), real(-9, 9)[:, None], real(0),
    )
    known = cell_probabilities(features, trees, 3.0, TilePixels(rgb, valid))
    (_, found), = known.bands()
    assert found[1, 20, 0] < 0.01 and found[1, 20, 39] > 0.99, found[1, 20]
    at = features_at(rgb, valid, features, np.array([20]), np.array([39]))
    assert abs(at[0, od] - np.log10(2.55)) < 1e-3
    print(*("numba" in sys.modules, "scipy" in sys.modules))
"""
PROGRAMS = {
    "classes": TINY, "bands and hot spots": MARGINS, "regions": REGIONS, "objects": OBJECTS, "artefacts": EXCLUSIONS,
    "pixel classifier": PIXELS,
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_the_second_process_neither_compiles_nor_imports_numba_or_scipy(program):
    program = textwrap.dedent(program)
    ran = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True) for _ in "12"]
    assert [run.stderr for run in ran] == ["", ""]
    assert ran[1].stdout.split() == ["False", "False"]


def test_an_array_of_another_type_or_with_gaps_is_refused_before_its_memory_is_read():
    call = partial(call_native, "wsi_area.compute.count.compiled_counts", "weigh_codes", "uint8* int64")
    for wrong in (np.zeros(4, np.int64), np.zeros(8, np.uint8)[::2], np.zeros((4, 4), np.uint8).T[:2]):
        with pytest.raises(TypeError, match="weigh_codes takes contiguous uint8"):
            call(wrong, 4)
    swapped = np.zeros(4, np.int64).astype(np.dtype(np.int64).newbyteorder("S"))
    with pytest.raises(TypeError, match="join_pairs takes contiguous int64"):
        call_native("wsi_area.compute.objects.compiled_parts", "join_pairs", "int64* int64", swapped, 4)
    with pytest.raises(ValueError, match="argument"):
        call(np.zeros(4, np.uint8))


def ours_imported(tree):
    """The modules of this package that a file takes anything from, however it says so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
