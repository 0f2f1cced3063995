// Many pictures: a grid of cards, and a dialog that shows one of them large.

import { actions } from "./actions.js";
import { details, file, place } from "./details.js";
import { h } from "./dom.js";
import { frame, nameOf, sources } from "./frame.js";
import { t } from "./words.js";

function enlarge(picture) {
  const dialog = h(
    "dialog",
    { class: "large", "aria-label": nameOf(picture), close: () => dialog.remove() },
    frame(picture),
    h(
      "div",
      { class: "side" },
      h("p", { class: "prompt" }, nameOf(picture)),
      details(
        [t("dag"), picture.dag],
        [t("task"), picture.task],
        [t("key"), picture.key],
        [t("style"), picture.style],
        [t("ratio"), picture.ratio],
        [t("id"), picture.id && h("code", {}, picture.id)],
        [t("file"), file(picture)],
        [t("stored_at"), place(picture.path)],
      ),
      actions(picture),
      h("button", { type: "button", class: "button", click: () => dialog.close() }, t("close")),
    ),
  );
  // A click beside it closes it too; the keyboard has Escape.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

function card(picture) {
  const name = nameOf(picture);
  const isShown = !picture.error && sources(picture).length > 0;
  const shown = isShown
    ? h(
        "button",
        { type: "button", class: "enlarge", "aria-label": t("enlarge", { name }), click: () => enlarge(picture) },
        frame(picture),
      )
    : frame(picture);
  return h(
    "li",
    { class: "card" },
    h(
      "figure",
      {},
      shown,
      h(
        "figcaption",
        {},
        h("span", { class: "prompt", title: name }, name),
        h("span", { class: "from" }, [picture.dag, picture.task, picture.key].filter(Boolean).join(" · ")),
      ),
    ),
  );
}

/** Return a grid of pictures, a page of them at first and a button for more. */
export function gallery(pictures, page = 60) {
  const grid = h("ul", { class: "gallery" });
  const more = h("button", { type: "button", class: "button", click: add }, t("more"));
  let shown = 0;
  function add() {
    grid.append(...pictures.slice(shown, shown + page).map(card));
    shown += page;
    more.hidden = shown >= pictures.length;
  }
  add();
  return [grid, more.hidden ? null : more];
}
