// The tab of a task instance: its picture, or its pictures, and what became of them.

import { actions } from "./actions.js";
import { parameters } from "./address.js";
import { taskInstance, xcom } from "./airflow.js";
import { allPictures } from "./batch.js";
import { cost, details, file, place } from "./details.js";
import { announce, h, isShown, show } from "./dom.js";
import { frame } from "./frame.js";
import { gallery } from "./gallery.js";
import { mapping } from "./facts.js";
import { notice } from "./notice.js";
import { understand } from "./pictures.js";
import { refresh } from "./refresh.js";
import { clock, duration, t } from "./words.js";

const SECONDS = 3;
const address = parameters();

function chip(task) {
  const name = task.phase === "drawn" && task.replays ? "replayed" : task.phase;
  return h("span", { class: `chip ${task.phase}` }, t(`phase_${name}`));
}

function elapsed(task) {
  if (!task.since || task.phase !== "asking") return null;
  const line = h("p", { class: "since" });
  const tell = () => {
    const seconds = (Date.now() - task.since) / 1000;
    line.textContent = t("since", { time: clock(task.since), duration: duration(seconds) });
  };
  tell();
  const timer = setInterval(() => (line.isConnected ? tell() : clearInterval(timer)), 1000);
  return line;
}

function progress({ progress: done }) {
  if (!done) return null;
  const label = t("progress", { delivered: done.delivered, all: done.all });
  const more = [
    done.failed && t("failed_count", { n: done.failed }),
    done.onTheirWay.length && t("on_their_way", { n: done.onTheirWay.length }),
    done.secondsLeft !== null && done.delivered + done.failed < done.all
      ? t("time_left", { duration: duration(done.secondsLeft) })
      : null,
  ].filter(Boolean);
  return h(
    "div",
    { class: "progress" },
    h("progress", { max: done.all || 1, value: done.delivered + done.failed, "aria-label": label }),
    h("p", {}, [label, ...more].join(" · ")),
  );
}

function story(task) {
  if (task.phase === "unanswered") return [h("p", {}, t("unanswered")), h("p", {}, t("unanswered_do"))];
  if (task.phase === "failed") {
    return task.lines.length ? task.lines.map((line) => h("p", {}, line)) : [h("p", {}, t("failed"))];
  }
  if (task.phase === "asking") return [h("p", {}, t(task.isBatch ? "asking_batch" : "asking"))];
  if (task.phase === "drawn") return task.replays ? [h("p", {}, t("replayed"))] : [];
  if (task.phase === "stored") return [];
  return [h("p", {}, t(task.phase))];
}

function status(task) {
  const isTrouble = ["failed", "unanswered"].includes(task.phase);
  return h(
    "section",
    { class: isTrouble ? "status trouble" : "status", "aria-label": t("what_happened") },
    h("p", { class: "headline" }, chip(task), isTrouble && task.error && h("code", {}, task.error)),
    story(task),
    task.isRetrying && h("p", {}, t("retrying")),
    elapsed(task),
    task.phase === "waiting" ? null : progress(task),
  );
}

function facts(task, picture) {
  return details(
    [t("style"), task.style],
    [t("ratio"), task.ratio],
    [t("id"), picture?.id && h("code", {}, picture.id)],
    [t("cost"), task.isReported && cost(task)],
    [t("file"), picture && file(picture)],
    [t("stored_at"), picture && place(picture.path)],
    [t("manifest"), place(task.manifest)],
  );
}

function one(task) {
  const [picture] = task.pictures;
  const isWaiting = ["asking", "starting", "storing"].includes(task.phase);
  return h(
    "div",
    { class: "one" },
    picture ? frame(picture) : isWaiting && h("div", { class: "frame blank", "aria-hidden": "true" }),
    h(
      "div",
      { class: "side" },
      status(task),
      task.prompt && h("p", { class: "prompt" }, task.prompt),
      picture && actions(picture),
      facts(task, picture),
    ),
  );
}

function many(task) {
  return h("div", { class: "many" }, status(task), facts(task, null), gallery(task.pictures));
}

async function look() {
  const instance = await taskInstance(address);
  if (!instance) {
    show(notice(t("missing")));
    return false;
  }
  const [report, value] = await Promise.all([xcom(address, "talecraft_report"), xcom(address, "return_value")]);
  const task = understand(instance, report, value, address);
  if (!task.isOurs && !task.pictures.length) {
    show(notice(t("not_ours"), t("not_ours_more")));
    return task.isOver;
  }
  const state = JSON.stringify([instance.state, instance.try_number, report, value]);
  if (!isShown(state)) {
    task.pictures = (await allPictures(task)).map((picture) => completed(picture, instance));
    task.prompt ||= task.pictures.length === 1 ? task.pictures[0].prompt : "";
    show([h("h1", { class: "unseen" }, t("illustration")), task.isBatch ? many(task) : one(task)], state);
    announce(t(`phase_${task.phase}`));
  }
  return task.isOver;
}

/** A store task returns no prompt: what it was given says whose picture it is. */
function completed(picture, instance) {
  const given = mapping(mapping(instance.rendered_fields).illustration);
  const name = (field) => (typeof given[field] === "string" ? given[field] : "");
  return { ...picture, prompt: picture.prompt || name("prompt"), id: picture.id || name("id") };
}

refresh(look, SECONDS);
