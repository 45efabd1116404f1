"""Sorting by shuffles of bytes, where the processor has them, and by look-ups from memory: both are the rule itself."""

import platform

import numpy as np
import pytest
import skimage.data
from pictures import all_valid

from wsi_area.compute import machine_code
from wsi_area.compute.processor import processor, shuffles_bytes
from wsi_area.segmenters.colour import kernels
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.kernels import classify_patches
from wsi_area.segmenters.colour.stain_vectors import NAMED_VECTORS, density_weights

DAB = density_weights(NAMED_VECTORS["h-dab"], "dab")
RULES = {
    "three bands": ColourRule("darkness", 60, DAB, (0.2, 0.4, 0.6)),
    "one band": ColourRule("darkness", 200, density_weights(NAMED_VECTORS["h-e"], "eosin"), (0.15,)),
    "all is signal": ColourRule("brightness", 0, intensity="grey"),
    "mean density": ColourRule("darkness", 90, intensity="od"),
    "tinted glass": ColourRule("darkness", 120, DAB, (0.1, 0.4), tint=(61, 11, 0), glass=(225, 175, 148)),
    "densities of 64 bits": ColourRule("darkness", 60, (9.0, -7.0, 4.0), (0.3, 2.0, 40.0)),
}
LENGTHS = [1, 2, 16, 17, 63, 64, 65, 127, 128, 129, 191, 192, 240, 255, 256, 257, 300, 320, 511, 512]


@pytest.fixture(params=[True, False], ids=["by shuffles", "by look-ups"])
def way(request, monkeypatch):
    """The kernel is made to take one way or the other; True for shuffles."""
    if request.param and not shuffles_bytes():
        pytest.skip("this processor has no shuffles of bytes")
    monkeypatch.setattr(kernels, "shuffles_bytes", lambda: request.param)
    kernels._kernel_of.cache_clear()
    yield request.param
    kernels._kernel_of.cache_clear()


def noise(height, width):
    """Every byte comes up in every channel: first all colours alike, then at random."""
    rgb = np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3)).astype(np.uint8)
    rgb[0] = (np.arange(width) % 256)[:, None]
    return rgb


def assert_is_the_rule(rgb, rule, factor=1):
    """Class map, counts and signal against the rule in plain numpy; and nothing is written beside the patch."""
    height, width = (n // factor for n in rgb.shape[:2])
    room = np.full((height + 2, width + 2 * 64), 77, np.uint8)
    out = room[1:-1, 64 : 64 + width]
    counts, signal = np.zeros(rule.class_count + 3, np.int64), np.zeros(rule.class_count, np.int64)
    columns, rows = np.full(width, 3), np.arange(1, height + 1)
    classify_patches([(0, 0, rgb, None)], rule, columns, rows, factor, out, counts, signal)
    means = rgb.reshape(height, factor, width, factor, 3).astype(np.uint32).sum(axis=(1, 3))
    reduced = ((2 * means + factor**2) // (2 * factor**2)).astype(np.uint8)
    expected, micro = rule.class_map(all_valid(reduced)), rule.micro_signal_of(reduced)
    np.testing.assert_array_equal(out, expected)
    weights = np.outer(rows, columns)
    of_class = [expected == k for k in range(rule.class_count)]
    assert counts.tolist() == [*(int(weights[one].sum()) for one in of_class), 0, 0, 0]
    assert signal.tolist() == [0, *(int((weights * micro)[one].sum()) for one in of_class[1:])]
    room[1:-1, 64 : 64 + width] = 77
    assert (room == 77).all()


@pytest.mark.parametrize("name", RULES)
def test_rows_of_any_length_are_sorted_as_by_the_rule(way, name):
    for width in LENGTHS:
        assert_is_the_rule(noise(3, width), RULES[name])


@pytest.mark.parametrize("name", RULES)
def test_reduced_rows_are_sorted_as_by_the_rule(way, name):
    for width in (1, 63, 64, 65, 150, 300):
        assert_is_the_rule(noise(6, 3 * width), RULES[name], factor=3)


@pytest.mark.parametrize("name", RULES)
def test_stained_tissue_and_black_and_white_are_sorted_as_by_the_rule(way, name):
    assert_is_the_rule(skimage.data.immunohistochemistry()[:128, :333], RULES[name])
    for value in (0, 1, 127, 128, 254, 255):  # the darkest signal there is, row by row, and tables cut at their halves
        assert_is_the_rule(np.full((2, 512, 3), value, np.uint8), RULES[name])


def test_shuffles_are_taken_for_densities_of_32_bits_and_only_where_linux_tells_of_them(way):
    assert bool(kernels._kernel_of(RULES["three bands"]).byte_tables_at) is way
    assert kernels._kernel_of(RULES["densities of 64 bits"]).byte_tables_at == 0


def test_a_processor_shuffles_bytes_if_it_has_all_the_instructions(monkeypatch):
    every = "fpu sse avx512f avx512bw avx512dq avx512vl avx512vbmi popcnt bmi1 bmi2 gfni"
    for flags, is_able in ((every, True), (every.replace("avx512vbmi", "avx512vbmi2"), False), ("fpu", False)):
        told = ("vendor_id : AuthenticAMD", f"flags : {flags}")
        monkeypatch.setattr("wsi_area.compute.processor.as_linux_tells", lambda told=told: told)
        shuffles_bytes.cache_clear()
        assert shuffles_bytes() is is_able
    monkeypatch.setattr("wsi_area.compute.processor.as_linux_tells", tuple)  # another system, another processor
    shuffles_bytes.cache_clear()
    assert shuffles_bytes() is False
    monkeypatch.undo()
    shuffles_bytes.cache_clear()


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="compiled for another x86 processor")
def test_the_kernel_compiles_for_a_processor_that_has_no_shuffles_and_sorts_as_by_the_rule(way, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CPU_NAME", "x86-64")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(machine_code, "_LOADED", {})
    processor.cache_clear()
    try:
        assert_is_the_rule(noise(2, 300), RULES["three bands"])
        assert [file.suffix for file in tmp_path.rglob("compiled.classify_patches*")] == [".o"]
    finally:
        monkeypatch.undo()
        processor.cache_clear()
