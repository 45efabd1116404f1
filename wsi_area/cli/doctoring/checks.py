"""cli: what the doctor looks at: versions, extras, readers, the compiled kernels, the machine, and one slide."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from wsi_area.compute.calibration.policy import CalibrationPolicy
from wsi_area.compute.quantity_text import number_text, pair_text
from wsi_area.errors import LaneError, WsiAreaError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import collect_slides
from wsi_area.run.check import check_slide
from wsi_area.run.context import SHARE_FOR_TASKS, task_memory_limit_bytes
from wsi_area.storage.processes import usable_cores

Verdict = Literal["ok", "warning", "fault", "absent"]
"""``absent`` is an extra that nobody has to have."""

_DEVELOPERS_EXTRA = "dev"
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?[^;]*(?:;\s*extra == ['\"]([\w-]+)['\"])?")
_LEAST_DISK_BYTES = 1 << 30
_LEAST_MEMORY_BYTES = 2 << 30


@frozen_value
class Check:
    """One thing that was looked at."""

    part: str
    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


def dependency_checks() -> Iterator[Check]:
    """Yield the version of everything that must be there, and of each extra."""
    extras: dict[str, list[tuple[str, str]]] = {}
    for name, least, extra in _requirements():
        if extra:
            extras.setdefault(extra, []).append((name, least))
            continue
        found = _version(name)
        good = found is not None and _numbers(found) >= _numbers(least)
        wanted = f" (needs {least} or later)" if least and not good else ""
        remedy = "" if good else f"pip install --upgrade '{name}>={least}'" if least else f"pip install {name}"
        yield Check("packages", name, "ok" if good else "fault", f"{found or 'not installed'}{wanted}", remedy)
    for extra, wanted_here in sorted(extras.items()):
        if extra != _DEVELOPERS_EXTRA:
            yield _extra_check(extra, wanted_here)


def _extra_check(extra: str, wanted: list[tuple[str, str]]) -> Check:
    versions = {name: _version(name) for name, _ in wanted}
    lacking = [n for n, least in wanted if versions[n] is None or _numbers(versions[n] or "") < _numbers(least)]
    found = ", ".join(f"{name} {text or 'not installed'}" for name, text in versions.items())
    remedy = f"pip install 'wsi-area[{extra}]'" if lacking else ""
    return Check("extras", extra, "absent" if lacking else "ok", found, remedy)


def _requirements() -> Iterator[tuple[str, str, str]]:
    """Yield name, least version and extra ("" where there is none) of each line of the package's metadata."""
    for line in requires("wsi-area") or ():
        found = _REQUIREMENT.match(line)
        if found:
            yield found[1], found[2] or "", found[3] or ""


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a version, up to the first part that is none.

    >>> _numbers("4.0.0.6") < _numbers("4.0.1rc1")
    True
    """
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def reading_checks() -> Iterator[Check]:
    """Yield whether slides can be read: the library, the codecs, and a slide that is made and read both ways."""
    from wsi_area.slides.available import available_codecs, openslide_library_version

    yield Check("reading", "OpenSlide library", "ok", openslide_library_version())
    for name, there in available_codecs().items():
        remedy = "" if there else "pip install --force-reinstall imagecodecs; until then OpenSlide reads such slides"
        yield Check("reading", f"codec {name}", "ok" if there else "warning", "there" if there else "missing", remedy)
    from wsi_area.cli.doctoring.trial import lanes_fault

    fault = lanes_fault()
    told = fault or "a JPEG-tiled TIFF reads the same through OpenSlide and directly, byte for byte"
    yield Check(
        "reading",
        "both lanes",
        "fault" if fault else "ok",
        told,
        "please report this with the versions" if fault else "",
    )


def kernel_checks() -> Iterator[Check]:
    """Yield whether the compiled kernels count as numpy does, whether all are there, and whether others can be kept."""
    from wsi_area.cli.doctoring.trial import kernel_fault
    from wsi_area.compute.kept_code import place_for
    from wsi_area.compute.shipped_code import shipped_bitcode
    from wsi_area.compute.shipping import declared_natives

    fault = kernel_fault()
    told = fault or "262 144 pixels get the classes and counts that numpy gives them"
    remedy = "please report this with the versions" if fault else ""
    yield Check("kernel", "compiled kernel", "fault" if fault else "ok", told, remedy)
    natives = declared_natives()
    there = sum(shipped_bitcode(native) is not None for native in natives)
    whole = there == len(natives)
    remedy = "" if whole else "the first run that calls one of the others compiles it; install anew to have them all"
    yield Check("kernel", "shipped", "ok" if whole else "absent", f"{there} of {len(natives)} kernels", remedy)
    cache = place_for("wsi_area.segmenters.colour.compiled")
    remedy = "" if cache else "set NUMBA_CACHE_DIR to a folder that can be written; else every process makes them anew"
    yield Check("kernel", "its cache", "ok" if cache else "warning", f"{cache or 'nowhere to write'}", remedy)


def machine_checks(out: Path) -> Iterator[Check]:
    """Yield what this machine allows a run."""
    yield Check("machine", "Python", "ok", f"{platform.python_version()}, {sys.executable}")
    yield Check("machine", "system", "ok", f"{platform.system()} {platform.release()}, {platform.machine()}")
    cores = usable_cores()
    yield Check("machine", "cores", "ok", f"{cores} that this process may use, of {os.cpu_count()}")
    memory = int(task_memory_limit_bytes(None, 1) / SHARE_FOR_TASKS)
    little = memory < _LEAST_MEMORY_BYTES
    remedy = "give the process or the container at least 2 GiB" if little else ""
    told = f"{_gib(memory)} in all; {_gib(task_memory_limit_bytes(None, cores))} for each of {cores} tasks"
    yield Check("machine", "memory", "warning" if little else "ok", told, remedy)
    yield _disk_check(out)


def _disk_check(out: Path) -> Check:
    place = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    if not os.access(place, os.W_OK):
        return Check("machine", "disk", "fault", f"{place} cannot be written", "name another folder with --out")
    free = shutil.disk_usage(place).free
    little = free < _LEAST_DISK_BYTES
    remedy = (
        "free some space, or name another disk with --out; wsi-area plan says how much a run needs" if little else ""
    )
    return Check("machine", "disk", "warning" if little else "ok", f"{_gib(free)} free at {place}", remedy)


def slide_checks(path: str) -> Iterator[Check]:
    """Yield what is known of one slide, and whether its pixels can be read."""
    from wsi_area.model.geometry import Region
    from wsi_area.slides import borrow_reader, choose_lane, close_readers

    (slide,) = collect_slides([path])
    found = check_slide(slide, CalibrationPolicy())
    if found.info is None or found.calibration is None:
        yield Check("slide", slide.slide_id, "fault", found.error)
        return
    info, mpp = found.info, found.calibration.mpp
    size = f"{number_text(info.size_l0_px.width_px)} × {number_text(info.size_l0_px.height_px)} px"
    yield Check("slide", slide.slide_id, "ok", f"{info.vendor}, {size}, {len(info.levels)} levels")
    if mpp is None:
        yield Check("slide", "pixel size", "warning", found.calibration.reason, f"wsi-area check {path}")
    else:
        yield Check("slide", "pixel size", "ok", f"{pair_text(mpp.x, mpp.y)} µm: {found.calibration.reason}")
    try:
        lane = choose_lane(info, [0], "auto")
        middle = Region(info.size_l0_px.width_px // 2, info.size_l0_px.height_px // 2, 1, 1)
        with borrow_reader(info, lane.lane) as reader:
            reader.read(0, middle)
    except (WsiAreaError, LaneError, OSError) as error:
        yield Check("slide", "pixels", "fault", str(error))
    else:
        yield Check("slide", "pixels", "ok", f"read by the {lane.lane} lane: {lane.reason}")
    finally:
        close_readers()


def _gib(size_bytes: float) -> str:
    return f"{size_bytes / 2**30:.1f} GiB"
