// Completion: part of an example is hidden, and the model draws it, given the rest.

import { button, labelled, make, tell } from "./elements.js";
import { bitmap, show } from "./server.js";

const gap = 2;
const examples = 24;
/** The brush, as a share of the width. */
const brush = 0.12;

export function completion(model, dataset) { return new Completion(model, dataset).element; }

class Completion {
  constructor(model, dataset) {
    this.model = model;
    [this.height, this.width, this.channels] = dataset.shape;
    [this.maskHeight, this.maskWidth] = model.shape;
    this.hidden = new Uint8Array(this.maskHeight * this.maskWidth);
    this.canvas = make("canvas", { class: "pixels brushable", width: this.width, height: this.height, role: "img",
      "aria-label": "The example; what is tinted is hidden", pointerdown: event => this.paint(event),
      pointermove: event => { if (event.buttons) this.paint(event); } });
    this.result = make("img", { class: "pixels wide", alt: "" });
    this.which = make("select", { input: () => this.choose(Number(this.which.value)) },
      Array.from({ length: examples }, (_, place) => make("option", { value: place }, `example ${place + 1}`)));
    this.element = make("section", { "aria-labelledby": "completion-title" }, make("h2", { id: "completion-title" }, "Complete"),
      make("p", { class: "quiet" }, "Paint over what is to be hidden, or hide a half; the model draws what might be there."),
      make("div", { class: "tools" }, labelled("From the data", this.which),
        button("Lower half", () => this.hide((_, y) => y >= this.maskHeight / 2), { class: "plain" }),
        button("Right half", () => this.hide(x => x >= this.maskWidth / 2), { class: "plain" }),
        button("Nothing", () => this.hide(() => false), { class: "plain" }), button("Draw the rest", () => this.draw(), { class: "main" })),
      make("div", { class: "pair" }, make("figure", { class: "paper" }, this.canvas), make("figure", { class: "paper" }, this.result)));
    this.load(dataset).catch(tell);
  }

  async load(dataset) {
    this.strip = await bitmap(`${dataset.links.preview}?count=${examples}&columns=${examples}`);
    this.choose(0);
    this.hide((_, y) => y >= this.maskHeight / 2);
  }

  choose(place) {
    const surface = new OffscreenCanvas(this.width, this.height).getContext("2d");
    surface.drawImage(this.strip, place * (this.width + gap), 0, this.width, this.height, 0, 0, this.width, this.height);
    this.pixels = surface.getImageData(0, 0, this.width, this.height);
    this.refresh();
  }

  hide(isHidden) {
    for (let y = 0; y < this.maskHeight; y += 1) {
      for (let x = 0; x < this.maskWidth; x += 1) this.hidden[y * this.maskWidth + x] = isHidden(x, y) ? 255 : 0;
    }
    this.refresh();
  }

  paint(event) {
    const box = this.canvas.getBoundingClientRect();
    const [px, py] = [(event.clientX - box.left) / box.width * this.maskWidth, (event.clientY - box.top) / box.height * this.maskHeight];
    const radius = Math.max(brush * this.maskWidth / 2, 1);
    for (let y = 0; y < this.maskHeight; y += 1) {
      for (let x = 0; x < this.maskWidth; x += 1) {
        if (Math.hypot(x + 0.5 - px, y + 0.5 - py) <= radius) this.hidden[y * this.maskWidth + x] = 255;
      }
    }
    this.refresh();
  }

  refresh() {
    if (!this.pixels) return;
    const shown = new ImageData(new Uint8ClampedArray(this.pixels.data), this.width, this.height);
    for (let y = 0; y < this.height; y += 1) {
      for (let x = 0; x < this.width; x += 1) {
        const mask = Math.floor(y * this.maskHeight / this.height) * this.maskWidth + Math.floor(x * this.maskWidth / this.width);
        if (this.hidden[mask] === 0) continue;
        const at = 4 * (y * this.width + x);
        [96, 128, 190].forEach((tint, channel) => { shown.data[at + channel] = 0.25 * shown.data[at + channel] + 0.75 * tint; });
      }
    }
    this.canvas.getContext("2d").putImageData(shown, 0, 0);
  }

  async draw() {
    const numbers = new Uint8Array(this.width * this.height * this.channels);
    for (let pixel = 0; pixel < this.width * this.height; pixel += 1) {
      const channels = this.pixels.data.subarray(4 * pixel, 4 * pixel + this.channels);
      numbers.set(channels, pixel * this.channels);
    }
    const form = new FormData();
    form.set("image", npy([1, this.height, this.width, this.channels], numbers), "image.npy");
    form.set("mask", npy([1, this.maskHeight, this.maskWidth, 1], this.hidden), "mask.npy");
    await show(this.result, `/v1/models/${this.model.id}/complete?count=16&scale=2`, { method: "POST", body: form });
    this.result.alt = "16 completions";
  }
}

/** An array of bytes as an NPY file, version 1.0: a head of a multiple of 64 bytes, then the numbers. */
function npy(shape, numbers) {
  const head = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const padded = head.padEnd(Math.ceil((head.length + 11) / 64) * 64 - 11) + "\n";
  const start = new Uint8Array([0x93, ...[..."NUMPY"].map(letter => letter.charCodeAt(0)), 1, 0, padded.length & 255, padded.length >> 8]);
  return new Blob([start, padded, numbers]);
}
