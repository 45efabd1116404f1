"""compute: one pixel size out of every claim on record, or none and the reason; pure, opens nothing."""

import math
from dataclasses import replace

from wsi_area.compute.calibration.claims import (
    conflicts,
    default_density,
    far_from_own,
    is_size,
    no_claim,
    no_size,
    override_used,
    unread,
    volume_mismatch,
)
from wsi_area.compute.calibration.level_ratios import level_ratio_finding
from wsi_area.compute.calibration.other_picture import belongs_to_another, describes_another, left_over_findings
from wsi_area.compute.calibration.plausibility import implausible
from wsi_area.compute.calibration.policy import GIVEN_FOR_SEVERAL, CalibrationPolicy
from wsi_area.compute.calibration.uncertainty import RELATIVE_U_MPP
from wsi_area.compute.quantity_text import pair_text
from wsi_area.model.calibration import Calibration, MppCandidate
from wsi_area.model.finding import QaFinding
from wsi_area.model.slide import SlideInfo

_LADDER = {"override": 0, "vendor": 1, "tiff": 2, "image": 3}
_SEVERITY_ORDER = {"refusal": 0, "warning": 1, "info": 2}
_SAME_NUMBER = 1e-9  # relative: the same digits, after a division or two
_DEFAULT_POLICY = CalibrationPolicy()
_AGAINST = ("POWER_MISMATCH", "SCANNER_PITCH_MISMATCH")
"""What is on record against a pixel size: it is measured with, but no longer believed as the scanner's own word."""


def calibrate(
    info: SlideInfo, *, override: MppCandidate | None = None, policy: CalibrationPolicy = _DEFAULT_POLICY
) -> Calibration:
    """Return the pixel size to measure with, every claim it was chosen from, and every doubt.

    The ladder: an override, the vendor's metadata, TIFF resolution tags with a unit, image density, none.
    A refusal among the findings means ``chosen`` is None: the slide is counted in pixels only, never guessed.
    An override settles conflicts between the file's claims, but is held to the same plausibility; one that is grossly
    not what the file states needs a reason, and to be confirmed.

    >>> from wsi_area.model.calibration import Mpp
    >>> from wsi_area.model.geometry import Size
    >>> claim = MppCandidate(Mpp(0.499, 0.499), "aperio.MPP", "vendor", "A")
    >>> info = SlideInfo("s", "s.svs", "aperio", Size(2220, 2967), (), "f", 1, 1, 20, mpp_candidates=(claim,))
    >>> calibrate(info).mpp
    Mpp(x=0.499, y=0.499)
    >>> slip = MppCandidate(Mpp(50, 50), "--mpp", "override", "given", "the poster says so")
    >>> [finding.code for finding in calibrate(info, override=slip).findings]
    ['MPP_CONFLICT', 'MPP_IMPLAUSIBLE_EXTENT', 'MPP_OUT_OF_BAND', 'POWER_MISMATCH']
    """
    claims = sorted(info.mpp_candidates, key=lambda claim: (_LADDER[claim.rung], claim.quality))
    usable, doubts = _quarantine(info, claims, policy)
    in_file = usable[0] if usable else None
    doubts += conflicts(info, usable, policy)
    if in_file is not None:
        doubts += volume_mismatch(info, in_file, policy)
    best = in_file if override is None else override
    if override is not None:  # it settles what the file's claims say against each other; they stay on record
        doubts = [replace(doubt, severity="info") for doubt in doubts]
        far = far_from_own(info, override, usable)
        doubts.append(far or override_used(info, override, in_file, policy))
        is_judged = far is None or override.source != GIVEN_FOR_SEVERAL  # else what was meant for others would be
        best = override if is_judged else None
    elif not usable and not any(doubt.severity == "refusal" for doubt in doubts):
        doubts.append(no_claim(info))
    if info.unread_claims and (best is not None or claims):
        doubts.append(unread(info))
    judged = _judgement(info, best, policy)
    findings = [*doubts, *judged, *level_ratio_finding(info, policy)]
    findings.sort(key=lambda finding: _SEVERITY_ORDER[finding.severity])
    chosen = None if any(finding.severity == "refusal" for finding in findings) else best
    if chosen is not None and any(finding.code in _AGAINST for finding in judged):
        chosen = _doubted(chosen)
    candidates = (*claims,) if override is None else (override, *claims)
    return Calibration(chosen, candidates, tuple(findings), _reason(chosen, usable, findings))


def _doubted(claim: MppCandidate) -> MppCandidate:
    """Return a claim that something on record speaks against: no better than a print density, however sure it is."""
    if claim.quality != "given":
        return replace(claim, quality="C")
    least_um = RELATIVE_U_MPP["C"] * min(claim.mpp.x, claim.mpp.y)
    return claim if claim.u_um is None else replace(claim, u_um=max(claim.u_um, least_um))


def _quarantine(
    info: SlideInfo, claims: list[MppCandidate], policy: CalibrationPolicy
) -> tuple[list[MppCandidate], list[QaFinding]]:
    """Return the claims that may be used, and a finding for each that may not."""
    usable: list[MppCandidate] = []
    doubts: list[QaFinding] = []
    left_over: list[MppCandidate] = []
    for claim in claims:
        if not is_size(claim.mpp):
            doubts.append(no_size(info, claim))
        elif belongs_to_another(info, claim):
            continue  # it stands in the list of claims with the picture that it is of
        elif describes_another(info, claim):
            left_over.append(claim)
        else:
            doubt = default_density(info, claim, policy)
            if doubt is not None:
                doubts.append(doubt)
            if doubt is None or doubt.severity != "refusal":
                usable.append(claim)
    if usable:  # a better claim stands; that a print density was ignored is on record, and that is all
        doubts = [_on_record(doubt) for doubt in doubts]
    return usable, [*left_over_findings(info, left_over, usable, policy), *_one_each(doubts)]


def _on_record(finding: QaFinding) -> QaFinding:
    return replace(finding, severity="info") if finding.severity == "refusal" else finding


def _one_each(findings: list[QaFinding]) -> list[QaFinding]:
    """Return the first finding of each code and number: OpenSlide repeats a tag under its own name."""
    first = {(finding.code, finding.limit): finding for finding in reversed(findings)}
    return [finding for finding in findings if first[finding.code, finding.limit] is finding]


def _judgement(info: SlideInfo, best: MppCandidate | None, policy: CalibrationPolicy) -> list[QaFinding]:
    if best is None:
        return []
    return implausible(info, best, policy) if is_size(best.mpp) else [no_size(info, best)]


def _reason(chosen: MppCandidate | None, usable: list[MppCandidate], findings: list[QaFinding]) -> str:
    if chosen is None:
        codes = dict.fromkeys(finding.code for finding in findings if finding.severity == "refusal")
        return f"pixels only: {', '.join(codes)}"
    size = f"{pair_text(chosen.mpp.x, chosen.mpp.y)} µm/px"
    if chosen.rung == "override":
        traced = f" ({chosen.traced_to})" if chosen.traced_to else ""
        return f"{size} as given by {chosen.source}: {chosen.note.strip() or 'no reason given'}{traced}"
    return f"{size} from {chosen.source} (quality {chosen.quality}), {_corroboration(chosen, usable)}"


def _corroboration(chosen: MppCandidate, usable: list[MppCandidate]) -> str:
    """Return the other claims that bear the chosen one out; a tag that is read twice does not bear out itself."""
    others = [claim for claim in usable if (claim.source, claim.mpp) != (chosen.source, chosen.mpp)]
    repeats = [claim.source for claim in others if _is_same_tag(chosen, claim)]
    agreeing = [claim.source for claim in others if not _is_same_tag(chosen, claim)]
    told = f"and {' and '.join(agreeing)} agree{'s' * (len(agreeing) == 1)}" if agreeing else "the only usable claim"
    return told + (f"; {' and '.join(repeats)} is the same tag read twice" if repeats else "")


def _is_same_tag(one: MppCandidate, other: MppCandidate) -> bool:
    """Return True if two claims are one tag: OpenSlide has its mpp-x from the tag whose number it repeats."""
    if "openslide.mpp-x" not in {one.source, other.source}:
        return False
    pairs = ((one.mpp.x, other.mpp.x), (one.mpp.y, other.mpp.y))
    return all(math.isclose(a, b, rel_tol=_SAME_NUMBER) for a, b in pairs)
