// A picture, or what stands in its place.

import { storedPicture } from "./address.js";
import { h } from "./dom.js";
import { t } from "./words.js";

/** Return the addresses to try, best first: where it is stored, through Airflow; then where it was drawn. */
export function sources(picture) {
  return [picture.path && storedPicture(picture.address), picture.url].filter(Boolean);
}

export const nameOf = (picture) => picture.prompt || picture.key || picture.id || t("no_prompt");

function placeholder(picture, sentence) {
  return h("p", { class: picture.error ? "placeholder failed" : "placeholder" }, picture.error || sentence);
}

function ratioOf(picture) {
  const [width, height] = picture.ratio.split(":").map(Number);
  if (picture.width && picture.height) return [picture.width, picture.height];
  return width > 0 && height > 0 ? [width * 256, height * 256] : [1024, 1024];
}

/** Return an element with the picture; it tries each address, and shows a placeholder if none leads anywhere. */
export function frame(picture) {
  const box = h("div", { class: "frame" });
  if (picture.isOnItsWay) {
    box.append(h("p", { class: "placeholder blank" }, t("phase_asking")));
    return box;
  }
  const left = picture.error ? [] : sources(picture);
  if (!left.length) {
    box.append(placeholder(picture, t("no_url")));
    return box;
  }
  const [width, height] = ratioOf(picture);
  const attributes = { alt: nameOf(picture), width, height, loading: "lazy", decoding: "async" };
  const image = h("img", { ...attributes, referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => {
    if (left.length) image.src = left.shift();
    else box.replaceChildren(placeholder(picture, t("gone")));
  });
  image.src = left.shift();
  box.append(image);
  return box;
}
