// The order of a run's pictures: tasks as they follow one another, then the map index, then the number in a batch.

import { list, mapping, text } from "./facts.js";

/** Return each task's place, by its id: a task comes after all those before it. */
export function places(tasks) {
  const following = new Map(tasks.map((task) => [text(task.task_id), list(task.downstream_task_ids)]));
  const waiting = new Map([...following.keys()].map((id) => [id, 0]));
  for (const ids of following.values()) for (const id of ids) waiting.set(id, (waiting.get(id) ?? 0) + 1);
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const ready = [...waiting].filter(([, before]) => !before).map(([id]) => id).sort(compare);
  const order = new Map();
  while (ready.length) {
    const id = ready.shift();
    order.set(id, order.size);
    const next = (following.get(id) ?? []).filter((one) => waiting.set(one, waiting.get(one) - 1).get(one) === 0);
    ready.push(...next.sort(compare));
  }
  return order;
}

/**
 * Put what a store task stored in the place of what was drawn: its URL may have expired. The id says which; what a
 * store task was given says its id. What belongs to nothing stays where it is.
 */
export function withStored(groups) {
  const byId = new Map();
  for (const group of groups.filter((one) => !one.isStoring)) {
    for (const picture of group.pictures) if (picture.id) byId.set(picture.id, picture);
  }
  for (const group of groups.filter((one) => one.isStoring)) {
    group.pictures = group.pictures.filter((stored) => {
      const given = whatWasGiven(stored, group.given);
      if (given.isFailed) return false; // it has its place where it was to be drawn
      const drawn = byId.get(given.id);
      if (!drawn || !stored.path) {
        stored.prompt ||= given.prompt;
        return true;
      }
      const { path, width, height, size, type, address } = stored;
      Object.assign(drawn, { path, width, height, size, type, address });
      return false;
    });
  }
}

function whatWasGiven(stored, given) {
  const { index } = stored.address;
  const whole = mapping(given);
  const entry = index === undefined ? whole.illustration : list(whole.illustrations)[index];
  const facts = mapping(entry);
  return { id: stored.id || text(facts.id, 200), prompt: text(facts.prompt), isFailed: Boolean(text(facts.error)) };
}
