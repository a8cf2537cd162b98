// The space of latents: the way between two samples, and a pad between four.

import { button, labelled, make, tell } from "./elements.js";
import { bitmap, show } from "./server.js";

const gap = 2;
/** Cells along a side of the pad. They are fetched as one picture, so that the pointer is followed at once. */
const side = 12;

export function latents(model) {
  const from = make("input", { type: "number", min: 0, value: 0 });
  const to = make("input", { type: "number", min: 0, value: 1 });
  const row = make("img", { class: "pixels wide", alt: "" });
  const go = async () => {
    const columns = innerWidth < 600 ? 6 : 12;
    await show(row, `/v1/models/${model.id}/interpolate?from_seed=${from.value || 0}&to_seed=${to.value || 0}&steps=12&columns=${columns}`);
    row.alt = `The way from the sample of seed ${from.value} to that of seed ${to.value} in 12 steps`;
  };
  for (const input of [from, to]) input.addEventListener("change", () => go().catch(tell));
  go().catch(tell);
  const pad = new Pad(model);
  return make("section", { "aria-labelledby": "latents-title" }, make("h2", { id: "latents-title" }, "Between samples"),
    make("div", { class: "tools" }, labelled("From seed", from), labelled("To seed", to)),
    make("figure", { class: "paper" }, row), pad.element);
}

/** A square whose corners are four samples; what lies between them is seen where the pointer is, or the arrow keys go. */
class Pad {
  constructor(model) {
    this.model = model;
    [this.height, this.width] = model.shape;
    this.corner = 10;
    this.at = [0.5, 0.5];
    this.map = make("canvas", { class: "pixels pad-map" });
    this.knob = make("span", { class: "knob" });
    this.view = make("canvas", { class: "pixels pad-view", width: this.width, height: this.height, role: "img",
      "aria-label": "The point's example" });
    this.surface = make("div", { class: "pad-surface", tabindex: "0", role: "application",
      "aria-label": "Pad between four samples: the arrow keys move through it",
      pointermove: event => this.follow(event), pointerdown: event => this.follow(event), keydown: event => this.press(event) },
    this.map, this.knob);
    this.element = make("div", { class: "pad" }, this.surface, make("div", {}, make("figure", { class: "paper" }, this.view),
      make("p", { class: "hint" },
        "Move over the square: its corners are four samples, and between them the latents go along great circles."),
      button("Four others", () => { this.corner += 4; return this.load(); }, { class: "plain" })));
    this.load().catch(tell);
  }

  async load() {
    const { corner } = this;
    this.cells = await bitmap(`/v1/models/${this.model.id}/interpolate?from_seed=${corner}&to_seed=${corner + 1}`
      + `&lower_from_seed=${corner + 2}&lower_to_seed=${corner + 3}&steps=${side}&rows=${side}`);
    // The map without the gaps.
    this.map.width = side * this.width;
    this.map.height = side * this.height;
    const context = this.map.getContext("2d");
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column < side; column += 1) this.cell(context, row, column, column * this.width, row * this.height);
    }
    this.place();
  }

  cell(context, row, column, x, y) {
    const { width, height } = this;
    context.drawImage(this.cells, column * (width + gap), row * (height + gap), width, height, x, y, width, height);
  }

  /** Shows the cell that the point is in. */
  place() {
    const [x, y] = this.at;
    this.knob.style.left = `${100 * x}%`;
    this.knob.style.top = `${100 * y}%`;
    if (!this.cells) return;
    const [column, row] = [x, y].map(share => Math.min(Math.round(share * (side - 1)), side - 1));
    this.cell(this.view.getContext("2d"), row, column, 0, 0);
  }

  follow(event) {
    const box = this.surface.getBoundingClientRect();
    const shares = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    this.at = shares.map(share => Math.min(Math.max(share, 0), 1));
    this.place();
  }

  press(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    this.at = this.at.map((share, axis) => Math.min(Math.max(share + move[axis] / (side - 1), 0), 1));
    this.place();
  }
}
