"""model: seal.json, by which a number on paper is traced to its run, as one frozen value.

The seal is one hash over what was measured. Beside it stand the parts that it is made of, and the digest of each file
as it was written. What is written later, a report or an export, adds a seal of its own, chained to the one before.
"""

from typing import Annotated

from wsi_area.model.documented import Hash, Name, Part, Says
from wsi_area.model.json_tree import json_digest

SEAL_RULES = 1
"""Raised when the same measurement is given another seal."""


class SealedSlide(Part):
    """What of one slide is under the seal, as digests."""

    document: Annotated[Hash | None, Says("of its result, without paths and times", empty="it has none")]
    ledger: Annotated[Hash | None, Says("of the rows of its ledger", empty="it was not counted")]
    class_map: Annotated[
        Hash | None,
        Says("of the pixels of its class map", empty="it was not counted, or its result tells it, which is sealed"),
    ]
    objects: Annotated[Hash | None, Says("of its table of objects", empty="it has none")]
    tissue: Annotated[Hash | None, Says("of ledger and class map of its tissue layer", empty="it has none")] = None
    coarse: Annotated[
        Hash | None, Says("of ledger and class map of the coarse look at it", empty="it is no estimate from one")
    ] = None
    signal_map: Annotated[Hash | None, Says("of the pixels of its signal map", empty="none was kept")] = None

    @property
    def absent(self) -> set[str]:
        """Return the names of the layers that the slide does not have."""
        return {name for name in ("tissue", "coarse", "signal_map") if getattr(self, name) is None}


class SealedLater(Part):
    """What was written after the run had ended, and its link of the chain."""

    name: Annotated[Name, Says("what it is: report, export, …")]
    files: Annotated[dict[Name, Hash], Says("SHA-256 of each of its files, by the place in the folder")]
    previous: Annotated[Hash, Says("the seal before it: that of the run, or of what was added last")]
    seal: Annotated[Hash, Says("SHA-256 over its name, its files and the seal before it")]

    @property
    def expected_seal(self) -> str:
        """Return the seal that its name, its files and the one before make."""
        return json_digest({"name": self.name, "files": self.files, "previous": self.previous})


class RunSeal(Part):
    """The seal of a run, what it is made of, and what was added to it since."""

    wsi_area_version: Annotated[Name, Says("version that sealed the run")]
    seal: Annotated[Hash, Says("SHA-256 over the digests of run, slides and tables")]
    run: Annotated[Hash, Says("digest of which slides were measured together, and with which settings")]
    slides: Annotated[dict[Name, SealedSlide], Says("digests of each slide, by its id")]
    tables: Annotated[dict[Name, Hash], Says("digest of the content of each table, without paths")]
    files: Annotated[dict[Name, Hash], Says("SHA-256 of each file of the run, by its place in the folder")]
    later: Annotated[tuple[SealedLater, ...], Says("what was added, the oldest first")] = ()
    made_of: Annotated[
        Hash | None,
        Says(
            "digest of all that tables and workbook are made of, this program among it", "", "the version did not say"
        ),
    ] = None

    @property
    def expected_seal(self) -> str:
        """Return the seal that the digests make."""
        # what a slide does not have, of a tissue layer, a coarse look and a signal map, leaves its seal as it was
        slides = {name: slide.model_dump(mode="json", exclude=slide.absent) for name, slide in self.slides.items()}
        return json_digest({"rules": SEAL_RULES, "run": self.run, "slides": slides, "tables": self.tables})

    @property
    def last(self) -> str:
        """Return the seal that the next addition is chained to."""
        return self.later[-1].seal if self.later else self.seal

    @property
    def held_files(self) -> dict[str, str]:
        """Return the SHA-256 of each file under the seal; of one that was written again, the last."""
        found = dict(self.files)
        for added in self.later:
            found |= added.files
        return found

    def with_added(self, name: str, files: dict[str, str]) -> "RunSeal":
        """Return the seal with something that was written later; as it is, where the same files are under it."""
        held = self.held_files
        if files and all(held.get(place) == digest for place, digest in files.items()):
            return self
        added = SealedLater(name=name, files=files, previous=self.last, seal=self.last)
        added = added.model_copy(update={"seal": added.expected_seal})
        return self.model_copy(update={"later": (*self.later, added)})
