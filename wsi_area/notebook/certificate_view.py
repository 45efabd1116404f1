"""notebook: the certificate of a slide as a notebook shows it."""

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.slide_certificate import Certificate
from wsi_area.notebook.html import certificate_html
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.tables.certificate_text import Lines, certificate_lines


@frozen_value(repr=False)
class SlideCertificate:
    """What the numbers of a slide rest on, as it is on record."""

    slide_id: str
    record: Certificate

    @property
    def sha256(self) -> str:
        """Return its hash: equal for copies of the file, whoever read and counted it."""
        return self.record.sha256

    @property
    def lines(self) -> Lines:
        """Return each heading with its lines."""
        return certificate_lines(self.record)

    def __repr__(self) -> str:
        return f"<certificate of {self.slide_id}: {self.sha256}>"

    def _repr_html_(self) -> str:
        """Return the certificate as a table; every text is escaped."""
        return certificate_html(self.slide_id, self.lines)


def certificate_of_slide(slide: OpenedSlide) -> SlideCertificate:
    """Return the certificate of a slide from its result.

    Raises
    ------
    ResultError
        The slide was not counted, or by a version that made no certificates.
    """
    record = slide.counted.certificate
    if record is None:
        raise ResultError(
            f"{slide.slide_id} was measured by wsi-area {slide.counted.wsi_area_version}, which made no certificates; "
            "measure it again to have one"
        )
    return SlideCertificate(slide.slide_id, record)
