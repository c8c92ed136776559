// SPDX-License-Identifier: Apache-2.0
#include "sim/report_page.h"

namespace weir::sim {

std::string_view page_style() {
  return R"css(
:root { color-scheme: light dark;
  --paper: #f7f6f2; --card: #ffffff; --ink: #1d2126; --soft: #626a73; --rule: #e2e0d9;
  --attempted: #d0680a; --succeeded: #0c7a69; --offered: #7b828a; --queue: #7d4cc2;
  --in-flight: #2264c7; --limit: #7b828a; --budget: #0c7a69; --breaker: #c22f36;
  --side-a: #2264c7; --side-b: #d0680a;
  --good: #0c7a69; --bad: #c22f36; --warn: #a15c00; --fault: #c22f3622; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #121519; --card: #1b1f25; --ink: #e8eaed; --soft: #9ba4ae; --rule: #2e343c;
  --attempted: #f49b45; --succeeded: #45c4aa; --offered: #98a1ab; --queue: #b795f0;
  --in-flight: #74abff; --limit: #98a1ab; --budget: #45c4aa; --breaker: #ff7b80;
  --side-a: #74abff; --side-b: #f49b45;
  --good: #45c4aa; --bad: #ff7b80; --warn: #f2b45a; --fault: #ff7b8026; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 36px 24px 48px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 2px; }
h2 { font-size: 17px; margin: 34px 0 12px; } h1, h2 { overflow-wrap: anywhere; }
p { margin: 0; } .soft, footer { color: var(--soft); }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 16px;
  margin: 20px 0 8px; }
.side, .panel, .chart { background: var(--card); border: 1px solid var(--rule);
  border-radius: 10px; }
.side { padding: 20px 22px; border-left: 6px solid var(--warn); }
.side.steady, .side.recovers { border-left-color: var(--good); }
.side.metastable { border-left-color: var(--bad); }
.policy { font-weight: 600; overflow-wrap: anywhere; }
.policy .line { vertical-align: middle; }
.verdict { font-size: 21px; font-weight: 600; line-height: 1.35; margin: 4px 0 16px;
  overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; gap: 10px 26px; margin: 0; }
.tiles div { min-width: 76px; } .tiles dt { color: var(--soft); font-size: 13px; }
.tiles dd { margin: 0; font-size: 22px; }
.panel { padding: 6px 18px; overflow-x: auto; } .totals { max-width: 620px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 16px 7px 0; text-align: left; border-bottom: 1px solid var(--rule);
  vertical-align: top; }
tr:last-child > * { border-bottom: 0; } thead th { color: var(--soft); font-size: 13px; }
.number { text-align: right; } .met { color: var(--good); font-weight: 600; }
.unmet { color: var(--bad); font-weight: 600; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr));
  gap: 16px; }
.chart { margin: 0; padding: 14px 16px 10px; } .chart.wide { grid-column: 1 / -1; }
figcaption { font-weight: 600; } .legend { list-style: none; display: flex; flex-wrap: wrap;
  gap: 2px 18px; margin: 2px 0 6px; padding: 0; color: var(--soft); font-size: 13px; }
.legend svg, .policy svg { width: 26px; height: 10px; margin-right: 6px; vertical-align: middle; }
.chart > svg { display: block; width: 100%; height: auto; touch-action: pan-y; }
.chart > svg:focus-visible { outline: 2px solid var(--side-a); outline-offset: 2px; }
output { display: block; min-height: 20px; color: var(--soft); font-size: 13px;
  font-variant-numeric: tabular-nums; }
.grid { stroke: var(--rule); } .tick { fill: var(--soft); font-size: 11px; }
.fault { fill: var(--fault); } .fault-name { fill: var(--bad); font-size: 11px; }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
.area { stroke: none; fill: currentColor; opacity: 0.16; }
.attempted { color: var(--attempted); } .succeeded { color: var(--succeeded); }
.offered { color: var(--offered); stroke-dasharray: 5 4; }
.queue, .server-queue { color: var(--queue); } .in-flight { color: var(--in-flight); }
.limit { color: var(--limit); stroke-dasharray: 5 4; } .budget { color: var(--budget); }
.breaker { color: var(--breaker); } .side-a { color: var(--side-a); }
.side-b { color: var(--side-b); stroke-dasharray: 8 3; }
.cursor { stroke: var(--ink); stroke-width: 1; opacity: 0; } .cursor.on { opacity: 0.55; }
details { margin-top: 16px; } summary { cursor: pointer; color: var(--soft); }
footer { margin-top: 34px; font-size: 13px; }
@media print { body { background: #fff; } .chart, .side { break-inside: avoid; } }
)css";
}

std::string_view page_script() {
  return R"js(
"use strict";
const charts = JSON.parse(document.getElementById("points").textContent);
const figures = [...document.querySelectorAll("figure.chart")];
let place = null;  // share of the whole width, 0 to 1

const number = (value) =>
  Math.abs(value) >= 99.95 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(3));
const time = (seconds) => seconds < 60
  ? `${+seconds.toPrecision(3)} s`
  : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;

function valueAt(line, seconds) {
  let low = 0;
  let high = line.at.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (line.at[middle] < seconds) low = middle + 1; else high = middle;
  }
  return line.value[low];
}

function show(share) {
  place = Math.min(Math.max(share, 0), 1);
  figures.forEach((figure, i) => {
    const svg = figure.querySelector("svg[role=img]");
    const x = Number(svg.dataset.left) + Number(svg.dataset.width) * place;
    const cursor = svg.querySelector(".cursor");
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.classList.add("on");
    const seconds = place * charts[i].seconds;
    const values = charts[i].lines.filter((line) => line.at.length > 0)
      .map((line) => `${line.label} ${number(valueAt(line, seconds))}${charts[i].unit}`);
    figure.querySelector("output").textContent = `at ${time(seconds)}: ${values.join(", ")}`;
  });
}

for (const figure of figures) {
  const svg = figure.querySelector("svg[role=img]");
  const width = svg.viewBox.baseVal.width;
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * width;
    show((x - Number(svg.dataset.left)) / Number(svg.dataset.width));
  });
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -0.01, ArrowRight: 0.01 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    show((place ?? 0) + by);
  });
}
)js";
}

}  // namespace weir::sim
