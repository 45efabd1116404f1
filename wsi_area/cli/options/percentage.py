"""cli: an option that takes a percentage, which says so."""

import math

import click


class Percentage(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.3 on
    """A number with a percent sign: 0.5 % and 0.5 of all are too far apart to be guessed at."""

    name = "PERCENT"

    def __init__(self, most: float = 100) -> None:
        self.most = most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the percentage as a number; refused without its sign."""
        if isinstance(value, float):
            return value
        number, sign, rest = str(value).replace(",", ".").partition("%")
        try:
            found = float(number)
        except ValueError:
            found = math.nan
        if not sign or rest.strip() or math.isnan(found):
            self.fail(f"{value!r} is no percentage; give one with its sign, such as 0.5%", param, ctx)
        if not 0 < found <= self.most:
            self.fail(f"{value!r} is not above 0% and up to {self.most:g}%; give a share such as 0.5%", param, ctx)
        return found
