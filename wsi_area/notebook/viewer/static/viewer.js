// The viewer's page in a notebook. `OpenSeadragon` stands above; the kernel answers through `Channel`.

const WIDEST_BAR = 0.3; // of the picture, as on the other pictures of a run
const PAN_SHARE = 0.15; // of what is seen, for an arrow key
const KEPT_CLASS_TILES = 400;
const TEXT = {
  picture: "Slide picture. Arrow keys move it, plus and minus zoom, zero shows the whole slide.",
  help: "Drag to move, double-click to zoom; after a click, the wheel zooms too. Keys: arrows, +, −, 0.",
  silent: "The kernel does not answer: it is busy or not running. Tiles come as soon as it does.",
};

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

class SlidePage {
  constructor(model, el) {
    this.model = model;
    this.facts = model.get("facts");
    this.notes = { silence: "", trouble: "" };
    this.classTiles = new Map();
    this.build(el);
    this.channel = new Channel(
      model,
      (silent) => this.say({ silence: silent ? TEXT.silent : "" }),
      (busy) => this.frame.setAttribute("aria-busy", busy),
    );
    this.follow = [
      ["change:opacity", () => this.showOpacity()],
      ["change:hidden", () => this.showHidden()],
    ];
    for (const [name, then] of this.follow) model.on(name, then);
    this.sized = new ResizeObserver(() => this.open()); // a notebook draws before it has given us a place
    this.sized.observe(this.stage);
  }

  close() {
    for (const [name, then] of this.follow) this.model.off(name, then);
    this.sized.disconnect();
    this.channel.close();
    this.viewer?.destroy();
    if (this.still) this.still.style.display = "";
  }

  // --- what is on the page ---

  build(el) {
    const button = (text, title, onclick, label = title) => {
      const made = element("button", { type: "button", textContent: text, title, onclick });
      made.setAttribute("aria-label", label);
      return made;
    };
    this.stage = element("div", { className: "wsi-stage" });
    this.barText = element("span");
    this.bar = element("div", { className: "wsi-bar", hidden: true }, this.barText);
    this.barLine = element("div", { className: "wsi-bar-line" });
    this.bar.append(this.barLine);
    this.status = element("p", { className: "wsi-status" });
    this.status.setAttribute("role", "status");
    this.slider = element("input", { type: "range", min: 0, max: 100, step: 5 });
    this.slider.oninput = () => this.change("opacity", Number(this.slider.value) / 100);
    this.boxes = new Map();
    const classes = this.facts.classes.map((entry) => this.classBox(entry));
    const tools = element(
      "div",
      { className: "wsi-tools" },
      button("+", "Zoom in", () => this.zoom(1.6)),
      button("−", "Zoom out", () => this.zoom(1 / 1.6)),
      button("Whole slide", "Whole slide", () => this.viewer?.viewport.goHome()),
      button("Full screen", "Full screen on or off", () => this.fullScreen(), "Full screen"),
      element("label", { className: "wsi-opacity" }, "Opacity of the classes", this.slider),
    );
    this.frame = element("div", { className: "wsi-frame" }, this.stage, this.bar);
    this.root = element(
      "div",
      { className: "wsi-viewer" },
      tools,
      this.frame,
      element("fieldset", { className: "wsi-classes" }, element("legend", {}, "Shown"), ...classes),
      element("p", { className: "wsi-help" }, TEXT.help),
      ...this.facts.notes.map((text) => element("p", { className: "wsi-note" }, text)),
      this.status,
    );
    if (!classes.length) this.root.querySelector("fieldset").hidden = true;
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", `Viewer of slide ${this.facts.slide_id}`);
    this.root.dataset.lmSuppressShortcuts = "true"; // or JupyterLab takes 0 0 for "restart the kernel"
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    // the wheel scrolls the notebook until the viewer was clicked or reached by keyboard
    this.stage.addEventListener(
      "wheel",
      (event) => this.stage.contains(document.activeElement) || event.stopPropagation(),
      { capture: true, passive: true },
    );
    el.append(this.root);
    this.showOpacity();
    this.showHidden();
  }

  classBox({ name, text, color }) {
    const box = element("input", { type: "checkbox" });
    box.onchange = () => {
      const hidden = this.facts.classes.map((c) => c.name).filter((n) => !this.boxes.get(n).checked);
      this.change("hidden", hidden);
    };
    this.boxes.set(name, box);
    const swatch = element("span", { className: "wsi-swatch" });
    swatch.style.background = color;
    return element("label", {}, box, swatch, text);
  }

  say(notes) {
    Object.assign(this.notes, notes);
    const text = [this.notes.trouble, this.notes.silence].filter(Boolean).join(" ");
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  change(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  // --- the picture ---

  open() {
    if (this.viewer || !this.stage.clientWidth || !this.stage.clientHeight) return;
    this.viewer = new OpenSeadragon.Viewer({
      element: this.stage,
      drawer: "canvas",
      showNavigationControl: false,
      imageLoaderLimit: 6,
      timeout: 24 * 3600 * 1000, // a kernel may be busy for long
      maxImageCacheCount: 120,
      animationTime: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 0.4,
      maxZoomPixelRatio: 8,
      smoothTileEdgesMinZoom: Infinity,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      preserveImageSizeOnResize: false,
      tileSources: [new TileFromKernel(this.facts, "tissue", this.facts.last_tissue_level, (...at) => this.tissue(...at))],
    });
    const canvas = this.viewer.canvas;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", TEXT.picture);
    this.viewer.addHandler("canvas-key", (event) => this.key(event));
    this.viewer.addHandler("tile-drawing", ({ tiledImage, context }) => {
      // classes have edges, and so have the slide's pixels where each is larger than one of the screen
      if (tiledImage !== this.viewer.world.getItemAt(0)) context.imageSmoothingEnabled = false;
    });
    for (const name of ["open", "animation", "resize", "update-viewport"]) this.viewer.addHandler(name, () => this.drawBar());
    this.viewer.addHandler("open", () => this.showHidden());
  }

  async tissue(level, column, row, job) {
    return createImageBitmap(new Blob([await this.answer("tissue", level, column, row, job)], { type: "image/jpeg" }));
  }

  async classes(hidden, level, column, row, job) {
    const name = `${level}/${column}/${row}`;
    if (!this.classTiles.has(name)) {
      const png = await this.answer("classes", level, column, row, job);
      this.classTiles.set(name, png);
      if (this.classTiles.size > KEPT_CLASS_TILES) this.classTiles.delete(this.classTiles.keys().next().value);
    }
    const png = this.classTiles.get(name);
    if (!png) return createImageBitmap(new ImageData(1, 1));
    return createImageBitmap(new Blob([withoutCodes(png, hidden)], { type: "image/png" }));
  }

  async answer(kind, level, column, row, job) {
    const question = this.channel.ask(kind, level, column, row);
    job.userData.drop = () => this.channel.drop(question);
    try {
      const bytes = await question.answer;
      this.hideStill();
      return bytes;
    } catch (error) {
      this.say({ trouble: error.message });
      throw error;
    }
  }

  /** Take the picture that stays in the notebook out of sight while there is something better. */
  hideStill() {
    if (this.still) return;
    const before = this.root.closest(".jp-OutputArea-child")?.previousElementSibling;
    const image = before?.querySelector(".jp-RenderedImage img");
    const [width, height] = this.facts.still_px;
    if (image?.naturalWidth !== width || image.naturalHeight !== height) return;
    this.still = before;
    before.style.display = "none";
  }

  // --- what the reader does ---

  key(event) {
    const { viewport } = this.viewer;
    const view = viewport.getBounds();
    const steps = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    };
    const { key, ctrlKey, altKey, metaKey } = event.originalEvent;
    event.preventDefaultAction = true; // OpenSeadragon would turn and mirror the slide as well
    if (ctrlKey || altKey || metaKey) return;
    if (steps[key]) {
      const [x, y] = steps[key];
      viewport.panBy(new OpenSeadragon.Point(x * PAN_SHARE * view.width, y * PAN_SHARE * view.height));
      viewport.applyConstraints();
      event.originalEvent.preventDefault();
    } else if (key === "+" || key === "=") this.zoom(1.6);
    else if (key === "-") this.zoom(1 / 1.6);
    else if (key === "0" || key === "Home") viewport.goHome();
  }

  zoom(factor) {
    this.viewer?.viewport.zoomBy(factor);
    this.viewer?.viewport.applyConstraints();
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen().catch((error) => this.say({ trouble: `Full screen is refused: ${error.message}` }));
  }

  showOpacity() {
    const opacity = this.model.get("opacity");
    this.slider.value = Math.round(100 * opacity);
    this.slider.setAttribute("aria-valuetext", `${this.slider.value} % opaque`);
    this.overlay?.setOpacity(opacity);
  }

  /** Lay the classes that are shown over the slide; what was there before stays until the new ones are drawn. */
  showHidden() {
    const hidden = new Set(this.model.get("hidden"));
    for (const [name, box] of this.boxes) box.checked = !hidden.has(name);
    if (!this.viewer?.isOpen()) return;
    const codes = this.facts.classes.filter((c) => hidden.has(c.name)).map((c) => c.code);
    const load = (...at) => this.classes(codes, ...at);
    const source = new TileFromKernel(this.facts, `classes-${codes.join("-")}`, this.facts.last_level, load);
    const turn = (this.turn = Symbol("classes"));
    this.viewer.addTiledImage({
      tileSource: source,
      opacity: 0,
      preload: true,
      success: ({ item }) => {
        const lay = () => {
          clearTimeout(late);
          item.removeAllHandlers("fully-loaded-change");
          if (this.turn !== turn) {
            this.viewer?.world?.removeItem(item);
            return;
          }
          if (this.overlay) this.viewer.world.removeItem(this.overlay);
          this.overlay = item;
          item.setOpacity(this.model.get("opacity"));
        };
        // where tiles have to come from the kernel first, half a picture is better than the wrong one
        const late = setTimeout(lay, this.overlay ? 600 : 0);
        item.addHandler("fully-loaded-change", ({ fullyLoaded }) => fullyLoaded && lay());
      },
    });
  }

  drawBar() {
    const { mpp_x_um: mpp, bars, width_px: width } = this.facts;
    if (!bars.length || !this.viewer?.viewport) return;
    const screen = this.viewer.viewport.getContainerSize().x;
    const pxPerUm = (screen * this.viewer.viewport.getZoom(true)) / width / mpp;
    const fitting = bars.filter(([um]) => um * pxPerUm <= WIDEST_BAR * screen);
    const [um, text] = fitting.length ? fitting[fitting.length - 1] : bars[0];
    this.bar.hidden = false;
    this.barLine.style.width = `${um * pxPerUm}px`;
    this.barText.textContent = text;
  }
}

export default {
  render({ model, el }) {
    const page = new SlidePage(model, el);
    return () => page.close();
  },
};
