"""model: design.json, what reference points were drawn from and what the map says at each; out of a reader's sight."""

from typing import Annotated, Literal

from wsi_area.model.documented import Area, Count, Hash, Name, Part, Says

By = Literal["slide", "run"]
Zone = Literal["inside", "boundary"]


class DesignClass(Part):
    """One class of a slide, by its id in the class map."""

    name: Annotated[Name, Says("the class")]
    n_px: Annotated[Count, Says("its pixels on the map", "level-0 px")]


class DesignSlide(Part):
    """One slide that points were drawn on, as it was measured then."""

    slide_id: Annotated[Name, Says("the slide")]
    key: Annotated[Hash, Says("SHA-256 over all that its counts depend on")]
    pixel_area_mm2: Annotated[Area, Says("area of a level-0 pixel", "mm²")]
    relative_u_area: Annotated[Area, Says("standard uncertainty of an area over the area, from the pixel size")]
    classes: Annotated[tuple[DesignClass, ...], Says("its classes")]


class DesignStratum(Part):
    """What one mapped class is on one slide, away from other classes or beside them."""

    slide_id: Annotated[Name, Says("the slide")]
    drawn_with: Annotated[Name, Says("the strata of one such name were drawn from together")]
    class_name: Annotated[Name, Says("the mapped class")]
    zone: Annotated[Zone, Says("boundary: another class lies near")]
    n_px: Annotated[Count, Says("its pixels", "level-0 px")]


class DesignPoint(Part):
    """One point, and what the map says of it."""

    point_id: Annotated[Name, Says("the point; numbered in random order over the strata")]
    slide_id: Annotated[Name, Says("the slide")]
    x_px: Annotated[Count, Says("column of the pixel", "level-0 px")]
    y_px: Annotated[Count, Says("row of the pixel", "level-0 px")]
    class_name: Annotated[Name, Says("the mapped class")]
    zone: Annotated[Zone, Says("boundary: another class lies near")]


class ReferenceDesign(Part):
    """How reference points were drawn."""

    name: Annotated[Name, Says("name of the draw")]
    seed: Annotated[Count, Says("of the draw")]
    by: Annotated[By, Says("whether the number of points is that of each slide, or of the run")]
    points_asked: Annotated[Count, Says("points that were asked for")]
    boundary_um: Annotated[Area, Says("what is nearer to another class is at a boundary; 0: no such stratum", "µm")]
    min_distance_um: Annotated[Area, Says("no two points of a slide are nearer", "µm")]
    slides: Annotated[tuple[DesignSlide, ...], Says("the slides that points could be drawn on")]
    not_drawn: Annotated[
        tuple[DesignSlide, ...], Says("slides that could have points, where some slides of many were drawn at random")
    ] = ()
    left_out: Annotated[dict[Name, str], Says("slides that none could be drawn on, and why")]
    strata: Annotated[tuple[DesignStratum, ...], Says("what the points were drawn from")]
    points: Annotated[tuple[DesignPoint, ...], Says("every point")]
