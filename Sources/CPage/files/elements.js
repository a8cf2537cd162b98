// Elements made by calls: `make("p", {class: "quiet"}, "text")`. Text is always text here, and never becomes markup.

const svgNames = new Set(["svg", "g", "path", "line", "text", "circle", "rect", "polyline", "title", "desc"]);

/** An element with attributes (functions are listeners, `true` is present, null and false are absent) and children. */
export function make(name, attributes = {}, ...children) {
  const element = svgNames.has(name)
    ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts these children in the place of an element's own. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

let lastID = 0;
/** An id that no other element of the page has. */
export const freshID = stem => `${stem}-${++lastID}`;

/** A labelled control, with a hint below it that is read with it. */
export function labelled(label, control, hint = null) {
  const id = control.id || (control.id = freshID("field"));
  const note = hint && make("p", { class: "hint", id: `${id}-hint` }, hint);
  if (note) control.setAttribute("aria-describedby", note.id);
  return make("div", { class: "field" }, make("label", { for: id }, label), control, note);
}

/** Facts as a list of names and values; those without a value are left out. */
export function facts(pairs, name = "facts") {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", { class: name }, known.map(([key, value]) => make("div", {}, make("dt", {}, key), make("dd", {}, value))));
}

/** A button that runs something that may take a while and may fail; it can't be pressed twice at once. */
export function button(text, action, attributes = {}) {
  const element = make("button", { type: "button", ...attributes, click: async () => {
    element.disabled = true;
    try { await action(element); } catch (error) { tell(error); } finally { element.disabled = false; }
  } }, text);
  return element;
}

/** Says something to those who see and to those who listen. */
export function announce(text) {
  const news = document.getElementById("news");
  if (news.textContent !== text) news.textContent = text;
}

/** Shows what went wrong at the top of the page's content, until it is put away or the page goes on. */
export function tell(error) {
  if (error.name === "AbortError") return;
  const main = document.getElementById("main");
  main.querySelector(":scope > .alert")?.remove();
  const alert = make("div", { class: "alert", role: "alert" }, make("p", {}, error.message ?? String(error)),
    make("button", { type: "button", class: "plain", "aria-label": "Dismiss", click: () => alert.remove() }, "×"));
  main.prepend(alert);
  alert.scrollIntoView({ block: "nearest" });
}

// --- Numbers and times as people read them ---

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
export const count = number => whole.format(number);

/** A number of four digits that count. */
export function digits(number, significant = 4) {
  if (number === null || number === undefined) return "–";
  if (number !== 0 && (Math.abs(number) >= 1e6 || Math.abs(number) < 1e-3)) return number.toExponential(2);
  return String(Number(number.toPrecision(significant)));
}

export function bytes(number) {
  const names = ["B", "kB", "MB", "GB", "TB"];
  let place = 0;
  while (number >= 1000 && place < names.length - 1) { number /= 1000; place += 1; }
  return `${digits(number, 3)} ${names[place]}`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${digits(seconds / 3600, 2)} h`;
}

export const time = text => make("time", { datetime: text, title: text }, new Date(text).toLocaleString("en-GB",
  { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }));

/** A shape `[28, 28, 1]` as `28 × 28 grey`, `[3]` as `3 columns`. */
export function shapeText(shape) {
  if (!shape) return "–";
  if (!isPictures(shape)) return shape[0] === 1 ? "1 column" : `${count(shape[0])} columns`;
  return `${shape[0]} × ${shape[1]} ${shape[2] === 3 ? "colour" : "grey"}`;
}

export const isPictures = shape => Array.isArray(shape) && shape.length === 3;

/** Text in a box that can be copied. */
export function copyable(text, label) {
  const note = make("span", { class: "quiet", role: "status" });
  const code = make("code", {}, text);
  return make("div", { class: "code" }, make("pre", { tabindex: "0", role: "region", "aria-label": label }, code),
    button("Copy", async () => {
      // A page that came over plain HTTP from another machine has no clipboard.
      if (navigator.clipboard) await navigator.clipboard.writeText(text);
      else getSelection().selectAllChildren(code);
      note.textContent = navigator.clipboard ? "copied" : "selected, to be copied by the keyboard";
      setTimeout(() => { note.textContent = ""; }, 2000);
    }, { class: "plain", "aria-label": `Copy ${label}` }), note);
}
