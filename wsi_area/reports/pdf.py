"""reports: the report on paper, by WeasyPrint, which is an extra."""

import logging
from typing import Any

from PIL import ImageFile

from wsi_area.errors import MissingExtraError, SettingsError
from wsi_area.results.layout import write_bytes
from wsi_area.storage.place import Place


def require_weasyprint() -> Any:
    """Return WeasyPrint, loaded.

    Raises
    ------
    SettingsError
        If it, or a library of the system that it draws with, is not there.
    """
    try:
        import weasyprint
    except ImportError as error:
        raise MissingExtraError.of("a PDF", "pdf", error, ", or print report.html from a browser") from error
    except OSError as error:  # the wheel is there, Pango is not
        raise SettingsError(
            f"WeasyPrint cannot load what it draws with ({error}); install Pango (on Debian: libpango-1.0-0 "
            "libpangoft2-1.0-0 libharfbuzz-subset0), or print report.html from a browser"
        ) from error
    # WeasyPrint tells Pillow to accept torn images, for the whole process; a torn slide or mask must stay refused
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    return weasyprint


def write_pdf(html: str, path: Place) -> None:
    """Write an HTML document as PDF; the same document makes the same bytes.

    Raises
    ------
    SettingsError
        If WeasyPrint is not there.
    """
    weasyprint = require_weasyprint()
    for name in ("weasyprint", "fontTools"):  # they tell of each property and each table that they pass over
        logging.getLogger(name).setLevel(logging.ERROR)
    # the report holds everything it shows: whatever else was asked for would be refused, not fetched
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=("data",))
    document = weasyprint.HTML(string=html, url_fetcher=fetcher, media_type="print")
    content: bytes = document.write_pdf(pdf_identifier=b"wsi-area", pdf_tags=True)
    write_bytes(path, content)
