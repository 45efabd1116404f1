"""The envelope of tissue against scikit-image, and against areas that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label
from skimage.morphology import closing

from wsi_area.compute.objects.envelope import envelope, within

BOX = (8.0, 8.0)


def disc(radius, size=120, centre=(60, 60)):
    y, x = np.mgrid[:size, :size]
    return (x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2


def footprint(radius_um, box_um):
    """Every box whose centre lies within the radius."""
    across, down = int(radius_um / box_um[0]), int(radius_um / box_um[1])
    y, x = np.mgrid[-down : down + 1, -across : across + 1]
    return (x * box_um[0]) ** 2 + (y * box_um[1]) ** 2 <= radius_um**2 * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.02, 0.1, 0.4, 0.7]),
    st.sampled_from([0.0, 8.0, 17.0, 33.0]),
    st.sampled_from([(8.0, 8.0), (5.0, 9.0)]),
)
def test_without_filling_it_is_the_closing_of_scikit_image(seed, share, radius_um, box_um):
    mask = np.random.default_rng(seed).random((23, 31)) < share
    wide = np.pad(mask, 12)  # so that its rim is not the closing's
    exact = closing(wide, footprint(radius_um, box_um))[12:-12, 12:-12]
    np.testing.assert_array_equal(envelope(mask, box_um, radius_um, 0.0), exact)


@pytest.mark.parametrize("radius", [3, 20, 50])
def test_tissue_without_gaps_is_its_own_envelope(radius):
    mask = disc(radius)
    np.testing.assert_array_equal(envelope(mask, BOX, 50.0, 250.0), envelope(mask, BOX, 50.0, 250.0) & mask | mask)
    assert within(envelope(mask, BOX, 50.0, 250.0)).sum() <= mask.sum()


def test_fat_between_septa_is_taken_in_whole():
    y, x = np.mgrid[:120, :120]
    septa = ((x % 12 < 2) | (y % 12 < 2)) & disc(50)  # gaps of 80 µm
    assert septa.sum() < 0.4 * disc(50).sum()
    assert envelope(septa, BOX, 50.0, 250.0).sum() == pytest.approx(
        disc(50).sum(), rel=0.05
    )  # but for cells that its rim opens


@pytest.mark.parametrize(("lumen_um", "is_filled"), [(120.0, True), (240.0, True), (300.0, False), (380.0, False)])
def test_an_enclosed_gap_is_filled_where_no_disc_of_the_scale_fits(lumen_um, is_filled):
    ring = disc(55) & ~disc(lumen_um / 8.0)
    found = envelope(ring, BOX, 20.0, 250.0)
    assert found[60, 60] == is_filled
    assert found.sum() == (disc(55).sum() if is_filled else ring.sum())


def test_a_gap_that_opens_to_the_outside_is_not_filled():
    ring = disc(55) & ~disc(12)
    ring[50:70, 60:] = False  # a channel of 160 µm
    assert not envelope(ring, BOX, 20.0, 250.0)[60, 60]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 0.5, 0.6]))
def test_what_is_filled_are_whole_gaps_that_reach_no_rim(seed, share):
    mask = np.random.default_rng(seed).random((24, 30)) < share
    filled = envelope(mask, (1.0, 1.0), 0.0, 2.0)
    gaps = label(~mask, connectivity=1)
    rim = set(np.unique(np.r_[gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]]).tolist())
    # a gap stays where a disc of radius 2 around one of its boxes touches no tissue
    far = np.stack([np.roll(np.pad(~mask, 3, constant_values=True), (dy, dx), (0, 1))[3:-3, 3:-3]
                    for dy, dx in zip(*np.nonzero(footprint(2.0, (1.0, 1.0))), strict=True)
                    for dy, dx in [(dy - 2, dx - 2)]]).all(axis=0)  # fmt: skip
    for number in range(1, gaps.max() + 1):
        gap = gaps == number
        stays = number in rim or bool((gap & far).any())
        assert filled[gap].all() == (not stays)
        assert filled[gap].any() == (not stays)


def test_of_nothing_there_is_no_envelope():
    assert not envelope(np.zeros((5, 5), bool), BOX, 50.0, 250.0).any()
