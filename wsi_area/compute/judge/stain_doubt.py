"""compute: whether the stain vectors that were used fit the slide they were used on."""

from collections.abc import Mapping

from wsi_area.model.finding import QaFinding

UNEXPLAINED_LIMIT = 0.05
"""Share of the squared optical density that no amounts of the stains explain. Fixed vectors on their own stains left
0.8 and 1.7 % (two H-DAB slides) and 0.6 to 1.4 % (six colon H&E), on other stains 2 to 34 %. Two further H&E slides
leave 5 and 9 %: their eosin is redder than the published one, and that they are doubtful is true."""
ANGLE_LIMIT_DEG = 20.0
"""Between a vector and the one estimated from the slide: 4 to 19.7° on the slides that fit, 22 to 58° on the others."""


def stain_findings(
    slide_id: str,
    unexplained: float | None,
    angles_deg: Mapping[str, float] | None,
    unexplained_limit: float = UNEXPLAINED_LIMIT,
    angle_limit_deg: float = ANGLE_LIMIT_DEG,
) -> tuple[QaFinding, ...]:
    """Return ``STAIN_VECTORS_DOUBTFUL`` with the worse of its two numbers, or nothing.

    Parameters
    ----------
    slide_id
        Whose finding it is.
    unexplained, angles_deg
        The segmenter's ``facts["stain_fit"]``; None where the slide has no tissue, or too little of a second stain.
    unexplained_limit, angle_limit_deg
        When it is worth a look.

    >>> stain_findings("a", 0.12, {"dab": 31.0})[0].message
    'the stain vectors leave 12.0% of the absorption unexplained; dab is 31.0° from what this slide shows'
    >>> stain_findings("a", 0.01, {"dab": 6.0})
    ()
    """
    share = unexplained or 0.0
    name, angle = max((angles_deg or {}).items(), key=lambda item: item[1], default=("", 0.0))
    if share <= unexplained_limit and angle <= angle_limit_deg:
        return ()
    message = f"the stain vectors leave {share:.1%} of the absorption unexplained"
    if name:
        message += f"; {name} is {angle:.1f}° from what this slide shows"
    remedy = 'choose the vectors of the slide\'s own stains, or estimate them: segmenter.vectors = "macenko"'
    by_share = share / unexplained_limit >= angle / angle_limit_deg
    measured, limit, unit = (share, unexplained_limit, "") if by_share else (angle, angle_limit_deg, "°")
    return (QaFinding(slide_id, "STAIN_VECTORS_DOUBTFUL", "warning", measured, limit, unit, message, remedy),)
