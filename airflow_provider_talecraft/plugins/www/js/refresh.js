// Looking again: every few seconds, while there is something to wait for and somebody who looks.

import { show } from "./dom.js";
import { refusal } from "./notice.js";

/**
 * Call `look` now and again every `seconds` until it returns true, which says that nothing will change any more.
 * A hidden page does not ask; it does once it is seen again.
 */
export function refresh(look, seconds) {
  let timer = null;
  let isBusy = false;
  let isOver = false;

  async function turn() {
    timer = null;
    if (isBusy || isOver || document.hidden) return;
    isBusy = true;
    try {
      isOver = await look();
    } catch (error) {
      show(refusal(error));
      isOver = [401, 403].includes(error.status);
    } finally {
      isBusy = false;
    }
    if (!isOver && !document.hidden) timer = setTimeout(turn, seconds * 1000);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    turn();
  });
  turn();
}
