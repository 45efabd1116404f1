(() => {
  "use strict";
  const table = document.getElementById("slides-table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const cards = [...document.querySelectorAll(".card")];
  const said = document.getElementById("filter-count");

  // an unknown value stands last, whichever way the others are sorted
  const compare = (column, kind, sign) => (a, b) => {
    const [x, y] = [a, b].map((row) => row.cells[column].dataset.sort);
    if (x === "" || y === "") return (x === "") - (y === "");
    const order = kind === "number" ? Number(x) - Number(y) : x.localeCompare(y, "en", { numeric: true });
    return sign * order || rows.indexOf(a) - rows.indexOf(b);
  };

  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const way = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", way);
      body.append(...[...rows].sort(compare(column, head.dataset.kind, way === "ascending" ? 1 : -1)));
      said.textContent = `Sorted by ${button.textContent.trim()}, ${way}.`;
    });
  });

  const form = document.getElementById("filters");
  const [text, status, code] = ["text", "status", "code"].map((name) => document.getElementById(`filter-${name}`));
  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    const fits = (name, data) =>
      name.toLowerCase().includes(wanted) &&
      (status.value === "" || data.status === status.value) &&
      (code.value === "" || data.codes.split(" ").includes(code.value));
    for (const row of rows) row.hidden = !fits(row.cells[0].textContent, row.dataset);
    for (const card of cards) card.hidden = !fits(card.dataset.name, card.dataset);
    // what was asked for is not to lie folded away
    const more = document.querySelector(".more-cards");
    if (more && (wanted || status.value || code.value)) more.open = true;
    said.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} slides shown.`;
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));

  for (const figure of document.querySelectorAll(".with-classes")) {
    const slider = figure.querySelector(".class-opacity");
    if (!slider) continue;
    slider.parentElement.hidden = false;
    slider.addEventListener("input", () => {
      figure.querySelector(".show-classes").checked = true;
      figure.querySelector(".classes").setAttribute("opacity", String(slider.value / 100));
    });
  }

  // what is folded on screen belongs on paper
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((details) => { details.open = false; }));
})();
