"""A picture of classes over a photograph: washes that the tissue shows through, and rims round patches."""

import numpy as np

from wsi_area.compute.picture.washes import WASH, outlined


def test_background_is_clear_and_a_patch_has_a_rim() -> None:
    picture = np.zeros((40, 40), np.uint8)
    picture[10:30, 10:30] = 1
    indices, palette, opacity = outlined(picture, {0: (255, 255, 255), 1: (200, 100, 0)}, wash=WASH)
    assert opacity[indices[0, 0]] == 0
    assert tuple(palette[3 * indices[20, 20] :][:3]) == (200, 100, 0)
    assert 0 < opacity[indices[20, 20]] < 255
    assert outlined(picture, {1: (200, 100, 0)})[2][indices[20, 20]] == 255  # what the legend shows, where not asked
    assert opacity[indices[10, 20]] == 255
    assert int((indices == indices[10, 20]).sum()) == 4 * 20 - 4


def test_a_fine_mixture_has_no_rims() -> None:
    picture = (np.indices((20, 20)).sum(axis=0) % 2 + 1).astype(np.uint8)
    indices, _, opacity = outlined(picture, {1: (9, 9, 9), 2: (90, 90, 90)}, wash=WASH)
    assert 255 not in {opacity[index] for index in np.unique(indices)}


def test_yellow_over_stained_tissue_stays_nearer_to_yellow_than_to_orange() -> None:
    yellow, orange = np.array([246, 216, 96]), np.array([235, 140, 52])  # weak and moderate of configs/ihc_dab.toml
    for tissue in ([205, 105, 150], [176, 138, 104], [120, 80, 50]):  # eosin, weak DAB, strong DAB
        seen = yellow + (np.array(tissue) - yellow) * (1 - WASH / 255)
        assert np.linalg.norm(seen - yellow) < 0.6 * np.linalg.norm(seen - orange)
