"""demo: where the tissue of the demo slide lies, and its area in closed form; no pixels and no file."""

from wsi_area.demo.outlines import CornerPiece, CutDisc, Disc, Ellipse, Lobed, Outline
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size

SIZE = Size(8000, 8000)
MPP = Mpp(0.5, 0.5)


@frozen_value
class DemoIsland:
    """One piece of tissue, and the DAB-positive nests that lie wholly inside it."""

    name: str
    outline: Outline
    nests: tuple[Outline, ...] = ()

    @property
    def tissue_area_mm2(self) -> float:
        """Return the area inside the outline, nests included, in mm²."""
        return self.outline.area_px2 * MPP.pixel_area_mm2

    @property
    def positive_area_mm2(self) -> float:
        """Return the area of its nests in mm²."""
        return sum(nest.area_px2 for nest in self.nests) * MPP.pixel_area_mm2


ISLANDS = (
    DemoIsland(
        "disc",
        Disc(2050, 2050, 1500),
        (
            Lobed(1500, 1480, 440, ((2, 0.12, 0.4), (3, 0.09, 1.0), (5, 0.05, 2.0))),
            Lobed(2560, 1500, 330, ((2, 0.15, 2.2), (4, 0.07, 0.3))),
            Lobed(1750, 2620, 480, ((3, 0.13, 0.0), (5, 0.06, 1.1))),
            Lobed(2750, 2480, 360, ((2, 0.10, 1.5), (3, 0.10, 2.6))),
        ),
    ),
    DemoIsland("ring", Disc(5900, 2000, 1450, hole_px=480), (Disc(5900, 2000, 900, hole_px=480),)),
    DemoIsland(
        "ellipse",
        Ellipse(2150, 5850, (1750, 1050), -28),
        (
            Lobed(1350, 6280, 350, ((2, 0.13, 0.9), (3, 0.08, 0.2))),
            Ellipse(2250, 5800, (520, 340), 35),
            Lobed(3050, 5350, 390, ((3, 0.12, 1.7), (4, 0.06, 0.5))),
        ),
    ),
    DemoIsland(
        "cut disc",
        CutDisc(5750, 5600, 1500, angle_deg=20, distance_px=850),
        (
            Lobed(5200, 4950, 420, ((2, 0.10, 0.0), (3, 0.11, 2.0), (6, 0.04, 1.0))),
            Lobed(6050, 5350, 380, ((2, 0.14, 1.1), (5, 0.05, 0.0))),
            Lobed(5250, 6250, 460, ((3, 0.10, 0.7), (4, 0.08, 2.9))),
        ),
    ),
    DemoIsland("corner", CornerPiece(SIZE, 1400, 1150)),
    # fragments round corners and seams of tiles
    DemoIsland("fragment 1", Lobed(3840, 3840, 190, ((2, 0.10, 0.3), (3, 0.12, 1.2)))),
    DemoIsland("fragment 2", Lobed(3840, 7424, 230, ((2, 0.16, 1.0), (3, 0.08, 0.0)))),
    DemoIsland(
        "fragment 3",
        Lobed(7552, 4096, 210, ((2, 0.12, 2.0), (5, 0.06, 0.4))),
        (Disc(7552, 4096, 110),),
    ),
    DemoIsland(
        "fragment 4",
        Lobed(512, 4000, 240, ((3, 0.14, 0.6), (4, 0.05, 2.0))),
        (Disc(512, 4000, 130),),
    ),
)
