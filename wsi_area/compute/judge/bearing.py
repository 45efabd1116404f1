"""compute: which warnings speak against an area, so that no interval beside it holds the error they are about; pure."""

from collections.abc import Iterable

from wsi_area.model.finding import QaFinding

BESIDE_THE_AREA = frozenset(
    {
        "ACCURACY_UNKNOWN", "REGIONS_LEFT_OUT", "REGIONS_NOT_AMENDED", "REGIONS_NOT_ASSESSED", "REGION_IDS_REPEATED",
        "SECTIONS_NOT_ASSESSED", "SIGNAL_NOT_AMENDED", "SIGNAL_NOT_KEPT", "SLIDE_TWICE", "TMA_GRID_UNSURE",
        "STATED_AREA_DISAGREES",
    }
)  # fmt: skip
"""Warnings of something else: named regions, pieces, cores, the signal, who is listed twice, a number in a drawing that
was not used. Any other warning speaks against the area, those that come to be written, too."""
OF_TISSUE_ALONE = frozenset({"THRESHOLD_UNSTABLE", "TISSUE_ZERO"})
"""Warnings of what tells tissue from glass: what is told by something else is not in question."""
LAYER = "tissue layer: "
"""How the message of a finding begins that is of the tissue layer."""


def warnings_of_area(
    findings: Iterable[QaFinding], *, is_tissue: bool, by_threshold: bool = True
) -> tuple[QaFinding, ...]:
    """Return the warnings that speak against an area, each code once.

    Parameters
    ----------
    findings
        All of a slide.
    is_tissue : bool
        Whether the area is all of the tissue.
    by_threshold : bool
        Whether the threshold of the tissue tells the area: tissue and its background are, a band of a stain is not.

    >>> unsure = QaFinding("a", "THRESHOLD_UNSTABLE", "warning", 0.1, 0.05, "", "it hangs on the threshold")
    >>> cores = QaFinding("a", "TMA_GRID_UNSURE", "warning", None, None, "", "it fits twice")
    >>> [f.code for f in warnings_of_area([unsure, cores], is_tissue=True)]
    ['THRESHOLD_UNSTABLE']
    >>> warnings_of_area([unsure, cores], is_tissue=False, by_threshold=False)
    ()
    """
    found: dict[str, QaFinding] = {}
    for finding in findings:
        is_of_layer = finding.message.startswith(LAYER)
        is_of_threshold = finding.code in OF_TISSUE_ALONE
        asks = is_tissue if is_of_layer else by_threshold if is_of_threshold else True
        if finding.severity == "warning" and finding.code not in BESIDE_THE_AREA and asks:
            found.setdefault(finding.code, finding)
    return tuple(found.values())
