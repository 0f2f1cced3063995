// Facts in two columns: what, and its value.

import { copyButton } from "./actions.js";
import { h } from "./dom.js";
import { bytes, counted, t } from "./words.js";

/** Return a description list of [term, value] pairs without the empty ones. */
export function details(...pairs) {
  const rows = pairs.filter(([, value]) => value);
  return h(
    "dl",
    { class: "details" },
    rows.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );
}

export function place(path, label = t("copy_path")) {
  return path && h("span", { class: "place" }, h("code", {}, path), copyButton(path, t("copy"), label));
}

export function file({ type, width, height, size }) {
  return [type, width && height && `${width} × ${height}`, size && bytes(size)].filter(Boolean).join(", ");
}

/** Return in words what was paid, and what may have been. */
export function cost({ credits, unknown }) {
  const paid = credits ? counted("credit", credits) : t("nothing_paid");
  return unknown ? `${paid}; ${t("perhaps", { credits: counted("credit", unknown) })}` : paid;
}
