// The tab of a Dag run: all its pictures in order, failed ones in their place.

import { parameters } from "./address.js";
import { dagRun, each, taskInstances, tasks, xcom, xcoms } from "./airflow.js";
import { allPictures } from "./batch.js";
import { announce, h, isShown, show } from "./dom.js";
import { text } from "./facts.js";
import { gallery } from "./gallery.js";
import { notice } from "./notice.js";
import { places, withStored } from "./order.js";
import { isOurs, understand } from "./pictures.js";
import { refresh } from "./refresh.js";
import { counted, t } from "./words.js";

const SECONDS = 5;
const MOST = 400;
const FAILED = new Set(["failed", "unanswered"]);
const address = parameters();
const known = new Map();

/** Return what is known of a task instance; what has ended is asked for once. */
async function taskOf(instance) {
  const its = { ...address, taskId: instance.task_id, mapIndex: instance.map_index };
  const signature = [instance.task_id, instance.map_index, instance.state, instance.try_number, instance.end_date].join();
  if (known.has(signature)) return known.get(signature);
  const isDone = instance.state === "success";
  const [report, value] = isDone
    ? [null, await xcom(its, "return_value")]
    : [await xcom(its, "talecraft_report"), null];
  const task = understand(instance, report, value, its);
  task.given = instance.rendered_fields;
  task.pictures = inPlace({ ...task, pictures: await allPictures(task) });
  const label = instance.map_index < 0 ? "" : ` [${instance.map_index}]`;
  for (const picture of task.pictures) picture.task = `${text(instance.task_display_name || instance.task_id)}${label}`;
  if (task.isOver) known.set(signature, task);
  return task;
}

/** A picture that failed, or is being drawn, has its place too. */
function inPlace(task) {
  if (task.pictures.length || (task.isStoring && !FAILED.has(task.phase))) return task.pictures;
  const { prompt, style, ratio } = task;
  const empty = { address: task.address, id: "", prompt, style, ratio, url: null, path: "", key: "" };
  if (FAILED.has(task.phase)) {
    const reason = task.phase === "unanswered" ? t("unanswered") : task.lines.join(" ") || t("failed");
    return [{ ...empty, error: reason }];
  }
  return task.phase === "asking" && !task.isBatch ? [{ ...empty, error: "", isOnItsWay: true }] : [];
}

async function look() {
  const run = await dagRun(address);
  if (!run) {
    show(notice(t("missing")));
    return false;
  }
  const [found, reports, order] = await Promise.all([
    taskInstances(address, MOST),
    xcoms(address, "talecraft_report", {}, MOST),
    tasks(address.dagId).then(places),
  ]);
  const reported = new Set(reports.items.map((entry) => `${entry.task_id} ${entry.map_index}`));
  const ours = found.items.filter((one) => isOurs(one) || reported.has(`${one.task_id} ${one.map_index}`));
  const place = (one) => order.get(one.task_id) ?? order.size;
  ours.sort((one, other) => place(one) - place(other) || one.map_index - other.map_index);
  const groups = (await each(ours, taskOf)).map((task) => ({
    ...task,
    pictures: task.pictures.map((picture) => ({ ...picture })),
  }));
  withStored(groups);
  const pictures = groups.flatMap((task) => task.pictures);
  const state = JSON.stringify(pictures);
  if (!isShown(state)) {
    show(pictures.length ? page(pictures, found.isWhole) : notice(t("no_pictures")), state);
    announce(counted("picture", pictures.length));
  }
  return ["success", "failed"].includes(run.state);
}

function page(pictures, isWhole) {
  const failed = pictures.filter((picture) => picture.error).length;
  const parts = [counted("picture", pictures.length - failed), failed && t("failed_count", { n: failed })];
  return [
    h("header", {}, h("h1", {}, t("illustrations")), h("p", {}, parts.filter(Boolean).join(" · "))),
    !isWhole && h("p", { class: "remark" }, t("only_some", { n: MOST })),
    gallery(pictures),
  ];
}

refresh(look, SECONDS);
