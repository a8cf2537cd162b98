// Grids of samples: how they change over a job's epochs.

import { button, count, fill, make } from "./elements.js";
import { show } from "./server.js";

/** The same 64 samples after each epoch, to go back and forth through. It stays at the newest until somebody goes elsewhere. */
export class Scrubber {
  constructor(job) {
    this.pictures = [];
    this.image = make("img", { class: "pixels wide", alt: "" });
    this.range = make("input", { type: "range", id: "epochs", min: 0, max: 0, step: 1, value: 0,
      input: () => this.showAt(Number(this.range.value)) });
    this.words = make("output", { for: "epochs", class: "quiet" });
    this.play = button("Play", () => this.run(), { class: "plain" });
    this.element = make("section", { class: "scrubber", "aria-labelledby": "over-time-title" },
      make("h2", { id: "over-time-title" }, "Samples over time"));
    this.empty = make("p", { class: "quiet" }, job.request?.training?.sample_every_epochs
      ? "The first come with the first epoch's end." : "This job draws none while it trains: sample_every_epochs says when.");
    this.element.append(this.empty);
  }

  add({ epoch, step, picture }) {
    // A run that goes on from a checkpoint tells of some epochs again.
    const atEnd = Number(this.range.value) === this.pictures.length - 1;
    this.pictures = [...this.pictures.filter(known => known.epoch < epoch), { epoch, step, picture }];
    if (this.empty.isConnected) {
      this.empty.replaceWith(make("figure", { class: "paper" }, this.image), make("div", { class: "scrub" },
        make("label", { for: "epochs" }, "Epoch"), this.range, this.words, this.play));
    }
    this.range.max = this.pictures.length - 1;
    if (atEnd || this.pictures.length === 1) this.later(this.pictures.length - 1);
  }

  /** Of many pictures that are told of at once only the last is fetched. */
  later(place) {
    this.range.value = place;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.showAt(Number(this.range.value)), 60);
  }

  async showAt(place) {
    const at = this.pictures[place];
    if (!at) return;
    this.range.value = place;
    this.range.setAttribute("aria-valuetext", `epoch ${at.epoch}`);
    fill(this.words, `${count(at.epoch)}, step ${count(at.step)}`);
    this.image.alt = `64 samples after epoch ${at.epoch}`;
    // One that a long run has taken away again is passed over.
    await show(this.image, at.picture).catch(() => {});
    this.image.dataset.epoch = at.epoch;
  }

  async run() {
    const stride = Math.max(1, Math.floor(this.pictures.length / 60));
    for (let place = 0; place < this.pictures.length && this.element.isConnected; place += stride) {
      await this.showAt(place);
      await new Promise(resolve => setTimeout(resolve, 120));
    }
    await this.showAt(this.pictures.length - 1);
  }
}
