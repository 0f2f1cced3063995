// A page that has nothing to show says why.

import { h } from "./dom.js";
import { t } from "./words.js";

export function notice(sentence, more = "") {
  return h("div", { class: "notice" }, h("h1", {}, sentence), more && h("p", {}, more));
}

/** Return what to say when Airflow refuses. */
export function refusal(error) {
  if (error.status === 401) return notice(t("logged_out"));
  if (error.status === 403) return notice(t("forbidden"));
  if (error.status === undefined) throw error;
  return notice(t("unreachable"));
}
