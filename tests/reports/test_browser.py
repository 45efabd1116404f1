"""The report in a real browser: it asks for nothing, sorts, filters, switches, and axe-core finds no serious fault."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from small_run import HOSTILE, edited

from wsi_area.reports.report import write_report

PHONE = {"width": 320, "height": 640}


@pytest.fixture(scope="session")
def report(finished_run: Path) -> Path:
    return write_report(finished_run).html


class Opened:
    """A page, everything it asked for, and everything it complained about."""

    def __init__(self, page: Any, html: Path) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(html.as_uri())


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield Opened(context.new_page(), report)
    context.close()


def column(page: Any, number: int) -> list[str]:
    """The texts of one column, of the rows that are shown, from top to bottom."""
    script = (
        "n => [...document.querySelectorAll('#slides-table tbody tr:not([hidden])')].map(r => r.cells[n].innerText)"
    )
    return [str(text).strip() for text in page.evaluate(script, number)]


def test_no_request_leaves_the_file_and_the_policy_has_nothing_to_object_to(opened: Opened, report: Path) -> None:
    opened.page.get_by_role("button", name="slide", exact=True).click()
    opened.page.locator(".class-opacity").first.fill("40")
    outside = [url for url in opened.asked if not url.startswith("data:image/")]
    assert outside == [report.as_uri()]
    assert opened.complaints == []


def test_a_column_sorts_by_number_both_ways_with_the_unknown_last(opened: Opened) -> None:
    page = opened.page
    head = page.locator("#slides-table thead th", has_text="tissue mm²")
    place = page.evaluate("e => e.cellIndex", head.element_handle())
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    up = column(page, place)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    down = column(page, place)
    assert up[2:] == down[2:] == ["–", "–"]
    assert up[:2] == down[:2][::-1]
    numbers = [float(text.split("±")[0]) for text in up[:2]]
    assert numbers == sorted(numbers)
    assert page.locator("th[aria-sort]").count() == 1
    assert "descending" in page.locator("#filter-count").inner_text()


def test_the_table_is_sorted_and_filtered_by_keyboard_alone(opened: Opened) -> None:
    page = opened.page
    page.locator("#slides-table thead th button").first.focus()
    page.keyboard.press("Enter")
    assert column(page, 0) == ["bare", "disc", "text", "torn"]
    page.locator("#filter-text").focus()
    page.keyboard.type("T")
    assert column(page, 0) == ["text", "torn"]
    assert "2 of 4 slides shown." in page.locator("#filter-count").inner_text()
    page.get_by_role("button", name="Show all").press("Enter")
    page.wait_for_function("document.getElementById('filter-count').textContent.startsWith('4 of 4')")
    page.locator("#filter-status").select_option("needs_calibration")
    assert column(page, 0) == ["bare"]
    page.locator("#filter-status").select_option("")
    page.locator("#filter-code").select_option("TILE_UNREADABLE")
    assert column(page, 0) == ["torn"]


def visibility(page: Any, image: Any) -> str:
    return str(page.evaluate("e => getComputedStyle(e).visibility", image.element_handle()))


def test_a_slide_shows_outlines_at_first_and_its_classes_filled_on_demand(opened: Opened) -> None:
    page = opened.page
    figure = page.locator(".with-classes").last
    classes, outlines = figure.locator("image.classes"), figure.locator("image.outlines")
    assert (visibility(page, outlines), visibility(page, classes)) == ("visible", "hidden")
    figure.get_by_label("outlines").uncheck()
    assert visibility(page, outlines) == "hidden"
    figure.get_by_label("classes filled").check()
    assert visibility(page, classes) == "visible"
    figure.get_by_label("classes filled").uncheck()
    assert visibility(page, classes) == "hidden"
    figure.get_by_label("opacity").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert classes.get_attribute("opacity") == "0.35"
    assert visibility(page, classes) == "visible"  # who moves the slider wants to see them


def test_at_the_end_of_the_slider_a_class_has_the_very_colour_of_its_legend(opened: Opened) -> None:
    figure = opened.page.locator(".with-classes").last  # of the disc, whose tissue is brown and not of that colour
    named = figure.locator(".legend rect").first.get_attribute("fill")

    def seen() -> str:
        shot = Image.open(io.BytesIO(figure.locator("svg.frame").screenshot())).convert("RGB")
        return "#" + bytes(shot.getpixel((round(shot.width * 480 / 1001), round(shot.height * 350 / 703)))).hex()

    assert seen() != named  # only its outline is shown
    figure.get_by_label("opacity").press("End")
    assert seen() == named


def test_the_key_figure_of_a_run_is_on_the_first_screen_of_a_phone_before_any_other_number(
    browser: Any, report: Path
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = Opened(context.new_page(), report).page
    first = page.locator(".totals .number").first
    assert "±" in first.inner_text()
    box = first.bounding_box()
    assert box["y"] + box["height"] < 844 / 2
    assert box["x"] + box["width"] <= 390
    for place in range(1, page.locator(".totals .number").count()):
        other = page.locator(".totals .number").nth(place)
        assert page.evaluate("e => parseFloat(getComputedStyle(e).fontSize)", other.element_handle()) < page.evaluate(
            "e => parseFloat(getComputedStyle(e).fontSize)", first.element_handle()
        )
    context.close()


def test_a_slide_on_a_phone_says_its_area_before_anything_else(browser: Any, report: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = Opened(context.new_page(), report).page
    slide = page.locator("section.slide").last
    number = slide.locator(".headline .number").first.bounding_box()
    assert 0 < number["y"] - slide.bounding_box()["y"] < 844 / 4
    assert number["y"] < slide.locator("svg").first.bounding_box()["y"]
    context.close()


def test_the_filter_leaves_the_cards_of_the_slides_that_it_leaves_in_the_table(opened: Opened) -> None:
    page = opened.page
    shown = "() => [...document.querySelectorAll('.card')].filter(c => c.offsetParent).map(c => c.dataset.name)"
    assert page.evaluate(shown) == ["text", "torn", "bare", "disc"]
    page.locator("#filter-status").select_option("needs_calibration")
    assert page.evaluate(shown) == column(page, 0) == ["bare"]
    page.locator("#filter-status").select_option("")
    page.locator("#filter-code").select_option("TILE_UNREADABLE")
    assert page.evaluate(shown) == column(page, 0) == ["torn"]


def test_each_card_shows_the_picture_of_its_slide_and_leads_to_it(opened: Opened) -> None:
    page = opened.page
    card = page.locator(".card", has_text="disc")
    shot = Image.open(io.BytesIO(card.locator(".thumb").screenshot())).convert("RGB")
    assert len(shot.getcolors(1 << 24)) > 50  # a picture, and no empty box
    card.get_by_role("link").click()
    assert page.evaluate("location.hash.slice(1)") == page.locator("section.slide").last.get_attribute("id")
    failed = page.locator(".card", has_text="text").get_by_role("link")
    failed.click()
    assert "text.svs" in page.locator(page.evaluate("location.hash")).inner_text()


def test_classes_and_slide_are_drawn_on_one_place_and_the_bar_is_as_long_as_it_says(opened: Opened) -> None:
    figure = opened.page.locator(".with-classes").last  # of the disc: 1001 px of 0.5 µm
    photo, classes = (figure.locator(f"image.{name}").bounding_box() for name in ("photo", "classes"))
    assert photo == classes
    frame, bar = figure.locator("svg.frame").bounding_box(), figure.locator("svg.scale rect").bounding_box()
    assert figure.locator("svg.scale text").text_content() == "100 µm"
    assert bar["width"] == pytest.approx((frame["width"] - 2) * 100 / (1001 * 0.5), abs=1)  # its rim is 1 px


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1200, "height": 900}])
def test_nothing_reaches_beyond_the_screen(browser: Any, report: Path, viewport: dict[str, int]) -> None:
    context = browser.new_context(viewport=viewport)
    page = Opened(context.new_page(), report).page
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    context.close()


def test_without_scripts_everything_is_there_and_nothing_dead_is_offered(browser: Any, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = Opened(context.new_page(), report).page
    assert page.locator("#slides-table tbody tr").count() == 4
    assert not page.locator("#filters").is_visible()
    assert not page.locator(".class-opacity").first.is_visible()
    page.get_by_label("outlines").first.uncheck()
    page.get_by_label("classes filled").first.check()
    context.close()


def test_what_is_folded_is_printed(opened: Opened) -> None:
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.locator("details:not([open])").count() == 0
    opened.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.page.locator("details[open]").count() == 0


def test_a_script_that_slipped_through_would_not_run(browser: Any, run: Path) -> None:
    html = write_report(run).html
    whole = html.read_text(encoding="utf-8")
    html.write_text(whole.replace("<main>", "<main><script>window.ran = 1</script><img src=x onerror='ran=1'>", 1))
    context = browser.new_context()
    opened = Opened(context.new_page(), html)
    assert opened.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in text for text in opened.complaints)
    context.close()


def test_a_hostile_name_is_shown_as_it_is_written(browser: Any, run: Path) -> None:
    edited(run / "run.json", lambda about: about["slides"]["text"].update(reason=HOSTILE))
    context = browser.new_context()
    opened = Opened(context.new_page(), write_report(run).html)
    assert opened.page.get_by_text(HOSTILE).count() >= 1
    assert opened.complaints == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, {"width": 1200, "height": 900}])
def test_axe_finds_no_serious_fault(
    browser: Any, report: Path, axe_source: str, scheme: str, viewport: dict[str, int]
) -> None:
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    page = Opened(context.new_page(), report).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.evaluate(axe_source)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    faults = [(v["id"], v["impact"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found["violations"]]
    context.close()
    assert [fault for fault in faults if fault[1] in {"serious", "critical", "moderate"}] == []
