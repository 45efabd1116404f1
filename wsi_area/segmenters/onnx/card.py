"""segmenters: the card of an ONNX network: a JSON file that says all that must be known to use it rightly."""

import json
import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from wsi_area.errors import SettingsError
from wsi_area.model.classes import ClassScheme
from wsi_area.segmenters.appearance import TrainedOn
from wsi_area.segmenters.scheme import ClassSetting

Layout = Literal["NCHW", "NHWC"]
Decision = Literal["argmax", "threshold", "labels"]
Three = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

SCHEMA_VERSION = 1
# pixels of 0..1 have no mean above 1 and no spread of ten; pixels of 0..255 that spread by less than 1 are all alike
_MOST_UNIT_MEAN, _MOST_UNIT_STD, _LEAST_BYTE_STD = 1.5, 10.0, 1.0


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


class CardInput(_Part):
    """What the network wants to be shown: value = (pixel / 255 or pixel, minus mean) / std, channel by channel."""

    mpp_um: Positive = Field(description="pixel size it was trained at, µm")
    window_px: int = Field(ge=8, le=8192, description="edge of the square window it is run on, px of its input")
    context_px: int | Literal["window"] = Field(
        description="how far beyond the input pixels that an output pixel covers its sight reaches, px of the input; "
        "'window': anywhere in the window (global pooling, attention, normalisation over the picture)"
    )
    overlap_px: int | None = Field(
        None, ge=0, description="rim of a window whose answer is thrown away, px; left out: context_px rounded up"
    )
    divisible_by: int = Field(1, ge=1, description="a window begins and ends on multiples of it: the total stride, px")
    layout: Layout = Field("NCHW", description="order of the axes of the input")
    channels: Literal["RGB", "BGR"] = Field("RGB", description="order of the colours")
    dtype: Literal["float32", "float16", "uint8"] = Field(
        "float32", description="type of the input; uint8: the pixels as they are, scale 0..255 without mean and std"
    )
    scale: Literal["0..1", "0..255"] = Field("0..1", description="range of a pixel before mean and std")
    mean: Three = Field((0.0, 0.0, 0.0), description="subtracted, in the order of `channels`, in units of `scale`")
    std: tuple[Positive, Positive, Positive] = Field((1.0, 1.0, 1.0), description="divided by, likewise")
    edge: Literal["reflect", "white"] = Field("reflect", description="what lies beyond the edge of the slide")
    unscanned_rgb: tuple[
        Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=0, le=255)]
    ] = Field((255, 255, 255), description="colour shown where the scanner never looked, always R, G, B")

    @property
    def overlap(self) -> int:
        """Return the rim of a window that is thrown away, a multiple of ``divisible_by``, px."""
        if self.overlap_px is not None:
            return self.overlap_px
        context = 0 if self.context_px == "window" else self.context_px
        return -(-context // self.divisible_by) * self.divisible_by

    @property
    def kept_px(self) -> int:
        """Return the edge of the middle of a window whose answer is kept, px: also the step between windows."""
        return self.window_px - 2 * self.overlap

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        context, step = self.context_px, self.divisible_by
        self._refuse_other_range()
        if self.dtype == "uint8" and (self.scale, self.mean, self.std) != ("0..255", (0.0,) * 3, (1.0,) * 3):
            raise ValueError('dtype uint8 takes pixels as they are; set scale to "0..255", and leave mean and std out')
        if isinstance(context, int) and not 0 <= context <= self.overlap:
            raise ValueError(f"overlap_px {self.overlap} is less than context_px {context}, or that is negative")
        if self.window_px % step or self.overlap % step:
            raise ValueError(f"window_px {self.window_px} and overlap_px {self.overlap} must be multiples of {step}")
        if self.kept_px < step:
            raise ValueError(
                f"window_px {self.window_px} less a rim of {self.overlap} px on each side leaves {self.kept_px} px; "
                "make the window larger"
            )
        return self

    def _refuse_other_range(self) -> None:
        """Refuse a mean and a standard deviation that are of pixels in the other scale."""
        if self.scale == "0..1" and (max(self.mean) > _MOST_UNIT_MEAN or max(self.std) > _MOST_UNIT_STD):
            raise ValueError(
                f'mean {self.mean}, std {self.std} are of pixels in 0..255; set scale to "0..255", or divide by 255'
            )
        if self.scale == "0..255" and max(self.std) < _LEAST_BYTE_STD:
            raise ValueError(f'std {self.std} is of pixels in 0..1; set scale to "0..1", or multiply by 255')


class CardOutput(_Part):
    """What the network says, and how a class is made of it."""

    name: str | None = Field(None, description="which output, where the network has several")
    layout: Layout = Field("NCHW", description="order of the axes of the output")
    activation: Literal["softmax", "sigmoid", "none"] = Field(
        description="what is still to be applied: softmax, sigmoid, or none where it is part of the network"
    )
    decision: Decision | None = Field(
        None,
        description="argmax: a channel for each class, the highest wins, the first of equals; threshold: a channel "
        "for each class but 0, the highest wins if it is at least `threshold`, else class 0; labels: whole numbers "
        "(n, height, width), each the id of a class; left out: threshold after sigmoid, else argmax",
    )
    threshold: float = Field(0.5, gt=0, lt=1, description="probability at which a class is believed (0..1)")
    stride: int = Field(1, ge=1, description="input pixels per output pixel, each way")

    @property
    def rule(self) -> Decision:
        """Return the rule by which a class is chosen.

        >>> CardOutput(activation="sigmoid").rule
        'threshold'
        """
        return self.decision or ("threshold" if self.activation == "sigmoid" else "argmax")

    @model_validator(mode="after")
    def _is_one_answer(self) -> Self:
        if self.rule == "labels" and self.activation != "none":
            raise ValueError(f'labels are no scores: set activation to "none", not {self.activation!r}')
        return self


class CardExample(_Part):
    """A picture whose class is known, at the pixel size of the network; shown to it before a slide is."""

    file: str = Field(pattern=r"^[^/\\\x00]+\.png$", description="name of a PNG that lies beside the card")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of that file, lower-case hex")
    expected: str = Field(min_length=1, description="name of the class that most of it must be taken for")


class CardAccuracy(_Part):
    """How well the network does on pictures that it was not trained on."""

    measure: str = Field(min_length=1, description="what was computed: Dice of glands, …")
    value: float = Field(description="what it came to")
    held_out: str = Field(min_length=1, description="on what: how many slides, how kept apart from training")


class OnnxCard(_Part):
    """Everything about a network that its file does not say; extra keys are refused."""

    schema_version: Literal[1] = Field(description="version of this description")
    name: str = Field(min_length=1, description="name of the network")
    model_sha256: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the .onnx file, lower-case hex")
    input: CardInput
    output: CardOutput
    classes: tuple[ClassSetting, ...] = Field(min_length=2, description="its classes, 0 = background first")
    background_is_glass: bool = Field(
        True, description="class 0 is all there is on bare glass, so bare glass need not be read"
    )
    examples: tuple[CardExample, ...] = Field(
        (), max_length=16, description="pictures whose class is known, tried before a run (no unit)"
    )
    accuracy: CardAccuracy | None = Field(None, description="how well it does on what it was not trained on (no unit)")
    appearance: TrainedOn | None = Field(
        None, description="how the slides looked that it was trained on; slides that look otherwise are told (no unit)"
    )
    licence: str = Field(min_length=1, description="terms of the weights and of what they were trained on")
    provenance: str = Field(min_length=1, description="who trained it, on what, and how well it does")

    @property
    def scheme(self) -> ClassScheme:
        """Return its classes."""
        return ClassScheme(tuple(c.tissue_class() for c in sorted(self.classes, key=lambda c: c.id)))

    @property
    def channel_count(self) -> int:
        """Return the number of channels that its output must have."""
        return len(self.classes) - (self.output.rule == "threshold")

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        names = [c.name for c in self.scheme.classes]  # refuses gaps, repeats and a background that is tissue
        unknown = [e.expected for e in self.examples if e.expected not in names]
        if unknown:
            raise ValueError(f"examples expect the class {unknown[0]!r}; the classes are {', '.join(names)}")
        if self.input.overlap % self.output.stride or self.input.window_px % self.output.stride:
            raise ValueError(
                f"window_px {self.input.window_px} and its rim of {self.input.overlap} px must be multiples of the "
                f"output's stride {self.output.stride}"
            )
        return self

    @property
    def reach_um(self) -> float:
        """Return the distance from a pixel of the class map of those that decide on it, µm.

        The network's own context (any pixel of a window, where it sees all of it); two output pixels and one input
        pixel for what is read between them; 2 % because a work pixel may be that much larger than the network's and
        not be resampled; and two work pixels for rounding to whole ones, each at most 1.25 of the network's.
        """
        shown = self.input
        context = shown.kept_px + shown.overlap if shown.context_px == "window" else shown.context_px
        return math.ceil((context + 2 * self.output.stride + 1) * 1.02 + 2.5) * shown.mpp_um


def read_card(path: Path) -> OnnxCard:
    """Return the card that a JSON file holds.

    Raises
    ------
    SettingsError
        If it cannot be read, or a key is missing, unknown or wrong; the first such key is named.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        return OnnxCard.model_validate(document)
    except OSError as error:
        raise SettingsError(
            f"the card {path} cannot be read ({error.strerror or error}); every network needs one, name it with card"
        ) from error
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the whole"
        message = fault["msg"].removeprefix("Value error, ")
        raise SettingsError(f"the card {path} is wrong at {where}: {message}") from error
    except ValueError as error:  # not JSON, or not UTF-8
        raise SettingsError(f"the card {path} is not JSON: {error}") from error


def card_path_beside(model: Path) -> Path:
    """Return the path of a network's card unless told otherwise.

    >>> card_path_beside(Path("nets/glands.onnx")).as_posix()
    'nets/glands.onnx.json'
    """
    return model.with_name(model.name + ".json")
