"""run: whether results are of one kind: the same settings, and the same version of somebody else's segmenter."""

from collections.abc import Mapping
from typing import Any

from wsi_area.errors import StaleResultError
from wsi_area.run.array.array_plan import ArrayPlan
from wsi_area.run.continuation import package_change
from wsi_area.run.run_document import segmenter_facts
from wsi_area.settings.run_settings import MEASUREMENT_SECTIONS, RunSettings

_KIND = ("config_hash", "segmenter_package")
"""What of a run.json, or of the header of one, says of which kind it is."""


def are_of_one_kind(about: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two runs, each by its run.json or what that begins with, measured alike.

    >>> are_of_one_kind({"config_hash": "a"}, {"config_hash": "a", "state": "running"})
    True
    >>> are_of_one_kind({"config_hash": "a"}, {"config_hash": "a", "segmenter_package": "nuclei 2.1"})
    False
    """
    return all(about.get(name) == other.get(name) for name in _KIND)


def is_of(about: Mapping[str, Any], settings: RunSettings) -> bool:
    """Return whether the run that a run.json is of measured as these settings would, here and now."""
    return are_of_one_kind(about, {"config_hash": settings.measurement_hash, **segmenter_facts(settings)})


def differences(about: Mapping[str, Any], settings: RunSettings) -> str:
    """Return in what the run that a run.json is of differs from these settings, then and now."""
    earlier, now = about.get("settings", {}), settings.canonical()
    found = [
        f"{section}.{key} {_change(then.get(key), own.get(key))}"
        for section, then, own in ((name, earlier.get(name, {}), now[name]) for name in MEASUREMENT_SECTIONS)
        for key in sorted({*then, *own})
        if then.get(key) != own.get(key)
    ]
    packages = about.get("segmenter_package"), segmenter_facts(settings).get("segmenter_package")
    if packages[0] != packages[1]:
        found.append(f"segmenter package {package_change(*packages)}")
    return ", ".join(found) or "another version"


def _change(then: Any, now: Any) -> str:
    return "differ" if isinstance(then, list) or isinstance(now, list) else f"was {then!r}, is {now!r}"


def refuse_other_kind(plan: ArrayPlan, settings: RunSettings) -> None:
    """Refuse to merge what another version of the package, or of somebody else's segmenter, measured.

    Raises
    ------
    StaleResultError
    """
    if settings.measurement_hash != plan.config_hash:
        raise StaleResultError("the shards were measured by another version of wsi_area; merge them with that one")
    package = segmenter_facts(settings).get("segmenter_package")
    if plan.segmenter_package not in (None, package):
        raise StaleResultError(
            f"the shards were measured with {plan.segmenter_package}, installed here is {package or 'none of it'}; "
            "merge them where that one is installed"
        )
