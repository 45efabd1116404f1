"""The viewer's real page in a real browser, its questions answered by the real widget; only the notebook is played."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from synthetic import SyntheticSlide

from wsi_area.compute.picture.scale_bar import scale_bar
from wsi_area.notebook.notebook_run import NotebookRun
from wsi_area.notebook.viewer.widget import page_css, page_module

# what anywidget hands to a page: a model with the values of the widget, and an element to draw in
HOST = """
async ([source, css, values]) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
  const handlers = {};
  const tell = (name, ...what) => (handlers[name] || []).forEach((handler) => handler(...what));
  window.model = {
    values, saved: [],
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; tell(`change:${name}`); },
    save_changes: () => model.saved.push(JSON.stringify({ opacity: values.opacity, hidden: values.hidden })),
    on: (name, handler) => (handlers[name] ||= []).push(handler),
    off: (name, handler) => { handlers[name] = (handlers[name] || []).filter((other) => other !== handler); },
    send: (content) => askKernel(content).then((answer) => {
      if (!answer) return;  // lost on the way
      const bytes = answer.buffers.map((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
      tell("msg:custom", answer.content, bytes.map((b) => new DataView(b.buffer)));
    }),
  };
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const module = await import(url);
  window.stop = module.default.render({ model, el: document.getElementById("cell") });
}
"""

SILENCE = "SILENCE_MS = 5000"  # shortened for the tests


class Shown:
    """A viewer on a page: what was asked of the kernel, what was fetched, what was complained of."""

    def __init__(self, page: Any, viewer: Any, lost: Callable[[dict[str, Any]], bool]) -> None:
        self.page, self.viewer = page, viewer
        self.asked: list[dict[str, Any]] = []
        self.fetched: list[str] = []
        self.complaints: list[str] = []
        self.lost = lost
        page.on("request", lambda request: self.fetched.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.expose_function("askKernel", self.answer)
        page.set_content("<!doctype html><html lang=en><title>host</title><main id=cell></main>")
        values = {"facts": viewer.facts, "opacity": viewer.opacity, "hidden": viewer.hidden}
        assert SILENCE in page_module()
        source = page_module().replace(SILENCE, "SILENCE_MS = 400")
        page.evaluate(HOST, [source, page_css(), json.loads(json.dumps(values))])
        self.settled()

    def answer(self, content: dict[str, Any]) -> Any:
        self.asked.append(content)
        if self.lost(content):
            return None
        replies: list[Any] = []
        self.viewer.send = lambda reply, buffers=(): replies.append((reply, buffers))
        self.viewer._handle_custom_msg(content, [])  # what ipywidgets calls when a message arrives
        ((reply, buffers),) = replies
        return {"content": reply, "buffers": [base64.b64encode(buffer).decode() for buffer in buffers]}

    def settled(self) -> np.ndarray:
        """Wait until nothing moves and nothing is asked; the pixels of the slide's frame, uint8 (h, w, 3)."""
        before, asked = b"", -1
        for _ in range(60):
            self.page.wait_for_timeout(100)
            now = self.page.locator(".wsi-frame").screenshot()
            at_rest = self.page.locator(".wsi-frame[aria-busy=false]").count() == 1 or self.lost({})
            if now == before and asked == len(self.asked) and asked and at_rest:
                break
            before, asked = now, len(self.asked)
        else:
            raise AssertionError("the viewer does not come to rest")
        return np.asarray(Image.open(io.BytesIO(now)).convert("RGB")).astype(int)


@pytest.fixture
def show(browser: Any) -> Iterator[Callable[..., Shown]]:
    contexts = []

    def show(viewer: Any, lost: Callable[[dict[str, Any]], bool] = lambda content: False, **options: Any) -> Shown:
        options = {"viewport": {"width": 1000, "height": 800}, "reduced_motion": "reduce", **options}
        contexts.append(browser.new_context(**options))
        return Shown(contexts[-1].new_page(), viewer, lost)

    yield show
    for context in contexts:
        context.close()


@pytest.fixture
def shown(show: Callable[..., Shown], run: NotebookRun) -> Shown:
    return show(run["disc"].view())


def differ(a: np.ndarray, b: np.ndarray) -> float:
    """The share of pixels that are not the same."""
    return float((np.abs(a - b).max(axis=-1) > 12).mean())


def test_nothing_is_fetched_and_nothing_is_complained_of(shown: Shown) -> None:
    shown.page.get_by_role("button", name="Zoom in").click()
    shown.settled()
    assert [url for url in shown.fetched if not url.startswith("blob:")] == []
    assert shown.complaints == []
    assert {question["kind"] for question in shown.asked} == {"tissue", "classes"}


def test_a_class_is_seen_in_its_colour_and_its_share_of_the_picture_is_its_area(shown: Shown, run: NotebookRun) -> None:
    shown.page.locator(".wsi-opacity input").fill("100")
    pixels = shown.settled()
    (entry,) = shown.viewer.facts["classes"]
    colour = np.array([int(entry["color"][at : at + 2], 16) for at in (1, 3, 5)])
    is_class = np.abs(pixels - colour).max(axis=-1) <= 3
    # the slide's picture is as high as the frame: 703 px of 0.475 µm are 334 µm
    um_per_px = 703 * 0.475 / 460
    area_mm2 = is_class.sum() * um_per_px**2 * 1e-6
    assert area_mm2 == pytest.approx(run["disc"].tissue_area_mm2, rel=0.02)


def test_the_opacity_the_classes_and_zooming_change_the_picture(shown: Shown) -> None:
    home = shown.settled()
    shown.page.locator(".wsi-opacity input").fill("0")
    bare = shown.settled()
    assert 0.1 < differ(home, bare) < 0.6
    shown.page.locator(".wsi-opacity input").fill("85")
    assert differ(shown.settled(), home) == 0
    shown.page.get_by_label("tissue").uncheck()
    assert differ(shown.settled(), bare) == 0
    shown.page.get_by_label("tissue").check()
    assert differ(shown.settled(), home) == 0
    assert json.loads(shown.page.evaluate("model.saved.at(-1)")) == {"opacity": 0.85, "hidden": []}
    shown.page.get_by_role("button", name="Zoom in").click()
    shown.page.get_by_role("button", name="Zoom in").click()
    assert differ(shown.settled(), home) > 0.1
    shown.page.get_by_role("button", name="Whole slide").click()
    assert differ(shown.settled(), home) < 0.01


def test_what_python_sets_is_seen(shown: Shown) -> None:
    half = shown.settled()
    shown.page.evaluate("model.set('hidden', ['tissue'])")
    hidden = shown.settled()
    assert differ(half, hidden) > 0.1
    assert not shown.page.get_by_label("tissue").is_checked()
    shown.page.evaluate("model.set('opacity', 1)")
    assert shown.page.locator(".wsi-opacity input").input_value() == "100"


def test_it_is_moved_and_zoomed_by_keyboard_alone(shown: Shown) -> None:
    home = shown.settled()
    shown.page.locator(".openseadragon-canvas").focus()
    for _ in range(2):
        shown.page.keyboard.press("+")
    near = shown.settled()
    shown.page.keyboard.press("ArrowRight")
    right = shown.settled()
    shown.page.keyboard.press("ArrowLeft")
    assert differ(home, near) > 0.1
    assert differ(near, right) > 0.01
    assert differ(shown.settled(), near) < 0.02
    shown.page.keyboard.press("r")  # which would turn the slide
    shown.page.keyboard.press("f")  # and mirror it
    assert differ(shown.settled(), near) < 0.02
    shown.page.keyboard.press("0")
    assert differ(shown.settled(), home) < 0.01


def test_the_wheel_belongs_to_the_notebook_until_the_picture_was_clicked(shown: Shown) -> None:
    home = shown.settled()
    box = shown.page.locator(".wsi-stage").bounding_box()
    shown.page.mouse.move(box["x"] + 200, box["y"] + 200)
    shown.page.mouse.wheel(0, -300)
    assert differ(shown.settled(), home) == 0
    shown.page.mouse.click(box["x"] + 200, box["y"] + 200)
    shown.page.mouse.wheel(0, -300)
    assert differ(shown.settled(), home) > 0.05


def test_the_bar_is_as_long_as_it_says_at_every_zoom(shown: Shown) -> None:
    for _ in range(4):
        shown.settled()
        wide = shown.page.locator(".wsi-stage").bounding_box()["width"]
        bar = shown.page.locator(".wsi-bar-line").bounding_box()["width"]
        zoom = shown.page.evaluate("document.querySelector('.wsi-bar-line').getBoundingClientRect().width")
        length_um = text_um(shown.page.locator(".wsi-bar span").inner_text())
        seen_l0_px = wide * length_um / 0.5 / bar  # what the frame shows from left to right, by the bar
        expected = scale_bar(seen_l0_px, shown.viewer._slide.mpp)
        assert expected.length_um == length_um
        assert zoom == pytest.approx(expected.share * wide, rel=0.01)
        shown.page.get_by_role("button", name="Zoom in").click()


def text_um(text: str) -> float:
    value, unit = text.split(" ")
    return float(value) * {"µm": 1, "mm": 1000}[unit]


def test_without_a_pixel_size_there_is_no_bar_and_it_says_so(show: Callable[..., Shown], run: NotebookRun) -> None:
    shown = show(run["bare"].view())
    assert not shown.page.locator(".wsi-bar").is_visible()
    assert "no scale bar" in shown.page.locator(".wsi-note").inner_text()


def test_a_slide_that_is_gone_is_its_small_picture_and_a_sentence(
    show: Callable[..., Shown], run: NotebookRun, disc_slide: SyntheticSlide
) -> None:
    hidden = disc_slide.path.rename(disc_slide.path.with_suffix(".away"))
    try:
        viewer = run["disc"].view()
    finally:
        hidden.rename(disc_slide.path)
    whole = show(run["disc"].view()).settled()
    shown = show(viewer)
    assert "no such file" in shown.page.locator(".wsi-note").inner_text()
    assert shown.complaints == []
    assert differ(shown.settled(), whole) < 0.05


def test_an_answer_that_is_lost_is_asked_for_again(show: Callable[..., Shown], run: NotebookRun) -> None:
    whole = show(run["disc"].view()).settled()
    again = show(run["disc"].view(), lost=lambda content: content.get("number") == 1)
    assert differ(again.settled(), whole) == 0
    first = {**again.asked[0], "number": 0}
    assert sum({**question, "number": 0} == first for question in again.asked) >= 2


def test_a_kernel_that_does_not_answer_is_named_and_its_tiles_come_once_it_does(
    show: Callable[..., Shown], run: NotebookRun
) -> None:
    busy = [True]
    shown = show(run["disc"].view(), lost=lambda content: busy[0])
    status = shown.page.locator(".wsi-status")
    status.get_by_text("The kernel does not answer").wait_for()
    bare = shown.settled()
    busy[0] = False
    shown.page.wait_for_function("document.querySelector('.wsi-status').textContent === ''")
    assert differ(shown.settled(), bare) > 0.1


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("dark", {"width": 360, "height": 640}), ("light", {"width": 1000, "height": 800})]
)
def test_axe_finds_no_fault_and_nothing_reaches_beyond_the_screen(
    show: Callable[..., Shown], run: NotebookRun, axe_source: str, scheme: str, viewport: dict[str, int]
) -> None:
    shown = show(run["disc"].view(), viewport=viewport, color_scheme=scheme)
    shown.page.evaluate(axe_source)
    found = shown.page.evaluate("axe.run('#cell', { resultTypes: ['violations'] })")
    faults = [(v["id"], v["impact"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found["violations"]]
    assert [fault for fault in faults if fault[1] in {"serious", "critical", "moderate"}] == []
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
