(() => {
  "use strict";
  const table = document.getElementById("slides-table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
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
    for (const row of rows) {
      row.hidden = !(
        row.cells[0].textContent.toLowerCase().includes(wanted) &&
        (status.value === "" || row.dataset.status === status.value) &&
        (code.value === "" || row.dataset.codes.split(" ").includes(code.value))
      );
    }
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
