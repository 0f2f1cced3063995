// Airflow's REST API, asked with the login of whoever looks at the page.

import { api } from "./address.js";
import { list, mapping } from "./facts.js";

const PAGE = 100;

/** An answer that is no answer; `status` is HTTP's, or 0 if there was none at all. */
export class Refused extends Error {
  constructor(status) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/** Return the JSON at `url`. */
export async function getJson(url) {
  let answer;
  try {
    answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  } catch {
    throw new Refused(0);
  }
  if (!answer.ok) throw new Refused(answer.status);
  return answer.json().catch(() => null);
}

/** Return the JSON at a path of the API, or null if there is nothing. */
async function get(path, query) {
  try {
    return await getJson(api(path, query));
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

const segment = (part) => encodeURIComponent(part);
const runPath = ({ dagId, runId }) => `/dags/${segment(dagId)}/dagRuns/${segment(runId)}`;

/** Collect a list page by page, `most` of it at most; `isWhole` says whether that was all. */
async function collect(path, query, name, most) {
  const items = [];
  let total = 1;
  while (items.length < Math.min(total, most)) {
    const answer = mapping(await get(path, { ...query, limit: Math.min(PAGE, most), offset: items.length }));
    const page = list(answer[name]);
    if (!page.length) break;
    items.push(...page);
    total = answer.total_entries ?? items.length;
  }
  return { items: items.slice(0, most), isWhole: items.length >= total && items.length <= most };
}

export const dagRun = (address) => get(runPath(address));

export const tasks = (dagId) => get(`/dags/${segment(dagId)}/tasks`).then((answer) => list(mapping(answer).tasks));

export function taskInstance(address) {
  const mapped = address.mapIndex >= 0 ? `/${address.mapIndex}` : "";
  return get(`${runPath(address)}/taskInstances/${segment(address.taskId)}${mapped}`);
}

export const taskInstances = (address, most) =>
  collect(`${runPath(address)}/taskInstances`, {}, "task_instances", most);

/** List XComs of one key, without their values. */
export function xcoms(address, key, query, most) {
  return collect(`${runPath(address)}/taskInstances/~/xcomEntries`, { xcom_key: key, ...query }, "xcom_entries", most);
}

/** Return an XCom's value, or null. */
export async function xcom(address, key) {
  const path = `${runPath(address)}/taskInstances/${segment(address.taskId)}/xcomEntries/${segment(key)}`;
  const value = mapping(await get(path, { map_index: address.mapIndex, deserialize: true })).value ?? null;
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Do `work` for each item, a few at a time, and return what it returned, in order. */
export async function each(items, work, atATime = 6) {
  const results = new Array(items.length);
  let next = 0;
  async function worker() {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]);
    }
  }
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, worker));
  return results;
}
