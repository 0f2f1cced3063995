// What a task's report and its return value mean: a phase, and pictures in order.

import { count, list, mapping, moment, pictureUrl, text, texts } from "./facts.js";

const GOING = new Set(["running", "restarting", "deferred"]);
const NOT_RUN = new Set(["skipped", "upstream_failed", "removed"]);
const BROKEN = new Set(["failed", "up_for_retry"]);
/** What a batch writes before a reason; a task's own report has it apart. */
const CLASS = /^[A-Z]\w*(Error|Exception): /;

/** Whether a task is one of ours, by its operator's name; a report says so as well. */
export const isOurs = (instance) => /illustration/i.test(text(instance.operator));
export const isStoring = (instance) => /ToObjectStorage/.test(text(instance.operator));

/** Return a picture from an entry of a return value. `address` leads to the task that returned it. */
export function picture(entry, address) {
  const facts = mapping(entry);
  return {
    address,
    id: text(facts.id, 200),
    prompt: text(facts.prompt),
    style: text(facts.style, 200),
    ratio: text(facts.aspect_ratio, 20),
    url: pictureUrl(facts.image_url),
    path: text(facts.path),
    type: text(facts.content_type, 100),
    width: count(facts.width),
    height: count(facts.height),
    size: count(facts.size),
    error: text(facts.error).replace(CLASS, ""),
    key: text(facts.key, 200),
    isFound: facts.drawn === false,
  };
}

const isPicture = (value) => ["image_url", "path", "error"].some((name) => typeof value[name] === "string");

/** Return the pictures of a return value: of one, of a list, or none. */
export function pictures(value, address) {
  if (Array.isArray(value)) {
    return list(value)
      .map(mapping)
      .map((entry, place) => {
        const index = Number.isInteger(entry.index) && entry.index >= 0 ? entry.index : place;
        return isPicture(entry) ? picture(entry, { ...address, index }) : null;
      })
      .filter(Boolean)
      .sort((one, other) => one.address.index - other.address.index);
  }
  const facts = mapping(value);
  return isPicture(facts) && !("count" in facts) ? [picture(facts, address)] : [];
}

/** Whether a value is what a large batch returns: counts, and a place where the rest is. */
export const isSummary = (value) => "count" in mapping(value);

function phase(state, report, hasPictures, storing) {
  const isAsking = report.state === "asking" && moment(report.since) !== null;
  if (GOING.has(state)) {
    if (["drawn", "found", "failed"].includes(report.state)) return report.state;
    if (isAsking) return "asking";
    return storing ? "storing" : "starting";
  }
  if (BROKEN.has(state)) return isAsking ? "unanswered" : "failed";
  if (NOT_RUN.has(state)) return "not_run";
  if (state !== "success") return "waiting";
  if (["drawn", "found"].includes(report.state)) return report.state;
  if (!hasPictures) return "nothing";
  return storing ? "stored" : "drawn";
}

/** Return what there is to say about a task instance. */
export function understand(instance, reportValue, value, address) {
  const report = mapping(reportValue);
  const isReported = Object.keys(report).length > 0;
  const storing = isStoring(instance);
  const isBatch = "count" in report || isSummary(value) || Array.isArray(value);
  let shown = pictures(value, address);
  if (!shown.length) shown = pictures(report.entries, address);
  const summary = isSummary(value) ? mapping(value) : report;
  const first = isBatch ? null : shown[0];
  let what = phase(instance.state, report, shown.length > 0 || isSummary(value), storing);
  if (what === "drawn" && !isReported && first?.isFound) what = "found";
  return {
    address,
    phase: what,
    isOurs: isReported || isOurs(instance),
    isOver: instance.state === "success" || instance.state === "failed" || NOT_RUN.has(instance.state),
    isRetrying: instance.state === "up_for_retry",
    isBatch,
    isReported,
    isStoring: storing,
    pictures: shown,
    manifest: text(summary.manifest_path) || text(report.manifest_path),
    since: moment(report.since),
    prompt: first?.prompt || text(report.prompt),
    style: first?.style || text(report.style, 200),
    ratio: first?.ratio || text(report.aspect_ratio, 20),
    replays: count(report.replays) || count(summary.replayed),
    credits: count(report.credits),
    unknown: count(report.credits_unknown),
    error: text(report.error, 200),
    lines: texts(report.lines),
    progress: isBatch && {
      all: count(summary.count) || shown.length,
      delivered: count(summary.delivered) || count(summary.stored) || shown.filter((one) => !one.error).length,
      failed: count(summary.failed) || shown.filter((one) => one.error).length,
      secondsLeft: typeof report.seconds_left === "number" ? count(report.seconds_left) : null,
      onTheirWay: texts(report.on_their_way),
    },
  };
}
