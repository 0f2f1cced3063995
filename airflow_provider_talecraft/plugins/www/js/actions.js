// A link to open a picture, and buttons that copy.

import { announce, h } from "./dom.js";
import { sources } from "./frame.js";
import { t } from "./words.js";

/** Copy by a selection: the clipboard proper is there on https and on this machine only. */
function copyBySelection(value) {
  const field = h("textarea", { readonly: true, class: "unseen" });
  field.value = value;
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  return isDone;
}

async function copy(value) {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    return copyBySelection(value);
  }
}

/** Return a button that copies `value`. */
export function copyButton(value, label = t("copy"), name = label) {
  const button = h("button", { type: "button", class: "button small", "aria-label": name }, label);
  button.addEventListener("click", async () => {
    if (!(await copy(value))) return;
    button.focus();
    button.textContent = t("copied");
    announce(t("copied"));
    setTimeout(() => (button.textContent = label), 2000);
  });
  return button;
}

/**
 * Return what can be done with a picture. It opens in this frame, and the browser's Back returns: Airflow's sandbox
 * allows a frame no new windows.
 */
export function actions(picture) {
  const [first] = sources(picture);
  if (!first || picture.error) return null;
  return h(
    "div",
    { class: "actions" },
    h("a", { class: "button", href: first, rel: "noreferrer" }, t("open")),
    copyButton(picture.url ?? first, t("copy_link")),
    picture.path && h("a", { class: "button small", href: first, download: true }, t("download")),
  );
}
