// Elements. Everything that comes from outside becomes a text node or an attribute, never markup.

/** Make an element; functions among the attributes are listeners, null and false leave an attribute or a child out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let current = null;

/** Whether the page shows this state of things already. */
export const isShown = (state) => state === current;

/** Show `content` in place of what the page shows; the focus stays on the element with the same id. */
export function show(content, state = null) {
  current = state;
  const main = document.getElementById("main");
  const focused = main.contains(document.activeElement) ? document.activeElement.id : "";
  main.replaceChildren(...[content].flat(2).filter(Boolean));
  main.setAttribute("aria-busy", "false");
  if (focused) document.getElementById(focused)?.focus();
}

/** Have a screen reader say `sentence`, if it is a new one. */
export function announce(sentence) {
  const announcer = document.getElementById("announcer");
  if (announcer.textContent !== sentence) announcer.textContent = sentence;
}
