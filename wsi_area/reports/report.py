"""reports: the report of a run, read, laid out and written; the room's one door."""

from collections.abc import Iterator

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.cohort import cohort
from wsi_area.reports.contact_sheet import contact_sheet
from wsi_area.reports.documents import RunDocuments, read_documents
from wsi_area.reports.heading import heading_of, require_title
from wsi_area.reports.page import ReportView, page_html
from wsi_area.reports.pdf import require_weasyprint, write_pdf
from wsi_area.reports.picture.embedded import bytes_per_slide
from wsi_area.reports.picture.slide_picture import slide_picture
from wsi_area.reports.provenance import provenance
from wsi_area.reports.review_view import review_view
from wsi_area.reports.slide_view import SlideView, slide_view
from wsi_area.reports.subjects import subject_rows
from wsi_area.results.amended import AmendedSlide, latest_amended
from wsi_area.results.layout import SlideLayout, write_bytes
from wsi_area.results.run_folder import refuse_run_in
from wsi_area.results.seal.sealed_run import add_to_seal
from wsi_area.storage.place import Place

HTML_NAME, PDF_NAME = "report.html", "report.pdf"
AMENDED_HTML_NAME, AMENDED_PDF_NAME = "report_amended.html", "report_amended.pdf"


@frozen_value
class WrittenReport:
    """Where a report was written."""

    html: Place
    pdf: Place | None
    slides: int
    refused: tuple[tuple[str, str], ...]  # slides whose documents were not believed, and why


def write_report(
    run: Place,
    *,
    pdf: bool = False,
    out: Place | None = None,
    title: str | None = None,
    events: Place | None = None,
    amended: bool = False,
) -> WrittenReport:
    """Write the report of a run into its folder, or another, and return where; the same run makes the same bytes.

    Parameters
    ----------
    run : Place
        The run directory.
    pdf : bool
        Write it on paper too.
    out : Place or None
        The folder for it, where the run must not be written; None: the run's own.
    title : str or None
        Of the study; None: the one that the run was given, if any.
    events : Place or None
        Where the events of its review lie, if not in the run.
    amended : bool
        Of each slide its newest amended version, where it has one; a file of its own beside that of what was measured.

    Raises
    ------
    ResultError
        The folder holds no run that has ended, or cannot be written; or ``out`` holds a run.
    SettingsError
        A PDF is wanted and WeasyPrint is not there, or the title is no line of text; nothing was written then.
    """
    if pdf:
        require_weasyprint()
    refuse_run_in(out)
    asked_title = None if title is None else require_title(title)
    documents = read_documents(run, amended=amended)
    slides = tuple(_views(documents))
    review = review_view(documents.layout, documents.run_record, events)
    view = ReportView(
        heading_of(documents.run_record, len(slides), asked_title, documents.amended_count if amended else None),
        cohort(documents.slides, documents.run_record.left_out or ()),
        contact_sheet(documents.slides, slides, {} if review is None else review.by_slide),
        subject_rows(documents),
        tuple(slide for slide in slides if slide.areas is not None),
        provenance(documents.run_record),
        review,
    )
    folder = run if out is None else out
    names = (AMENDED_HTML_NAME, AMENDED_PDF_NAME) if amended else (HTML_NAME, PDF_NAME)
    html, paper = (folder / name for name in names)
    write_bytes(html, page_html(view, for_print=False).encode())
    if pdf:
        write_pdf(page_html(view, for_print=True), paper)
    if out is None:
        add_to_seal(documents.layout, "amended report" if amended else "report", [html, *([paper] if pdf else [])])
    return WrittenReport(html, paper if pdf else None, len(slides), documents.refused)


def _views(documents: RunDocuments) -> Iterator[SlideView]:
    budget_bytes = bytes_per_slide(len(documents.slides))
    for place, slide in enumerate(documents.slides, start=1):
        folder = documents.folder(slide)
        if not isinstance(slide, CountedSlide):
            yield slide_view(place, slide, None, folder)
            continue
        version = _shown_version(folder)
        budget = budget_bytes // (1 if version is None else 2)
        picture = slide_picture(folder, slide, budget)
        corrected = None if version is None else slide_picture(version.layout, version.result, budget)
        yield slide_view(place, slide, picture, folder, corrected)


def _shown_version(folder: SlideLayout) -> AmendedSlide | None:
    """Return the newest amended version of a slide whose picture can be shown; None where there is none."""
    try:
        found = latest_amended(folder)
    except ResultError:  # its page says why
        return None
    return None if found is None or found.is_base_gone else found
