// Words, numbers and times in the language that the viewer chose in Airflow.

import { english } from "./texts/english.js";
import { chinese } from "./texts/chinese.js";

function stored(name) {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

export const language = stored("i18nextLng").startsWith("zh") ? "zh-CN" : "en";
document.documentElement.lang = language;
const words = language === "zh-CN" ? chinese : english;

/** Return a text; `{name}` in it is replaced by that value. */
export function t(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** As `t`, for a number: the text `key` for one, `key + "s"` for others. */
export const counted = (key, number) => t(number === 1 ? key : `${key}s`, { n: number.toLocaleString(language) });

function zone() {
  const name = stored("timezone");
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined; // the browser's own
  }
}

const TIME_ZONE = zone();
const CLOCK = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", timeZone: TIME_ZONE });
const DAY = new Intl.DateTimeFormat("en-CA", { timeZone: TIME_ZONE, dateStyle: "short" });
const SHORT_DAY = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: "UTC" });

export const clock = (date) => CLOCK.format(date);
/** Return the day as YYYY-MM-DD where the viewer is. */
export const day = (date) => DAY.format(date);
export const shortDay = (isoDay) => SHORT_DAY.format(new Date(`${isoDay}T12:00:00Z`));

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("seconds", { n: whole });
  if (whole < 3600) return t("minutes", { m: Math.floor(whole / 60), s: whole % 60 });
  return t("hours", { h: Math.floor(whole / 3600), m: Math.floor((whole % 3600) / 60) });
}

export function bytes(size) {
  const [number, unit] = size < 1e6 ? [size / 1e3, "kB"] : [size / 1e6, "MB"];
  return `${number.toLocaleString(language, { maximumFractionDigits: number < 10 ? 1 : 0 })} ${unit}`;
}
