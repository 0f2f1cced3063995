// Stacked bars by Chart.js, and the same numbers as a table.

import { h } from "./dom.js";
import { language, shortDay, t } from "./words.js";

const COLOURS = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6", "--chart-7"];
const KINDS = ["pictures", "credits"];

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function series(sums, kind) {
  return sums.dags.map(({ name, ...row }, index) => ({
    label: name,
    data: row[kind],
    backgroundColor: style(COLOURS[index % COLOURS.length]),
    borderRadius: 3,
    maxBarThickness: 36,
  }));
}

function options() {
  const [ink, line] = [style("--quiet"), style("--line")];
  const font = { family: style("--font"), size: 12 };
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: still ? false : { duration: 250 },
    interaction: { mode: "index", intersect: false },
    locale: language,
    scales: {
      x: { stacked: true, grid: { display: false }, border: { color: line }, ticks: { color: ink, font } },
      y: {
        stacked: true,
        beginAtZero: true,
        border: { display: false },
        grid: { color: line },
        ticks: { color: ink, font, precision: 0, maxTicksLimit: 6 },
      },
    },
    plugins: {
      legend: { position: "bottom", align: "start", labels: { color: ink, font, boxWidth: 10, boxHeight: 10 } },
      tooltip: { filter: (item) => item.parsed.y > 0 },
    },
  };
}

/** Return the chart with its buttons. */
export function chart(sums) {
  const canvas = h("canvas", { role: "img" });
  const buttons = KINDS.map((kind) =>
    h("button", { type: "button", class: "button small", click: () => choose(kind) }, t(`chart_${kind}`)),
  );
  let drawn = null;
  let chosen = KINDS[0];

  function draw() {
    const label = t("chart_label", { what: t(`chart_${chosen}`), days: sums.days.length });
    canvas.setAttribute("aria-label", label);
    drawn?.destroy();
    const data = { labels: sums.days.map(shortDay), datasets: series(sums, chosen) };
    drawn = new window.Chart(canvas, { type: "bar", data, options: options() });
  }

  function choose(kind) {
    chosen = kind;
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(KINDS[index] === kind)));
    if (canvas.isConnected) draw();
  }

  function follow() {
    if (canvas.isConnected) draw();
    else removeEventListener("themechange", follow); // the page has another chart by now
  }

  choose(chosen);
  addEventListener("themechange", follow);
  requestAnimationFrame(draw); // once it stands in the page, and has a size
  return [
    h("div", { class: "choice", role: "group", "aria-label": t("chart_choice") }, buttons),
    h("div", { class: "canvas" }, canvas),
  ];
}

/** Return the numbers as a table: a row for each day and Dag that has any. */
export function table(sums) {
  const rows = sums.days
    .flatMap((day, index) => sums.dags.map((row) => [day, row.name, row.pictures[index], row.credits[index]]))
    .filter(([, , pictures, credits]) => pictures || credits)
    .reverse();
  const head = ["day", "dag", "chart_pictures", "chart_credits"].map((key) => h("th", { scope: "col" }, t(key)));
  const body = rows.map(([day, ...cells]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, shortDay(day)),
      cells.map((cell) => h("td", {}, String(cell))),
    ),
  );
  return h(
    "details",
    { class: "table" },
    h("summary", {}, t("table")),
    h("table", {}, h("caption", { class: "unseen" }, t("by_day")), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)),
  );
}
