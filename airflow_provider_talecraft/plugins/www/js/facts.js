// What comes from XCom is anybody's JSON. These return a fact of the expected type, or nothing.

const LONGEST = 5000;
const MOST = 1000;

export function text(value, longest = LONGEST) {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return "";
  return value.length > longest ? `${value.slice(0, longest - 1)}…` : value;
}

export function count(value) {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 && value <= 1e9 ? value : 0;
}

export function mapping(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
}

export function list(value) {
  return Array.isArray(value) ? value.slice(0, MOST) : [];
}

export function texts(value) {
  return list(value)
    .map((item) => text(item))
    .filter(Boolean);
}

export function moment(value) {
  const milliseconds = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isNaN(milliseconds) ? null : new Date(milliseconds);
}

/** Return a picture's URL if it is https, or http on this machine; no script, no file, no password in it. */
export function pictureUrl(value) {
  if (typeof value !== "string" || value.length > LONGEST) return null;
  let url;
  try {
    url = new URL(value);
  } catch {
    return null;
  }
  if (url.username || url.password) return null;
  const isHere = ["localhost", "127.0.0.1"].includes(url.hostname) || url.hostname.endsWith(".localhost");
  return url.protocol === "https:" || (url.protocol === "http:" && isHere) ? url.href : null;
}
