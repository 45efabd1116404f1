"""inputs: a pixel size that somebody typed: its number, its reason, how sure it is, and that it is meant."""

import json
import tomllib
from pathlib import Path
from typing import Any

from wsi_area.compute.units import UM_PER_INCH, length_um, positive_number, two_readings
from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp, MppCandidate

_RECORD_KEYS = ("instrument", "date", "certificate", "u_um", "mpp_x", "mpp_y")
_MAX_RECORD_BYTES = 1 << 20


@frozen_value
class Sureness:
    """How sure a typed pixel size is."""

    u_um: float | None = None  # standard uncertainty of the size of a pixel; None: nobody says
    traced_to: str = ""  # instrument, date, certificate
    is_confirmed: bool = False  # it is meant, whatever the file says


UNSURE = Sureness()
"""Of a size that was typed and nothing more."""


@frozen_value
class CalibrationRecord:
    """What a calibration record says of a pixel size."""

    sureness: Sureness
    mpp: Mpp | None  # None: it only says how sure a size is that is given elsewhere


def override_of(mpp: Mpp, source: str, reason: str, sureness: Sureness) -> MppCandidate:
    """Return a typed pixel size as a claim.

    Raises
    ------
    SettingsError
        The reason holds no word.
    """
    return MppCandidate(
        mpp, source, "override", "given", in_words(reason, f"the reason of {source}"), u_um=sureness.u_um,
        traced_to=sureness.traced_to, is_confirmed=sureness.is_confirmed,
    )  # fmt: skip


def parse_mpp(text: str | None) -> Mpp | None:
    """Return the pixel size that ``--mpp X[,Y]`` states.

    >>> parse_mpp("0.25,0.5")
    Mpp(x=0.25, y=0.5)

    Raises
    ------
    SettingsError
        It is not one or two numbers above 0, or can be read in two ways.
    """
    if text is None:
        return None
    refuse_two_readings(f"--mpp {text}", text)
    parts = text.split(",")
    if len(parts) > 2:
        raise SettingsError(f"--mpp {text}: give one number, or x,y with decimal points, such as 0.25,0.26")
    numbers = [
        mpp_number(part.strip(), f"--mpp {text}: the {axis} part") for part, axis in zip(parts, "xy", strict=False)
    ]
    return Mpp(numbers[0], numbers[-1])


def parse_dpi(text: str) -> Mpp:
    """Return the pixel size of the dots per inch that ``--dpi X[,Y]`` states.

    >>> parse_dpi("254.0,127.0")
    Mpp(x=100.0, y=200.0)

    Raises
    ------
    SettingsError
        It is not one or two numbers above 0, or can be read in two ways.
    """
    refuse_two_readings(f"--dpi {text}", text)
    densities = [positive_number(part) for part in text.split(",")]
    if len(densities) > 2 or None in densities:
        raise SettingsError(
            f"--dpi {text}: give dots per inch above 0, one number or x,y with decimal points, such as 300"
        )
    um = [UM_PER_INCH / density for density in densities if density is not None]
    return Mpp(um[0], um[-1])


def refuse_two_readings(what: str, text: str) -> None:
    """Refuse numbers that could be one with a decimal comma, or two.

    Raises
    ------
    SettingsError
        With both readings.
    """
    if both := two_readings(text):
        raise SettingsError(f"{what}: {both}")


def in_words(reason: str, what: str) -> str:
    """Return the reason why a pixel size is believed, stripped; none is a finding (MPP_OVERRIDE), no error.

    >>> in_words(" scanner log ", "mpp_reason"), in_words("", "mpp_reason")
    ('scanner log', '')

    Raises
    ------
    SettingsError
        It holds no word: half of a number with a decimal comma, most likely.
    """
    told = reason.strip()
    if told and not any(character.isalpha() for character in told):
        raise SettingsError(f"{what} is {told!r}; say in words where the pixel size comes from")
    return told


def mpp_number(text: str, what: str) -> float:
    """Return a pixel size in µm from text, with a decimal point or comma; another unit of length may be named.

    >>> mpp_number("0,25", "mpp_x"), mpp_number("10m", "mpp_x")
    (0.25, 10000000.0)

    Raises
    ------
    SettingsError
        It is no number above 0.
    """
    number = length_um(text)
    if number is None:
        raise SettingsError(
            f"{what} is {text!r}; give µm per pixel above 0, such as 0.25, or with its unit, such as 10m"
        )
    return number


def stated_u_um(text: str, what: str, mpp: Mpp | None) -> float:
    """Return a stated standard uncertainty in µm per pixel.

    Raises
    ------
    SettingsError
        It is no number above 0, is as large as the pixel, or of no pixel size.
    """
    refuse_two_readings(f"{what} {text}", text)
    number = length_um(text)
    if number is None:
        raise SettingsError(f"{what} is {text!r}; give the standard uncertainty in µm per pixel above 0, such as 0.001")
    if mpp is None:
        raise SettingsError(
            f"{what} {text} is the uncertainty of no pixel size; give the size too, with --mpp or mpp_x"
        )
    if number >= min(mpp.x, mpp.y):
        raise SettingsError(
            f"{what} {text} is as large as the pixel of {min(mpp.x, mpp.y):g} µm; give µm per pixel, no percentage"
        )
    return number


def typed_mpp(
    size: Mpp | None, u: str | float | None, record: str | Path | None, *, is_confirmed: bool, names: tuple[str, str]
) -> tuple[Mpp | None, Sureness]:
    """Return the pixel size that was typed, or that its record states, and how sure it is.

    Parameters
    ----------
    size : Mpp or None
    u : str, float or None
        Standard uncertainty in µm per pixel; counts for more than the record's.
    record : path or None
        A calibration record, as `read_record` takes it.
    is_confirmed : bool
    names : tuple of str
        By what names uncertainty and record were given, for messages.

    Raises
    ------
    SettingsError
        Something cannot be read, or is said of no pixel size.
    """
    u_name, record_name = names
    told = None if record is None else read_record(Path(record), record_name)
    if told is not None and told.mpp is not None:
        if size is not None and size != told.mpp:
            raise SettingsError(
                f"{record_name} {record} is of pixels of {told.mpp.x:g} × {told.mpp.y:g} µm, and {size.x:g} × "
                f"{size.y:g} µm were given; give one of them"
            )
        size = told.mpp
    if size is None and told is not None:
        raise SettingsError(f"{record_name} {record} states no mpp_x; give the pixel size too")
    u_um = None if u is None or u == "" else stated_u_um(str(u), u_name, size)
    if told is not None:
        u_um = stated_u_um(repr(told.sureness.u_um), f"u_um of {record}", size) if u_um is None else u_um
    return size, Sureness(u_um, "" if told is None else told.sureness.traced_to, is_confirmed)


def read_record(path: Path, what: str) -> CalibrationRecord:
    """Return a calibration record: TOML, or JSON, with instrument, date, certificate and u_um (µm per pixel).

    ``mpp_x`` and ``mpp_y`` may state the pixel size itself.

    Raises
    ------
    SettingsError
        It cannot be read, lacks one of these, or has another key.
    """
    told = _parsed(path, what)
    if "u" in told and "u_um" not in told:
        told["u_um"] = told.pop("u")
    wrong = [f"unknown key {key}" for key in told if key not in _RECORD_KEYS]
    wrong += [f"no {key}" for key in ("instrument", "date", "certificate") if not str(told.get(key, "")).strip()]
    wrong += [
        f"{key} is {told.get(key)!r}, no number of µm above 0"
        for key in ("u_um", "mpp_x", "mpp_y")
        if (key in told or key == "u_um") and not _is_size(told.get(key))
    ]
    if "mpp_y" in told and "mpp_x" not in told:
        wrong.append("mpp_y without mpp_x")
    if wrong:
        raise SettingsError(f"{what} {path}: {'; '.join(wrong)}; it has {', '.join(_RECORD_KEYS)}")
    traced = f"{told['instrument']}, {told['date']}, certificate {told['certificate']}"
    mpp = Mpp(float(told["mpp_x"]), float(told.get("mpp_y", told["mpp_x"]))) if "mpp_x" in told else None
    return CalibrationRecord(Sureness(float(told["u_um"]), traced), mpp)


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and positive_number(value) is not None


def _parsed(path: Path, what: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_RECORD_BYTES).decode("utf-8-sig")
        told = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"{what} {path} cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise SettingsError(f"{what} {path} is neither TOML nor JSON: {error}") from error
    if not isinstance(told, dict):
        raise SettingsError(f"{what} {path} holds no keys; it has {', '.join(_RECORD_KEYS)}")
    return told
