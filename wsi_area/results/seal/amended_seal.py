"""results: an amended version under a seal of its own, which names the measurement that it corrects."""

from wsi_area.model.corrections.amendment import AmendedSeal, Amendment
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.documents import write_amended_seal
from wsi_area.results.layout import CORRECTIONS_NAME, SlideLayout
from wsi_area.results.seal.sealed_run import file_digest, sealed_slide
from wsi_area.version import __version__


def amended_seal(layout: SlideLayout, slide: CountedSlide, amendment: Amendment) -> AmendedSeal:
    """Return the seal of an amended version as it lies on disk now.

    Raises
    ------
    ResultError, OSError
        If something of it cannot be read.
    """
    sealed, files = sealed_slide(layout, slide)
    files[CORRECTIONS_NAME] = file_digest(layout.root / CORRECTIONS_NAME)
    seal = AmendedSeal(
        wsi_area_version=__version__,
        measured=amendment.measured,
        measured_seal=amendment.measured_seal,
        slide=sealed,
        files=files,
        seal="0" * 64,
    )
    return seal.model_copy(update={"seal": seal.expected_seal})


def seal_amended(layout: SlideLayout, slide: CountedSlide, amendment: Amendment) -> AmendedSeal:
    """Return the seal of an amended version, written into its folder; for errors as `amended_seal`."""
    seal = amended_seal(layout, slide, amendment)
    write_amended_seal(layout, seal)
    return seal
