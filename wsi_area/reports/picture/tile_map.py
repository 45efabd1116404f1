"""reports: what each tile of a slide holds, from its ledger, as a small picture of one square a tile."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import ClassScheme
from wsi_area.model.ledger import NOT_COMMITTED, LedgerLayout, TileStatus
from wsi_area.results.class_map.class_codes import OUTSIDE_RGB, UNREADABLE_RGB

RAMP_RGB = (
    (255, 255, 217), (237, 248, 177), (199, 233, 180), (127, 205, 187), (65, 182, 196), (29, 145, 192),
    (34, 94, 168), (37, 52, 148), (8, 29, 88),
)  # fmt: skip
"""ColorBrewer's YlGnBu, which the colour-blind can read and a grey printer too: it darkens all the way."""
SKIPPED_RGB, NOTHING_RGB, UNSAMPLED_RGB = (238, 238, 238), (190, 190, 190), (250, 244, 230)
_STEPS = 64
_SKIPPED, _NOTHING, _OUTSIDE, _UNREADABLE, _UNSAMPLED, _LINE = range(_STEPS, _STEPS + 6)


@frozen_value
class TileFacts:
    """What the colours of a tile picture mean: what is kept of it for the page."""

    of: str  # what the fraction is of
    skipped: int  # tiles of bare glass
    nothing: int  # not scanned
    outside: int  # of the region of interest
    unreadable: int
    unsampled: int = 0  # spots that an estimate did not draw


@frozen_value(eq=False)
class TileMap:
    """One square for each tile, as palette indices."""

    indices: NDArray[np.uint8]  # (rows * square_px, cols * square_px)
    palette: bytes
    facts: TileFacts


def tile_map(rows: NDArray[np.int64], scheme: ClassScheme, square_px: int) -> TileMap:
    """Return the share of each tile's classified pixels that is tumour; else positive, else tissue.

    Parameters
    ----------
    rows : int64 (grid_rows, grid_cols, columns)
        The ledger.
    scheme : ClassScheme
    square_px : int
        Side of a square; from 6 on, a hair line parts them.
    """
    layout = LedgerLayout(len(scheme.classes))
    by_class = rows[..., : layout.class_count]
    status = rows[..., layout.status_column]
    name, wanted = scheme.headline
    classified = by_class.sum(axis=-1)
    share = by_class[..., list(wanted)].sum(axis=-1) / np.maximum(classified, 1)
    squares = np.minimum((share * _STEPS).astype(np.uint8), _STEPS - 1)
    squares[status == TileStatus.SKIPPED] = _SKIPPED
    # a tile outside the region of interest is committed as skipped, too; what it counts tells the two apart
    squares[classified == 0] = _NOTHING
    squares[(classified == 0) & (rows[..., layout.outside_roi_column] > 0)] = _OUTSIDE
    squares[(status == TileStatus.UNREADABLE) | (status == NOT_COMMITTED)] = _UNREADABLE
    squares[status == TileStatus.UNSAMPLED] = _UNSAMPLED
    picture = squares.repeat(square_px, axis=0).repeat(square_px, axis=1)
    if square_px >= 6:
        picture[square_px - 1 :: square_px] = _LINE
        picture[:, square_px - 1 :: square_px] = _LINE
    counted = np.bincount(squares.reshape(-1), minlength=_LINE)
    facts = TileFacts(
        name,
        int(counted[_SKIPPED]),
        int(counted[_NOTHING]),
        int(counted[_OUTSIDE]),
        int(counted[_UNREADABLE]),
        int(counted[_UNSAMPLED]),
    )
    return TileMap(picture, _palette(), facts)


def _palette() -> bytes:
    at = np.linspace(0, len(RAMP_RGB) - 1, _STEPS)
    ramp = np.stack([np.interp(at, range(len(RAMP_RGB)), channel) for channel in np.array(RAMP_RGB).T], axis=1)
    return bytes(np.rint(ramp).astype(np.uint8)) + bytes(
        (*SKIPPED_RGB, *NOTHING_RGB, *OUTSIDE_RGB, *UNREADABLE_RGB, *UNSAMPLED_RGB, 255, 255, 255)
    )
