// The page in the menu: recent pictures of all Dags that the viewer may read, and what they cost by day.

import { each, xcom, xcoms } from "./airflow.js";
import { chart, table } from "./chart.js";
import { announce, h, isShown, show } from "./dom.js";
import { mapping, moment, text } from "./facts.js";
import { gallery } from "./gallery.js";
import { notice } from "./notice.js";
import { pictures } from "./pictures.js";
import { refresh } from "./refresh.js";
import { addUp, lastDays } from "./spending.js";
import { counted, t } from "./words.js";

const SECONDS = 60;
const DAYS = 14;
/** Tasks that are counted: a request to Airflow for each. */
const MOST = 200;
const RECENT_TASKS = 16;
const RECENT_PICTURES = 24;
const OF_ONE_TASK = 4;
const DAGS_IN_CHART = 6;
const EVERYWHERE = { dagId: "~", runId: "~" };
const values = new Map();

async function reportOf(entry) {
  const address = { dagId: entry.dag_id, runId: entry.run_id, taskId: entry.task_id, mapIndex: entry.map_index };
  const key = JSON.stringify([address, entry.timestamp]);
  // What was told at a time does not change any more; one that cannot be read is left out.
  if (!values.has(key)) values.set(key, await xcom(address, "talecraft_report").catch(() => null));
  return { address, dag: text(entry.dag_display_name || entry.dag_id), time: moment(entry.timestamp), value: values.get(key) };
}

async function recentPictures(reports) {
  const drawn = reports.filter(({ value }) => ["drawn", "found"].includes(mapping(value).state)).slice(0, RECENT_TASKS);
  const found = await each(drawn, async ({ address, dag }) => {
    const value = await xcom(address, "return_value").catch(() => null);
    const shown = pictures(value, address).filter((picture) => !picture.error);
    return shown.slice(0, OF_ONE_TASK).map((picture) => ({ ...picture, dag, task: address.taskId }));
  });
  return found.flat().slice(0, RECENT_PICTURES);
}

function figures(sums) {
  const figure = (number, words) => h("p", {}, h("strong", {}, number), " ", h("span", {}, words));
  return h(
    "div",
    { class: "figures" },
    figure(counted("picture", sums.pictures), t("total", { days: DAYS })),
    figure(counted("credit", sums.credits), t("total", { days: DAYS })),
    sums.unknown > 0 && figure(counted("credit", sums.unknown), t("may_be_charged")),
  );
}

async function look() {
  const since = new Date(Date.now() - DAYS * 86_400_000).toISOString();
  const query = { order_by: "-timestamp", run_after_gte: since };
  const { items, isWhole } = await xcoms(EVERYWHERE, "talecraft_report", query, MOST);
  items.sort((one, other) => moment(other.timestamp) - moment(one.timestamp));
  const reports = await each(items, reportOf);
  const recent = await recentPictures(reports);
  const sums = addUp(reports, lastDays(DAYS), DAGS_IN_CHART, t("others"));
  const state = JSON.stringify([sums, recent]);
  if (isShown(state)) return false;
  show(reports.length ? page(sums, recent, isWhole) : notice(t("none_recent"), t("none_recent_more")), state);
  announce(counted("picture", recent.length));
  return false;
}

function page(sums, recent, isWhole) {
  const remark = [t("basis"), !isWhole && t("sample", { n: MOST })].filter(Boolean).join(" ");
  const spending = [h("h2", { id: "by-day" }, t("by_day")), chart(sums), table(sums), h("p", { class: "remark" }, remark)];
  return [
    h("header", {}, h("h1", {}, "TaleCraft"), figures(sums)),
    h("section", { "aria-labelledby": "recent" }, h("h2", { id: "recent" }, t("recent")), gallery(recent, RECENT_PICTURES)),
    sums.dags.length > 0 && h("section", { class: "spending", "aria-labelledby": "by-day" }, spending.flat()),
  ];
}

refresh(look, SECONDS);
