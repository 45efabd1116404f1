"use strict";
const facts = JSON.parse(document.getElementById("facts").textContent);
const points = facts.points;
const store = "reference " + facts.draw + " " + points[0].id;
const element = (id) => document.getElementById(id);
let answers = {};
try { answers = JSON.parse(localStorage.getItem(store)) || {}; } catch (error) { answers = {}; }
let at = Math.max(0, points.findIndex((point) => !answers[point.id]));

for (const [key, name] of facts.classes) {
  const button = document.createElement("button");
  button.textContent = key + "  " + (name === "?" ? "cannot tell" : name);
  button.dataset.name = name;
  button.addEventListener("click", () => answer(name));
  element("keys").append(button);
}

function show() {
  const point = points[at];
  element("where").textContent = "Point " + (at + 1) + " of " + points.length + " · " + point.slide + " · x " + point.x +
    ", y " + point.y + " px · the picture is " + facts.field_um + " µm wide";
  element("patch").hidden = !point.jpeg;
  if (point.jpeg) element("patch").src = "data:image/jpeg;base64," + point.jpeg;
  element("why").textContent = point.why;
  element("cross").style.left = 100 * point.cx + "%";
  element("cross").style.top = 100 * point.cy + "%";
  for (const button of element("keys").children) {
    button.setAttribute("aria-pressed", String(answers[point.id] === button.dataset.name));
  }
  const done = points.filter((one) => answers[one.id]).length;
  element("done").textContent = done + " of " + points.length + " answered";
}

function answer(name) {
  answers[points[at].id] = name;
  try { localStorage.setItem(store, JSON.stringify(answers)); } catch (error) { /* a private window keeps none */ }
  step(1);
}

function step(by) {
  at = Math.min(points.length - 1, Math.max(0, at + by));
  show();
}

function cell(text) {
  const safe = /^[=+\-@\t]/.test(text) ? "'" + text : text;
  return /[",\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
}

function save() {
  const lines = ["point_id,slide_id,x_px,y_px,answer"];
  for (const p of points) lines.push([cell(p.id), cell(p.slide), p.x, p.y, cell(answers[p.id] || "")].join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
  link.download = "answers.csv";
  link.click();
}

element("save").addEventListener("click", save);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const found = facts.classes.find(([key]) => key === event.key);
  if (found) answer(found[1]);
  else if (event.key === "Backspace" || event.key === "ArrowLeft") step(-1);
  else if (event.key === "ArrowRight") step(1);
  else if (event.key === "s") save();
  else return;
  event.preventDefault();
});
show();
