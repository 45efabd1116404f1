"""compute: the arithmetic behind one area, step by step, as a value and as text; pure."""

import math

from wsi_area.compute.calibration.plausibility import outside_band, power_argument
from wsi_area.compute.calibration.policy import CalibrationPolicy, PowerBand
from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.quantity_text import area_unit, number_text, pair_text
from wsi_area.errors import ImplausibleMppError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp

UM_PER_INCH = 25_400.0
_SLIP = 100.0  # a length off by it is an area off by ten thousand: 50 µm for the 0.5 µm of ×20
_DEFAULT_POLICY = CalibrationPolicy()


@frozen_value
class Step:
    """One line of the arithmetic."""

    text: str  # what was done, with the numbers that went in
    value: float
    unit: str


@frozen_value
class PixelSize:
    """A pixel size and the steps that led to it."""

    mpp: Mpp
    steps: tuple[Step, ...]


@frozen_value
class Explanation:
    """One area with every step that led to it; the last step is the answer."""

    question: str
    steps: tuple[Step, ...]
    n_px: int
    mpp: Mpp
    area_mm2: float


def from_mpp(mpp: Mpp, source: str = "as given") -> PixelSize:
    """Return a pixel size that was stated as one.

    >>> from_mpp(Mpp(0.5, 0.25)).steps[1]
    Step(text='pixel height (as given)', value=0.25, unit='µm')
    """
    _refuse_nonsense(mpp.x, mpp.y, "a pixel size in µm")
    if mpp.x == mpp.y:
        return PixelSize(mpp, (Step(f"pixel width and height ({source})", mpp.x, "µm"),))
    return PixelSize(mpp, (Step(f"pixel width ({source})", mpp.x, "µm"), Step(f"pixel height ({source})", mpp.y, "µm")))


def from_dpi(dpi_x: float, dpi_y: float) -> PixelSize:
    """Return the pixel size of a print density: ``mpp = 25 400 µm per inch / dots per inch``.

    >>> round(from_dpi(300, 300).mpp.x, 4)
    84.6667
    """
    _refuse_nonsense(dpi_x, dpi_y, "dots per inch")
    mpp = Mpp(UM_PER_INCH / dpi_x, UM_PER_INCH / dpi_y)
    return PixelSize(
        mpp,
        tuple(
            Step(f"pixel {side} = 25 400 µm per inch / {number_text(dpi)} dots per inch", um, "µm")
            for side, dpi, um in _axes(dpi_x, dpi_y, mpp)
        ),
    )


def from_spacing_mm(row_mm: float, column_mm: float) -> PixelSize:
    """Return the pixel size of a DICOM ``PixelSpacing``, which is [between rows, between columns] in mm.

    The first number is therefore the height of a pixel: ``mpp_y = 1000 · s[0]``, ``mpp_x = 1000 · s[1]``
    (DICOM PS3.3, section 10.7.1.3).

    >>> from_spacing_mm(0.028968, 0.028969).mpp
    Mpp(x=28.969, y=28.968)
    """
    _refuse_nonsense(row_mm, column_mm, "a spacing in mm")
    mpp = Mpp(1000 * column_mm, 1000 * row_mm)
    return PixelSize(
        mpp,
        (
            Step(f"pixel width = 1000 µm/mm × {number_text(column_mm)} mm between columns", mpp.x, "µm"),
            Step(f"pixel height = 1000 µm/mm × {number_text(row_mm)} mm between rows", mpp.y, "µm"),
        ),
    )


def explain_area(
    n_px: int,
    size: PixelSize,
    *,
    what: str = "pixels",
    power: float | None = None,
    policy: CalibrationPolicy = _DEFAULT_POLICY,
    is_judged: bool = False,
) -> Explanation:
    """Return the area of a number of pixels with each step: pixel area, product, and mm².

    An objective power is a cross-check of the pixel size and enters no arithmetic. ``is_judged`` holds the pixel size
    to what level 0 of a glass slide can have, as a run does.

    >>> explain_area(15_000, from_mpp(Mpp(0.5, 0.5)), power=20).area_mm2
    0.00375

    Raises
    ------
    ImplausibleMppError
        The objective, or any slide, cannot have such pixels.
    SettingsError
        The count is below 0 or the power is no power.
    """
    if n_px < 0:
        raise SettingsError(f"{n_px} pixels cannot be counted; give 0 or more")
    mpp = size.mpp
    if is_judged and power is None:
        _refuse_out_of_band(n_px, mpp, policy)
    pixel_um2 = mpp.x * mpp.y
    steps = [*size.steps]
    if power is not None:
        steps.append(_checked_power(mpp, power, policy))
    steps += [
        Step(f"area of a pixel = {number_text(mpp.x)} µm × {number_text(mpp.y)} µm", pixel_um2, "µm²"),
        Step(f"{what} counted", n_px, "px"),
        Step(f"{number_text(n_px)} px × {number_text(pixel_um2)} µm²", n_px * pixel_um2, "µm²"),
        Step("divided by 1 000 000 µm² per mm²", area_mm2(n_px, mpp), "mm²"),
    ]
    counted = f"is 1 {what.removesuffix('s')}" if n_px == 1 else f"are {number_text(n_px)} {what}"
    question = f"How many mm² {counted} of {pair_text(mpp.x, mpp.y)} µm?"
    return Explanation(question, tuple(steps), n_px, mpp, area_mm2(n_px, mpp))


def explanation_text(explanation: Explanation) -> str:
    """Return the arithmetic as plain lines, the answer last.

    >>> print(explanation_text(explain_area(4, from_mpp(Mpp(0.5, 0.5)))))
    How many mm² are 4 pixels of 0.5 µm?
      pixel width and height (as given)  0.5 µm
      area of a pixel = 0.5 µm × 0.5 µm  0.25 µm²
      pixels counted                     4 px
      4 px × 0.25 µm²                    1 µm²
      divided by 1 000 000 µm² per mm²   1e-6 mm²
    4 px -> 1e-6 mm²
    """
    width = max(len(step.text) for step in explanation.steps)
    lines = [f"  {step.text:<{width}}  {number_text(step.value)} {step.unit}" for step in explanation.steps]
    answer = f"{number_text(explanation.n_px)} px -> {number_text(explanation.area_mm2)} mm²"
    factor, unit = area_unit(explanation.area_mm2)
    if factor != 1:
        answer += f" = {number_text(explanation.area_mm2 * factor)} {unit}"
    return "\n".join([explanation.question, *lines, answer])


def _refuse_out_of_band(n_px: int, mpp: Mpp, policy: CalibrationPolicy) -> None:
    """Refuse pixels that level 0 of no slide has, with what the area would be if the unit had slipped."""
    low_um, high_um = max(policy.fine_um, policy.band_um[0]), policy.band_um[1]
    um = max((mpp.x, mpp.y), key=lambda axis_um: outside_band(axis_um, PowerBand(1, low_um, high_um)))
    if low_um <= um <= high_um:
        return
    meant = Mpp(mpp.x / _SLIP, mpp.y / _SLIP) if um > high_um else Mpp(mpp.x * _SLIP, mpp.y * _SLIP)
    than = f"larger than {number_text(high_um)}" if um > high_um else f"smaller than {number_text(low_um)}"
    raise ImplausibleMppError(
        f"a pixel of {pair_text(mpp.x, mpp.y)} µm is {than} µm, which level 0 of no glass slide is without an "
        f"objective on record. If {pair_text(meant.x, meant.y)} µm was meant, every area is 10 000 times "
        f"{'smaller' if um > high_um else 'larger'}: {number_text(area_mm2(n_px, meant))} mm² here. If it is true, say "
        "what it is: --power N for a slide, --profile plain for another picture, or give --dpi or --spacing-mm"
    )


def _checked_power(mpp: Mpp, power: float, policy: CalibrationPolicy) -> Step:
    if not 0 < power < math.inf:
        raise SettingsError(f"objective power {power} is none; give a number such as 20 or 40")
    band = policy.power_band(power)
    um = max((mpp.x, mpp.y), key=lambda axis_um: outside_band(axis_um, band))
    factor = outside_band(um, band)
    if factor > policy.power_refusal_factor:
        raise ImplausibleMppError(
            f"a pixel of {number_text(um)} µm does not belong to {power_argument(um, band)}. Look for the true pixel "
            "size with wsi-area check SLIDE or in the scanner's log, and give that"
        )
    span = f"{number_text(band.low_um)} to {number_text(band.high_um)} µm"
    verdict = "plausible" if factor <= 1 else "UNUSUAL, compare with the scanner's log"
    return Step(f"check only: ×{number_text(power)} has pixels of {span}, so this is {verdict}", um, "µm")


def _axes(x: float, y: float, mpp: Mpp) -> list[tuple[str, float, float]]:
    """Return (side, input, µm) for each axis, or once for both where they are equal."""
    if x == y:
        return [("width and height", x, mpp.x)]
    return [("width", x, mpp.x), ("height", y, mpp.y)]


def _refuse_nonsense(first: float, second: float, what: str) -> None:
    if not all(math.isfinite(number) and number > 0 for number in (first, second)):
        raise SettingsError(f"{first}, {second} is not {what}; give numbers above 0")
