"""The viewer in a real JupyterLab in a real Chromium: it moves, it fetches nothing, and a picture stays behind.

Not part of the suite: it needs JupyterLab and minutes. It measures the demo's slide, or the one that is named, starts
JupyterLab on a free port of the loopback with a folder of its own, and runs a notebook in which the viewer is shown. It
moves, zooms and switches it and looks whether the pixels follow, presses keys that JupyterLab would take for commands,
saves the notebook, opens it again without its kernel, and has nbconvert make a page of it. Screenshots are kept; what
it started is ended.

    python tests/nightly/view_in_jupyterlab.py --out shots [--jupyter OTHER_VENV/bin/jupyter] [--slide slide.svs]

The kernel is this interpreter. JupyterLab, nbconvert and anywidget may live in another environment, named by --jupyter.
"""

import argparse
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

TOKEN = "loopback-only"
CELLS = """
import wsi_area
run = wsi_area.open_run({run!r})
viewer = run[{slide_id!r}].view()
viewer
---
viewer.opacity, viewer.hidden
"""


def measured(slide: Path | None, out: Path) -> tuple[Path, str]:
    """A run and the id of its slide."""
    if slide is None:
        from wsi_area.demo.measured import DEMO_SETTINGS, measure_demo

        measure_demo(out / "demo", DEMO_SETTINGS, force=False, listener=lambda event: None)
        return out / "demo" / "run", "demo"
    command = [Path(sys.executable).with_name("wsi-area"), "run", str(slide), "--out", str(out / "run")]
    subprocess.run(command, check=False)  # its exit code says how the slide ended, which does not matter here
    return out / "run", slide.stem


def notebook(folder: Path, run: Path, slide_id: str) -> Path:
    cells = CELLS.format(run=str(run), slide_id=slide_id).strip().split("\n---\n")
    path = folder / "view.ipynb"
    kernel = {"name": "python3", "display_name": "Here", "language": "python"}
    document = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    document.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(document, path)
    return path


@contextmanager
def jupyterlab(jupyter: str, folder: Path, home: Path) -> Iterator[str]:
    """The address of a JupyterLab that sees one folder and whose kernel is this interpreter."""
    kernel = home / "kernels" / "python3"
    kernel.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Here", "language": "python"}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"JUPYTER_PATH": home, "JUPYTER_CONFIG_DIR": home / "config", "JUPYTER_RUNTIME_DIR": home / "runtime"}
    environment = {**os.environ, **{name: str(place) for name, place in places.items()}, "IPYTHONDIR": str(home)}
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--port-retries=0", "--allow-root",
               f"--IdentityProvider.token={TOKEN}", f"--notebook-dir={folder}",
               "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]  # fmt: skip
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen([jupyter, "lab", *options], env=environment, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(address, server, home / "server.log")
            yield address
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def wait_for(address: str, server: Any, log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            raise SystemExit(f"JupyterLab ended: {log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(f"{address}/api/status?token={TOKEN}", timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"JupyterLab did not start: {log.read_text()[-2000:]}")


class Looked:
    """A page whose picture is looked at, and which addresses it asked."""

    def __init__(self, page: Page, out: Path) -> None:
        self.page, self.out = page, out
        self.hosts: set[str] = set()
        self.kernel_bytes = 0
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname or ""))

    def pixels(self, name: str) -> np.ndarray:
        """Wait until the picture of the viewer rests; its pixels, and a screenshot of the whole page."""
        before = b""
        for _ in range(80):
            self.page.wait_for_timeout(400)
            self.page.evaluate("document.querySelector('.wsi-viewer').scrollIntoView({ block: 'start' })")
            now = self.page.locator(".wsi-frame").first.screenshot()
            if now == before and self.page.locator(".wsi-frame[aria-busy=false]").count():
                break
            before = now
        self.page.screenshot(path=self.out / f"{name}.png")
        return np.asarray(Image.open(io.BytesIO(now)).convert("RGB")).astype(int)


def differ(a: np.ndarray, b: np.ndarray) -> float:
    return float((np.abs(a - b).max(axis=-1) > 12).mean())


def require(holds: bool, what: str) -> None:
    print(f"{'ok  ' if holds else 'FAIL'} {what}", flush=True)
    if not holds:
        raise SystemExit(1)


def run_all_cells(page: Page, address: str) -> None:
    page.goto(f"{address}/lab/tree/view.ipynb?token={TOKEN}&reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=120_000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(timeout=120_000)
    for _ in range(20):  # a cell that is run before its kernel listens stays as it is, or JupyterLab says so
        page.wait_for_timeout(3000)
        if page.locator(".jp-Dialog").count():
            page.keyboard.press("Escape")
        page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(2000)
        if page.locator(".jp-InputPrompt").first.inner_text() != "[ ]:":
            break
    page.locator(".wsi-stage canvas").first.wait_for(timeout=120_000)


def look_at_the_viewer(looked: Looked) -> None:
    page = looked.page
    frame = page.locator(".wsi-frame").first
    frame.scroll_into_view_if_needed()
    home = looked.pixels("1_home")
    require(len(np.unique(home.reshape(-1, 3), axis=0)) > 50, "the slide is drawn")
    stills = page.locator(".jp-RenderedImage img")
    require(stills.count() == 1 and not stills.first.is_visible(), "the still picture is there, out of sight")
    slider = page.locator(".wsi-opacity input").first
    slider.fill("0")
    bare = looked.pixels("2_bare")
    require(differ(home, bare) > 0.02, f"opacity 0 takes the classes away ({differ(home, bare):.1%} of the pixels)")
    slider.fill("100")
    opaque = looked.pixels("3_opaque")
    require(differ(opaque, bare) > 0.02, f"opacity 100 brings them back ({differ(opaque, bare):.1%})")
    slider.fill("85")
    boxes = page.locator(".wsi-classes input")
    for at in range(boxes.count()):
        boxes.nth(at).uncheck()
    require(differ(looked.pixels("4_no_class"), bare) < 0.001, "with every class unticked the slide is bare")
    for at in range(boxes.count()):
        boxes.nth(at).check()
    require(differ(looked.pixels("5_all_classes"), home) < 0.001, "ticked again it is as it was")
    box = frame.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*middle)
    inside = "document.querySelector('.wsi-stage').contains(document.activeElement)"
    require(page.evaluate(inside), "a click gives the picture the keyboard")
    for _ in range(8):
        page.mouse.wheel(0, -200)
        page.wait_for_timeout(120)
    near = looked.pixels("6_zoomed")
    require(differ(near, home) > 0.05, f"the wheel zooms ({differ(near, home):.1%})")
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 180, middle[1] - 60, steps=8)
    page.mouse.up()
    panned = looked.pixels("7_panned")
    require(differ(panned, near) > 0.01, f"dragging moves it ({differ(panned, near):.1%})")
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    for key in ("ArrowRight", "d", "d", "b", "a", "x", "0", "0"):
        page.keyboard.press(key)
    require(differ(looked.pixels("8_home_again"), home) < 0.01, "0 shows the whole slide again")
    require(page.locator(".jp-Notebook .jp-Cell").count() == cells, "no key reached JupyterLab's commands")
    require(page.locator(".jp-Dialog").count() == 0, "0 0 did not ask to restart the kernel")
    for n in range(16):  # more tiles than a server lets through at once
        page.keyboard.press("0")
        page.wait_for_timeout(500)
        page.mouse.move(
            box["x"] + box["width"] * (0.4 + 0.05 * (n % 4)), box["y"] + box["height"] * (0.2 + 0.15 * (n // 4))
        )
        for _ in range(7):
            page.mouse.wheel(0, -200)
            page.wait_for_timeout(60)
    looked.pixels("9_far_in")
    require(page.locator(".wsi-status").first.inner_text() == "", "no tile was lost for good")


def saved(looked: Looked, path: Path) -> None:
    page = looked.page
    page.keyboard.press("Escape")
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").last.click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_timeout(1500)
    page.keyboard.press("Control+s")
    for _ in range(40):
        page.wait_for_timeout(250)
        outputs = nbformat.read(path, 4).cells[0].outputs
        if outputs:
            break
    kinds = [sorted(output.get("data", {})) for output in outputs]
    require(any("image/png" in kind for kind in kinds), f"the saved notebook holds the picture: {kinds}")
    print(f"     the saved notebook has {path.stat().st_size / 1e6:.2f} MB")


def opened_without_its_kernel(browser: Any, address: str, path: Path, out: Path) -> None:
    """A copy without a kernel, as a colleague opens it who only reads."""
    document = nbformat.read(path, 4)
    document.metadata.pop("widgets", None)
    nbformat.write(document, path.with_name("read.ipynb"))
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"{address}/lab/workspaces/reading/tree/read.ipynb?token={TOKEN}&reset")
    image = page.locator(".jp-RenderedImage img")
    image.first.wait_for(timeout=120_000)
    page.wait_for_timeout(3000)
    page.screenshot(path=out / "10_opened_again.png")
    require(image.count() == 1 and image.first.is_visible(), "opened without its kernel the notebook shows the picture")
    page.close()


def converted(jupyter: str, browser: Any, path: Path, out: Path) -> None:
    subprocess.run([jupyter, "nbconvert", "--to", "html", "--output-dir", str(out), str(path)], check=True)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((out / f"{path.stem}.html").as_uri())
    image = page.locator(".jp-OutputArea-output img")
    page.screenshot(path=out / "11_nbconvert.png")
    require(image.count() == 1 and image.first.is_visible(), "nbconvert's page shows the picture, without a connection")
    context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jupyter", default=shutil.which("jupyter"))
    parser.add_argument("--slide", type=Path)
    parser.add_argument("--dark", action="store_true", help="JupyterLab Dark")
    asked = parser.parse_args()
    out = asked.out.resolve()
    home, folder = out / "home", out / "notebooks"
    for each in (home, folder):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir(parents=True)
    if asked.dark:
        overrides = home / "config" / "labconfig"
        settings = home / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
        for each in (overrides, settings):
            each.mkdir(parents=True)
        (settings / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}')
    path = notebook(folder, *measured(asked.slide, out))
    chromium = next(
        found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))
    )
    with jupyterlab(asked.jupyter, folder, home) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        looked = Looked(browser.new_page(viewport={"width": 1280, "height": 1000}), out)
        try:
            run_all_cells(looked.page, address)
            look_at_the_viewer(looked)
            saved(looked, path)
        except BaseException:
            looked.page.screenshot(path=out / "failed.png")
            raise
        log = (home / "server.log").read_text(encoding="utf-8")
        require("data rate exceeded" not in log, "the server let everything through")
        require(looked.hosts <= {"127.0.0.1", ""}, f"no request left the loopback: {sorted(looked.hosts)}")
        looked.page.close()
        opened_without_its_kernel(browser, address, path, out)
        converted(asked.jupyter, browser, path, out)
        browser.close()


if __name__ == "__main__":
    main()
