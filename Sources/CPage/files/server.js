// All talk with the server: keys, problems as errors, pictures, streams of events, uploads.

import { make } from "./elements.js";

const keyPlace = "fount-key";
let asking = null;

/** What the server said no to: `status`, `message`, and `faults` by their pointers. */
export class Problem extends Error {
  constructor(status, body) {
    const faults = body?.errors ?? [];
    const details = faults.map(fault => `${fault.pointer ?? fault.parameter ?? ""} ${fault.detail}`.trim());
    super([body?.detail ?? body?.title ?? `the server answered ${status}`, ...details].join(" — "));
    this.name = "Problem";
    this.status = status;
    this.faults = faults;
  }
}

/** Asks the person for a key, once for all who wait for one. */
function askForKey(why) {
  asking ??= new Promise(resolve => {
    const dialog = document.getElementById("key");
    const input = document.getElementById("key-value");
    if (why) document.getElementById("key-why").textContent = why;
    input.value = "";
    dialog.addEventListener("close", () => {
      asking = null;
      const given = dialog.returnValue === "given" && input.value.trim();
      if (given) sessionStorage.setItem(keyPlace, given);
      input.value = "";
      resolve(Boolean(given));
    }, { once: true });
    dialog.returnValue = "";
    dialog.showModal();
  });
  return asking;
}

function withKey(headers) {
  const key = sessionStorage.getItem(keyPlace);
  return key ? { ...headers, Authorization: `Bearer ${key}` } : headers;
}

async function problemOf(response) {
  let body = null;
  try { body = await response.json(); } catch { /* Whatever stands between may have answered in words of its own. */ }
  return new Problem(response.status, body);
}

/** The server's answer to a request; a `Problem` where it refuses. Where it wants a key, the person is asked for one. */
export async function request(path, { method = "GET", headers = {}, body = undefined, signal = undefined } = {}) {
  while (true) {
    const used = sessionStorage.getItem(keyPlace);
    const response = await fetch(path, { method, headers: withKey(headers), body, signal });
    if (response.ok || response.status === 304) return response;
    const problem = await problemOf(response);
    if (response.status !== 401) throw problem;
    // Another request may have got one meanwhile.
    if (sessionStorage.getItem(keyPlace) !== used) continue;
    sessionStorage.removeItem(keyPlace);
    if (!await askForKey(used ? `${problem.message}.` : null)) throw problem;
  }
}

export const get = async (path, signal) => (await request(path, { headers: { Accept: "application/json" }, signal })).json();

export async function post(path, body = undefined) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await request(path, { method: "POST", headers, body: body === undefined ? undefined : JSON.stringify(body) });
  return response.json();
}

/** Every item of a list that comes in pages, up to a number. */
export async function list(path, most = 100) {
  const items = [];
  let after = "";
  do {
    const page = await get(`${path}${path.includes("?") ? "&" : "?"}limit=${Math.min(100, most)}${after}`);
    items.push(...page.data);
    after = page.has_more && page.next ? `&after=${encodeURIComponent(page.next)}` : "";
  } while (after && items.length < most);
  return items;
}

// --- Pictures ---

/** A picture as a bitmap that a canvas can draw parts of. */
export async function bitmap(path, options = {}) {
  const response = await request(path, options);
  return createImageBitmap(await response.blob());
}

/**
 * Shows a picture of the server in an `img`: fetched, for an address of its own could carry no key. What it showed before stays until the
 * new one is there.
 */
export async function show(image, path, options = {}) {
  const token = Symbol("showing");
  image.showing = token;
  const figure = image.closest("figure");
  figure?.setAttribute("aria-busy", "true");
  try {
    const response = await request(path, options);
    const blob = await response.blob();
    if (image.showing !== token) return response;
    const url = URL.createObjectURL(blob);
    const old = image.src;
    image.src = url;
    await image.decode().catch(() => {});
    enlarge(image);
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
    return response;
  } finally {
    if (image.showing === token) figure?.removeAttribute("aria-busy");
  }
}

/** Pixels as large as they are many: by a whole number, so that none is wider than its neighbour. */
function enlarge(image) {
  if (!image.classList.contains("wide") || !image.naturalWidth) return;
  image.style.width = `${image.naturalWidth * Math.max(1, Math.floor(wideMost / image.naturalWidth))}px`;
}
const wideMost = 620;

/** A picture of the server that is shown when it is there. */
export function picture(path, alt, attributes = {}) {
  const image = make("img", { alt, decoding: "async", ...attributes });
  image.ready = show(image, path).catch(error => { image.alt = `${alt}: ${error.message}`; });
  return image;
}

/** Saves an answer of the server as a file. */
export async function save(path, name, headers = {}) {
  const response = await request(path, { headers });
  const url = URL.createObjectURL(await response.blob());
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// --- Uploads ---

/** Uploads a file as a dataset. `XMLHttpRequest`, for `fetch` does not tell how far a body has come. */
export async function upload(path, file, onProgress, signal) {
  while (true) {
    const used = sessionStorage.getItem(keyPlace);
    const answer = await new Promise((resolve, reject) => {
      const sending = new XMLHttpRequest();
      sending.open("POST", path);
      for (const [name, value] of Object.entries(withKey({ Accept: "application/json" }))) sending.setRequestHeader(name, value);
      sending.upload.addEventListener("progress", event => onProgress(event.loaded, event.total));
      sending.addEventListener("load", () => resolve({ status: sending.status, text: sending.responseText }));
      sending.addEventListener("error", () => reject(new Error("the connection broke while the file was sent")));
      sending.addEventListener("abort", () => reject(new DOMException("the upload was given up", "AbortError")));
      signal?.addEventListener("abort", () => sending.abort());
      sending.send(file);
    });
    let body = null;
    try { body = JSON.parse(answer.text); } catch { /* As above. */ }
    if (answer.status >= 200 && answer.status < 300) return body;
    const problem = new Problem(answer.status, body);
    if (answer.status !== 401) throw problem;
    sessionStorage.removeItem(keyPlace);
    if (!await askForKey(used ? `${problem.message}.` : null)) throw problem;
  }
}

// --- Streams of events ---

const pauseMilliseconds = { first: 500, most: 8000 };

/**
 * A job's events as they happen: what `EventSource` does, with the key that it could not send. It comes back after the connection breaks,
 * with the number of the last event that it had, so that nothing is missing or doubled over a restart of the server.
 *
 * @param onEvent gets `{id, type, at, data}`.
 * @param onState gets "open", "lost" or "over".
 */
export async function follow(path, signal, onEvent, onState) {
  let last = "";
  let pause = pauseMilliseconds.first;
  while (!signal.aborted) {
    try {
      const headers = { Accept: "text/event-stream" };
      if (last) headers["Last-Event-ID"] = last;
      const response = await request(path, { headers, signal });
      if (response.status === 204) return onState("over");
      onState("open");
      for await (const event of events(response)) {
        pause = pauseMilliseconds.first;
        last = event.id || last;
        onEvent(JSON.parse(event.data));
      }
    } catch (error) {
      if (signal.aborted) return;
      // A refusal stays one; a server that is not there, or is leaving, comes back.
      if (error instanceof Problem && error.status < 500) throw error;
      onState("lost");
    }
    await new Promise(resolve => setTimeout(resolve, pause));
    pause = Math.min(2 * pause, pauseMilliseconds.most);
  }
}

/** The events of a stream (WHATWG HTML §9.2.6), as far as the server makes use of them: `id`, `event` and one line of `data`. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = {};
  while (true) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data) yield event;
        event = {};
      } else if (!line.startsWith(":")) {
        const colon = line.indexOf(":");
        event[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
      }
    }
  }
}

/** Calls `look` now and every so many milliseconds, while the page is seen, until the signal ends it. */
export async function watch(milliseconds, signal, look) {
  while (!signal.aborted) {
    if (!document.hidden) await look();
    await new Promise(resolve => setTimeout(resolve, milliseconds));
  }
}
