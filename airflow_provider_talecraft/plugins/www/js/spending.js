// Pictures and credits a day by Dag, added up from the reports of tasks.

import { count, mapping } from "./facts.js";
import { day } from "./words.js";

/** Return the last `days` days, the oldest first, as YYYY-MM-DD where the viewer is. */
export function lastDays(days, now = new Date()) {
  return Array.from({ length: days }, (_, ago) => day(new Date(now.getTime() - ago * 86_400_000))).reverse();
}

/** Return what one report says was drawn and paid. */
function drawnAndPaid(value) {
  const report = mapping(value);
  const isBatch = "count" in report;
  // The reports of earlier tries are gone; what other tasks have drawn stands in their reports.
  const credits = count(report.credits) + count(report.credits_earlier);
  const own = count(report.delivered) - count(report.of_others);
  const pictures = isBatch ? count(own) : Number(report.state === "drawn" || count(report.credits_earlier) > 0);
  return { pictures, credits, unknown: count(report.credits_unknown) };
}

/**
 * Add up. `reports` are {dag, time, value}; a Dag beyond the first `most` by credits is counted under `others`.
 * Returns {days, dags: [{name, pictures: [a number a day], credits: [...]}], pictures, credits, unknown}.
 */
export function addUp(reports, days, most, others) {
  const byDag = new Map();
  const place = new Map(days.map((one, index) => [one, index]));
  const sums = { pictures: 0, credits: 0, unknown: 0 };
  const empty = (name) => ({ name, pictures: days.map(() => 0), credits: days.map(() => 0), sum: 0 });
  for (const { dag, time, value } of reports) {
    const index = time ? place.get(day(time)) : undefined;
    if (index === undefined) continue;
    const counts = drawnAndPaid(value);
    if (!byDag.has(dag)) byDag.set(dag, empty(dag));
    const row = byDag.get(dag);
    row.pictures[index] += counts.pictures;
    row.credits[index] += counts.credits;
    row.sum += counts.credits + counts.pictures;
    for (const name of Object.keys(sums)) sums[name] += counts[name];
  }
  const rows = [...byDag.values()].filter((row) => row.sum).sort((one, other) => other.sum - one.sum);
  const rest = rows.splice(most).reduce((all, row) => {
    for (const name of ["pictures", "credits"]) all[name] = all[name].map((sum, index) => sum + row[name][index]);
    all.sum += row.sum;
    return all;
  }, empty(others));
  return { days, dags: rest.sum ? [...rows, rest] : rows, ...sums };
}
