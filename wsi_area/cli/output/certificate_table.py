"""cli: the certificate of a slide before its pixels are counted, as lines for people."""

from wsi_area.cli.output.printer import Printer, print_lines
from wsi_area.run.check import SlideCheck, certificate_before_count

_INDENT = "  "


def print_certificate(console: Printer, check: SlideCheck) -> None:
    """Print the certificate of one slide; nothing where it cannot be opened."""
    from wsi_area.results.tables.certificate_text import certificate_lines  # only who asks for it pays

    certificate = certificate_before_count(check)
    if certificate is None:
        return
    told = certificate_lines(certificate)
    width = max(len(heading) for heading, _ in told)
    hanging = " " * (len(_INDENT) + width + 2)
    print_lines(console, f"\nCertificate of {check.slide.slide_id}, before its pixels are counted", style="bold")
    for heading, lines in told:
        for place, line in enumerate(lines):
            name = heading if place == 0 else ""
            print_lines(console, f"{name:<{width}}  {line}", indent=_INDENT, hanging=hanging)
