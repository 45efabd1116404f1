"""settings: what a setting can change, said once, where the setting is declared."""

from enum import Enum

from pydantic import BaseModel


class Effect(Enum):
    """What a setting can change; a field or a whole section says so with ``Annotated[type, Effect.WORK]``."""

    NUMBERS = "numbers"
    """What the class map holds. So it is with every field that says nothing, so that none is forgotten."""
    AFTER = "after"
    """Numbers that are counted when the class map is finished: they are counted anew, and no tile is read for it."""
    FINDINGS = "findings"
    """What is said of the numbers: when quality assurance should look."""
    WORK = "work"
    """Who does the work, and how: two runs that differ in it alone give the same results."""


def effect_of(model: type[BaseModel], key: str) -> Effect:
    """Return the effect that a setting can have.

    Parameters
    ----------
    model : type of BaseModel
        Of the whole tree.
    key : str
        The dotted name. What the models do not know, as of another version, counts as changing numbers.
    """
    for part in key.split("."):
        field = model.model_fields.get(part)
        if field is None:
            break
        for said in field.metadata:
            if isinstance(said, Effect):
                return said
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            break
        model = field.annotation
    return Effect.NUMBERS
