"""slides: the images that OME-XML describes, read without building a tree and without entities."""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from xml.parsers import expat

from wsi_area.compute.units import positive_number
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Size

MAX_XML_CHARS = 1 << 24
_MAX_PLANES = 1 << 16


class _DoctypeRefused(Exception):
    """A document type is where entity bombs and outside references live; OME-XML needs none."""


@frozen_value
class OmeChannel:
    """One channel of an image."""

    name: str
    samples: int  # a pixel: 3 for red, green and blue together
    is_fluorescence: bool  # it names a fluorophore, a wavelength, or fluorescence itself


@frozen_value
class OmePlane:
    """One plane of an image: where it lies, and which it is."""

    directory: int  # number of the TIFF directory
    channel: int
    plane: int  # focal plane, Z
    time: int
    is_elsewhere: bool = False  # in another file of the set


@frozen_value
class OmeImage:
    """One image of an OME-XML document."""

    number: int
    name: str
    size_px: Size
    dtype: str
    channels: tuple[OmeChannel, ...]
    planes: tuple[OmePlane, ...]
    sizes: Mapping[str, str]  # the attributes PhysicalSizeX, PhysicalSizeXUnit …, as they stand there
    power: float | None  # of its objective


@lru_cache(maxsize=2)  # asked for its pictures, then for its sizes
def ome_images(text: str) -> tuple[OmeImage, ...]:
    """Return the images of an OME-XML document in its order; none where the text is no such document.

    Entities are never expanded: what follows a document type is not read. A text that was cut short still said what
    it said.

    >>> ome_images('<OME><Image Name="a"><Pixels SizeX="2" SizeY="3" SizeC="1" Type="uint8"/></Image></OME>')[0].size_px
    Size(width_px=2, height_px=3)
    """
    if len(text) > MAX_XML_CHARS or "<" not in text or "Pixels" not in text:
        return ()
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    with suppress(_DoctypeRefused, expat.ExpatError, UnicodeEncodeError):
        parser.Parse(text, True)
    return tuple(
        draft.image(number, reader.powers, reader.own) for number, draft in enumerate(reader.drafts) if draft.pixels
    )


def _refuse_doctype(*_: object) -> None:
    raise _DoctypeRefused


class _Draft:
    """What was read of one image so far."""

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self.name = attributes.get("Name", "")
        self.pixels: Mapping[str, str] = {}
        self.channels: list[Mapping[str, str]] = []
        self.blocks: list[dict[str, str]] = []
        self.objective = ""

    def image(self, number: int, powers: Mapping[str, float], own: str) -> OmeImage:
        pixels = self.pixels
        channels = self._channels()
        power = powers.get(self.objective)
        if power is None and len(set(powers.values())) == 1:
            power = next(iter(powers.values()))
        size = Size(_whole(pixels.get("SizeX")), _whole(pixels.get("SizeY")))
        sizes = {name: value for name, value in pixels.items() if name.startswith("PhysicalSize")}
        planes = self._planes(len(channels), own)
        return OmeImage(number, self.name, size, pixels.get("Type", ""), channels, planes, sizes, power)

    def _channels(self) -> tuple[OmeChannel, ...]:
        told = tuple(
            OmeChannel(c.get("Name", ""), max(1, _whole(c.get("SamplesPerPixel"), 1)), _glows(c)) for c in self.channels
        )
        stated = _whole(self.pixels.get("SizeC"), 1)
        missing = stated - sum(channel.samples for channel in told)
        if not told and stated == 3 and self.pixels.get("Interleaved", "").lower() == "true":
            return (OmeChannel("", 3, False),)
        return (*told, *(OmeChannel("", 1, False) for _ in range(min(missing, _MAX_PLANES))))

    def _planes(self, channel_count: int, own: str) -> tuple[OmePlane, ...]:
        counts = {
            "C": max(1, channel_count),
            "Z": max(1, _whole(self.pixels.get("SizeZ"), 1)),
            "T": max(1, _whole(self.pixels.get("SizeT"), 1)),
        }
        order = [axis for axis in self.pixels.get("DimensionOrder", "XYCZT").upper() if axis in counts]
        order += [axis for axis in "CZT" if axis not in order]
        total = min(counts["C"] * counts["Z"] * counts["T"], _MAX_PLANES)
        placed: dict[int, OmePlane] = {}
        for block in self.blocks or [{}]:
            first = _position({axis: _whole(block.get(f"First{axis}")) for axis in counts}, order, counts)
            many = _whole(block.get("PlaneCount"), 1 if "IFD" in block else total - first)
            directory, elsewhere = _whole(block.get("IFD")), block.get("UUID", own) != own
            for step in range(max(0, min(many, total - first))):
                axes = _axes(first + step, order, counts)
                placed[first + step] = OmePlane(directory + step, axes["C"], axes["Z"], axes["T"], elsewhere)
        return tuple(placed[place] for place in sorted(placed))


class _Reader:
    """Called for each element in turn."""

    def __init__(self) -> None:
        self.drafts: list[_Draft] = []
        self.powers: dict[str, float] = {}
        self.own = ""  # the UUID of this very file, in a set of several
        self._uuid: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take one element."""
        kind = name.rpartition(":")[2]
        if kind == "OME":
            self.own = attributes.get("UUID", "")
        elif kind == "Image":
            self.drafts.append(_Draft(attributes))
        elif kind == "Objective":
            if power := positive_number(attributes.get("NominalMagnification")):
                self.powers[attributes.get("ID", "")] = power
        elif kind == "Pixels" and not self.drafts:  # a fragment without its Image
            self.drafts.append(_Draft({}))
        draft = self.drafts[-1] if self.drafts else None
        if draft is None:
            return
        if kind == "Pixels" and not draft.pixels:
            draft.pixels = attributes
        elif kind == "Channel":
            draft.channels.append(attributes)
        elif kind == "TiffData":
            draft.blocks.append(attributes)
        elif kind == "UUID":
            self._uuid = []
        elif kind == "ObjectiveSettings":
            draft.objective = attributes.get("ID", "")

    def text(self, content: str) -> None:
        """Take the text of the element that is open, where it is one that names a file."""
        if self._uuid is not None:
            self._uuid.append(content)

    def end(self, name: str) -> None:
        """Note which file the planes of the last block lie in, where this file has a name of its own."""
        if name.rpartition(":")[2] == "UUID" and self._uuid is not None:
            if self.own and self.drafts and self.drafts[-1].blocks:
                self.drafts[-1].blocks[-1]["UUID"] = "".join(self._uuid).strip()
            self._uuid = None


def _glows(channel: Mapping[str, str]) -> bool:
    told = " ".join(channel.get(key, "") for key in ("ContrastMethod", "IlluminationType", "AcquisitionMode")).lower()
    named = any(channel.get(key) for key in ("Fluor", "EmissionWavelength", "ExcitationWavelength"))
    return named or "fluorescence" in told or "epifluorescence" in told


def _position(at: Mapping[str, int], order: list[str], counts: Mapping[str, int]) -> int:
    place, step = 0, 1
    for axis in order:
        place += at[axis] * step
        step *= counts[axis]
    return place


def _axes(place: int, order: list[str], counts: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for axis in order:
        place, found[axis] = divmod(place, counts[axis])
    return found


def _whole(text: str | None, default: int = 0) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else default
