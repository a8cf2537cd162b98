// Learning curves as SVG: lines over epochs that grow while a job runs, on a plain or a logarithmic axis.

import { digits, fill, make } from "./elements.js";

const margin = { top: 28, right: 16, bottom: 34, left: 54 };
const height = 320;
const labelWidth = 132;

/** Ticks at 1, 2 or 5 times a power of ten, about as many as asked for. */
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(step => step >= rough);
  const marks = [];
  for (let place = Math.ceil(low / step - 1e-9); place * step <= high + 1e-9 * step; place += 1) marks.push(place * step);
  return marks;
}

function logTicks(low, high) {
  const marks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of [1, 2, 5]) {
      const mark = factor * 10 ** power;
      if (mark >= low && mark <= high) marks.push(mark);
    }
  }
  // Within less than a factor of two the plain ones say more.
  return marks.length >= 3 ? marks : ticks(low, high, 5);
}

/** Each line of `lines` is `{label, points: [[x, y], …], kind}`; the kind, a small number, chooses its colour. */
export class Curve {
  constructor(label) {
    this.label = label;
    this.lines = [];
    this.isLog = false;
    this.tip = make("div", { class: "tip", hidden: true });
    this.svg = make("svg", { role: "img", class: "curve", pointermove: event => this.point(event), pointerleave: () => this.unpoint() });
    this.legend = make("ul", { class: "legend" });
    this.element = make("div", { class: "curve-frame" }, this.svg, this.legend, this.tip);
    this.isDue = false;
    new ResizeObserver(() => this.soon()).observe(this.element);
  }

  set(changes) {
    Object.assign(this, changes);
    this.soon();
  }

  soon() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.draw();
    });
  }

  /** The greatest value that has to fit: the first steps, which are far off, do not squeeze all that follows. */
  static top(points) {
    const tail = points.slice(points.length > 20 ? Math.ceil(points.length / 25) : 0);
    return tail.reduce((most, [, y]) => Math.max(most, y), -Infinity);
  }

  draw() {
    const width = Math.max(this.element.clientWidth, 240);
    const lines = this.lines.filter(line => line.points.length > 0);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("height", height);
    this.svg.setAttribute("data-points", lines.reduce((sum, line) => sum + line.points.length, 0));
    this.svg.setAttribute("aria-label", this.inWords(lines));
    if (lines.length === 0) {
      return this.svg.replaceChildren(make("text", { x: width / 2, y: height / 2, "text-anchor": "middle", class: "axis" },
        "Nothing has been measured yet"));
    }
    const showsLabels = width > 560;
    const right = width - margin.right - (showsLabels ? labelWidth : 0);
    const all = lines.flatMap(line => line.points);
    const xMax = Math.max(...all.map(([x]) => x), 1e-9);
    let low = Math.min(...all.map(([, y]) => y));
    let high = Math.max(...lines.map(line => Curve.top(line.points)));
    const isLog = this.isLog && low > 0;
    const room = high > low ? (isLog ? 0 : 0.06 * (high - low)) : Math.abs(high) * 0.05 || 1;
    [low, high] = isLog ? [low / 1.03, high * 1.03] : [low - room, high + room];
    const along = isLog ? y => Math.log(y / low) / Math.log(high / low) : y => (y - low) / (high - low);
    const bottom = height - margin.bottom;
    this.x = x => margin.left + (right - margin.left) * x / xMax;
    this.y = y => Math.max(margin.top - 4, bottom - (bottom - margin.top) * along(y));
    this.scale = { right, xMax, lines };
    const drawn = [];
    for (const mark of isLog ? logTicks(low, high) : ticks(low, high, 5)) {
      drawn.push(make("line", { x1: margin.left, x2: right, y1: this.y(mark), y2: this.y(mark), class: "rule" }),
        make("text", { x: margin.left - 8, y: this.y(mark) + 4, "text-anchor": "end", class: "axis" }, digits(mark, 5)));
    }
    for (const mark of ticks(0, xMax, Math.max(2, Math.min(8, width / 110)))) {
      drawn.push(make("text", { x: this.x(mark), y: bottom + 18, "text-anchor": "middle", class: "axis" }, digits(mark)));
    }
    drawn.push(make("text", { x: right, y: height - 2, "text-anchor": "end", class: "axis" }, "epochs"),
      make("text", { x: 0, y: 10, class: "axis" }, this.unit ?? ""));
    for (const line of lines) {
      const path = line.points.map(([x, y], place) => `${place ? "L" : "M"}${this.x(x).toFixed(1)} ${this.y(y).toFixed(1)}`).join("");
      drawn.push(make("path", { d: path, class: `line kind-${line.kind} ${line.faint ? "faint" : ""}` }));
      if (line.points.length === 1) {
        const [[x, y]] = line.points;
        drawn.push(make("circle", { cx: this.x(x), cy: this.y(y), r: 3, class: `dot kind-${line.kind}` }));
      }
    }
    if (showsLabels) drawn.push(...this.labels(lines, right + 10));
    fill(this.legend, showsLabels ? [] : lines.map(line =>
      make("li", { class: `kind-${line.kind}` }, `${line.label} ${digits(line.points.at(-1)[1])}`)));
    this.rule = make("line", { y1: margin.top, y2: bottom, class: "pointer", visibility: "hidden" });
    this.svg.replaceChildren(...drawn, this.rule);
  }

  /** Each line's name at its end, one under the other where they would cover each other. */
  labels(lines, x) {
    const places = lines.map(line => ({ line, y: this.y(line.points.at(-1)[1]) })).sort((a, b) => a.y - b.y);
    places.forEach((place, index) => { if (index > 0) place.y = Math.max(place.y, places[index - 1].y + 17); });
    const excess = Math.max(0, (places.at(-1)?.y ?? 0) - (height - margin.bottom));
    return places.map(({ line, y }) => make("text", { x, y: y - excess + 4, class: `label kind-${line.kind}` },
      `${line.label} ${digits(line.points.at(-1)[1])}`));
  }

  inWords(lines) {
    const parts = lines.map(line => `${line.label} from ${digits(line.points[0][1])} to ${digits(line.points.at(-1)[1])}`);
    return `${this.label}${this.unit ? `, ${this.unit} over epochs` : ""}: ${parts.join("; ") || "nothing yet"}`;
  }

  point(event) {
    if (!this.scale || this.scale.lines.length === 0) return;
    const box = this.svg.getBoundingClientRect();
    const x = Math.min(Math.max((event.clientX - box.left - margin.left) / (this.scale.right - margin.left), 0), 1) * this.scale.xMax;
    const rows = this.scale.lines.map(line => ({ line, at: nearest(line.points, x) }));
    const place = this.x(rows[0].at[0]);
    this.rule.setAttribute("x1", place);
    this.rule.setAttribute("x2", place);
    this.rule.setAttribute("visibility", "visible");
    this.tip.hidden = false;
    this.tip.replaceChildren(make("div", { class: "quiet" }, `epoch ${digits(rows[0].at[0], 3)}`),
      ...rows.map(({ line, at }) => make("div", { class: `kind-${line.kind}` }, `${line.label} ${digits(at[1])}`)));
    this.tip.style.left = `${Math.min(place + 12, box.width - 170)}px`;
  }

  unpoint() {
    this.tip.hidden = true;
    this.rule?.setAttribute("visibility", "hidden");
  }
}

/** The point whose x is the nearest; they are sorted by it. */
function nearest(points, x) {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < x) low = middle + 1; else high = middle;
  }
  const before = points[Math.max(low - 1, 0)];
  return Math.abs(before[0] - x) < Math.abs(points[low][0] - x) ? before : points[low];
}

/** A job's metrics as they come, by name; of a step that is told twice, after a restart, the last telling counts. */
export class Series {
  constructor() { this.byName = new Map(); }

  /** What an event tells of the metrics. */
  add({ progress, metrics, epoch }) {
    if (!progress || !metrics) return;
    const x = epoch ?? (progress.steps > 0 ? progress.step * progress.epochs / progress.steps : progress.step);
    for (const [name, value] of Object.entries(metrics)) if (Number.isFinite(value)) this.put(name, progress.step, x, value);
  }

  /** What `/metrics` tells of another job. */
  static from({ series }, epochsPerStep) {
    const all = new Series();
    for (const [name, { step, epoch, value }] of Object.entries(series)) {
      step.forEach((step, place) => all.put(name, step, epoch[place] ?? step * epochsPerStep, value[place]));
    }
    return all;
  }

  put(name, step, x, y) {
    if (!this.byName.has(name)) this.byName.set(name, []);
    const points = this.byName.get(name);
    while (points.length > 0 && points.at(-1).step >= step) points.pop();
    points.push(Object.assign([x, y], { step }));
  }

  points(name, factor = 1) {
    const points = this.byName.get(name) ?? [];
    return factor === 1 ? points : points.map(([x, y]) => [x, y * factor]);
  }

  get names() { return [...this.byName.keys()].filter(name => !name.endsWith("bits_per_dim")); }
}
