// A job as it goes: where it stands, its curves, its samples over time, and what can be done with it.

import { announce, button, count, digits, duration, facts, fill, labelled, make, tell, time } from "./elements.js";
import { Curve, Series } from "./curve.js";
import { Scrubber } from "./grid.js";
import { interval } from "./dataset.js";
import { finished, statusMark } from "./lists.js";
import { reproduceCard } from "./reproduce.js";
import { follow, get, list, post, save } from "./server.js";

export async function show(main, { id }, signal) {
  const [job, version] = await Promise.all([get(`/v1/jobs/${id}`, signal), get("/version", signal)]);
  const dataset = job.dataset ? await get(`/v1/datasets/${job.dataset}`, signal).catch(() => null) : null;
  const view = new JobView(job, dataset, version, signal);
  fill(main, view.element);
  view.begin().catch(error => { if (!signal.aborted) tell(error); });
}

const lineNames = { train_nats: "training", validation_nats: "validation", train_loss: "training loss", generator_loss: "generator",
  discriminator_loss: "discriminator" };
const overlaysMax = 5;
const eventPauseMilliseconds = 250;

class JobView {
  constructor(job, dataset, version, signal) {
    Object.assign(this, { job, dataset, version, signal });
    this.isTraining = job.kind === "train";
    this.series = new Series();
    this.others = new Map();
    this.unit = "nats";
    this.status = make("p", { class: "standing", role: "status" });
    this.link = make("p", { class: "quiet lost", hidden: true }, "The server is away; this goes on when it is back.");
    this.bar = make("progress", { max: 1, "aria-label": "Progress" });
    this.numbers = make("div", {});
    this.actions = make("div", { class: "buttons" });
    this.warnings = make("ul", { class: "warnings", "aria-label": "Warnings" });
    const title = job.name ?? (this.isTraining ? `${job.family} ${id(job.id)}` : `Evaluation ${id(job.id)}`);
    this.element = make("div", {},
      make("p", { class: "crumb" }, make("a", { href: "#/jobs" }, "Jobs")),
      make("div", { class: "between" }, make("h1", {}, title), this.actions),
      this.status, this.bar, this.link, this.numbers, this.warnings, this.isTraining ? this.trainingParts() : this.results());
  }

  trainingParts() {
    this.curve = new Curve("Learning curve");
    this.scrubber = new Scrubber(this.job);
    this.again = make("div", {});
    this.overlays = make("div", { class: "choices" });
    const unit = make("select", { id: "unit", input: event => { this.unit = event.target.value; this.redraw(); } },
      make("option", { value: "nats" }, "nats"), make("option", { value: "bits" }, "bits per dimension"));
    const log = make("input", { type: "checkbox", id: "log", input: event => this.curve.set({ isLog: event.target.checked }) });
    return [
      make("section", { "aria-labelledby": "curve-title" },
        make("div", { class: "between" }, make("h2", { id: "curve-title" }, "Learning curve"),
          make("div", { class: "tools" }, make("div", { class: "field inline" }, make("label", { for: "unit" }, "In"), unit),
            make("div", { class: "field switch" }, log, make("label", { for: "log" }, "log axis")),
            button("CSV", () => save(`/v1/jobs/${this.job.id}/metrics`, `${this.job.id}.csv`, { Accept: "text/csv" }), { class: "plain" }),
            button("PNG", () => save(`/v1/jobs/${this.job.id}/curve.png`, `${this.job.id}.png`), { class: "plain" }))),
        this.curve.element,
        make("details", { toggle: event => { if (event.target.open) this.offerOverlays().catch(tell); } },
          make("summary", {}, "Lay other runs on these data over it"), this.overlays)),
      make("div", { class: "two" }, this.scrubber.element, this.again),
    ];
  }

  results() {
    this.table = make("tbody", {});
    return make("section", { "aria-labelledby": "results-title" }, make("h2", { id: "results-title" }, "Results"),
      make("table", {}, make("thead", {}, make("tr", {}, ["Metric", "Value", "95 %"].map((text, place) =>
        make("th", { scope: "col", class: place > 0 ? "number" : null }, text)))), this.table),
      make("p", {}, make("a", { href: `#/models/${this.job.model}` }, "The model"), " · ",
        this.job.dataset && make("a", { href: `#/datasets/${this.job.dataset}` }, "The data it was evaluated on")));
  }

  async begin() {
    this.update();
    if (this.isTraining && this.job.model) {
      this.model = await get(`/v1/models/${this.job.model}`, this.signal).catch(() => null);
    }
    this.redraw();
    const look = () => this.refresh().catch(error => { if (!this.signal.aborted && error.name === "Problem") tell(error); });
    await follow(`/v1/jobs/${this.job.id}/events`, this.signal, event => this.take(event, look), state => {
      this.link.hidden = state !== "lost";
      if (state === "lost") announce("The server is away");
      else look();
    });
  }

  take(event, look) {
    if (event.data.metrics) {
      this.series.add(event.data);
      this.redraw();
    } else if (event.type === "samples") {
      this.scrubber?.add(event.data);
    } else if (event.type === "warning") {
      this.warnings.append(make("li", {}, event.data.detail));
    }
    // What stands on the page is the job itself, looked at a moment after the news.
    this.pause ??= setTimeout(() => { this.pause = null; look(); }, eventPauseMilliseconds);
  }

  async refresh() {
    this.job = await get(`/v1/jobs/${this.job.id}`, this.signal);
    this.update();
  }

  update() {
    const { job } = this;
    const progress = job.progress ?? {};
    const isOver = finished.has(job.status);
    const said = [statusMark(job.status)];
    if (job.queue) said.push(` ${job.queue.detail}`);
    if (job.error) said.push(` ${job.error.detail ?? job.error.reason ?? ""}`);
    // Set only when it says something else: a live region is read out whenever it is touched.
    const text = said.map(part => part.textContent ?? part).join("");
    if (this.told !== text) fill(this.status, said);
    this.told = text;
    this.bar.hidden = isOver || !progress.steps;
    this.bar.value = progress.steps ? progress.step / progress.steps : 0;
    const metrics = job.metrics ?? {};
    fill(this.numbers, facts([
      ["Family", job.family && make("a", { href: `#/train?dataset=${job.dataset}&family=${job.family}` }, job.family)],
      ["Data", this.dataset && make("a", { href: `#/datasets/${this.dataset.id}` }, this.dataset.name ?? this.dataset.id)],
      ["Epoch", progress.epochs && `${count(progress.epoch)} of ${count(progress.epochs)}`],
      ["To go", !isOver && progress.eta_seconds ? duration(progress.eta_seconds) : null],
      ["Examples a second", !isOver && progress.examples_per_second ? count(progress.examples_per_second) : null],
      ["Training", metrics.train_nats !== undefined && `${digits(metrics.train_nats)} nats`],
      ["Validation", metrics.validation_nats !== undefined && `${digits(metrics.validation_nats)} nats`],
      ["Bits per dimension", metrics.validation_bits_per_dim !== undefined && digits(metrics.validation_bits_per_dim)],
      ["Begun", time(job.created_at)],
    ], "facts across"));
    this.updateActions(isOver);
    if (this.table) {
      fill(this.table, (job.results ?? []).map(result => make("tr", {}, make("th", { scope: "row" }, result.metric),
        make("td", { class: "number" }, digits(result.value, 6)), make("td", { class: "number quiet" }, interval(result.interval)))));
    }
    if (this.again && (isOver || !this.again.hasChildNodes())) fill(this.again, reproduceCard(job, this.dataset, this.version));
  }

  /** The buttons that have a use; rebuilt only when those change, so that none loses the focus while one looks on. */
  updateActions(isOver) {
    const { job } = this;
    const hasModel = Boolean(job.model && job.metrics && Object.keys(job.metrics).length > 0);
    const verbs = ["pause", "resume", "cancel"].filter(verb => job.links[verb]);
    const now = [...verbs, hasModel, isOver].join();
    if (this.offered === now) return;
    this.offered = now;
    const act = verb => button({ pause: "Pause", resume: "Go on", cancel: "Cancel" }[verb], async () => {
      this.job = await post(`/v1/jobs/${job.id}/${verb}`);
      this.update();
    }, { "data-verb": verb, class: verb === "cancel" ? "danger" : null });
    fill(this.actions, verbs.map(act),
      this.isTraining && hasModel && button("Fork …", () => this.fork(), { "data-verb": "fork" }),
      this.isTraining && hasModel
        && button("Export", () => save(`/v1/models/${job.model}/weights.safetensors`, `${job.model}.safetensors`)),
      this.isTraining && hasModel && make("a", { class: "main-action", href: `#/models/${job.model}` }, "Draw samples"));
  }

  fork() {
    const epochs = make("input", { type: "number", min: 1, value: this.job.request.training.epochs + 10 });
    const rate = make("input", { type: "number", min: 0, step: "any", value: this.job.request.training.learning_rate });
    const dialog = make("dialog", { "aria-labelledby": "fork-title", close: () => dialog.remove() },
      make("form", { method: "dialog" }, make("h2", { id: "fork-title" }, "Go on as a new job"),
        make("p", { class: "quiet" }, "It begins at the newest checkpoint, with other settings; this job stays as it is."),
        labelled("Epochs in all", epochs), labelled("Learning rate", rate),
        make("div", { class: "buttons" }, button("Fork", async () => {
          try {
            const training = { epochs: Number(epochs.value), learning_rate: Number(rate.value) };
            const job = await post(`/v1/jobs/${this.job.id}/fork`, { training });
            location.hash = `#/jobs/${job.id}`;
          } finally { dialog.close(); }
        }, { class: "main" }), make("button", { value: "none" }, "Not now"))));
    document.body.append(dialog);
    dialog.showModal();
  }

  // --- The curve ---

  redraw() {
    if (!this.curve) return;
    const shape = this.model?.shape;
    const dims = shape ? shape.reduce((product, side) => product * side, 1) : null;
    const inBits = this.unit === "bits" && dims;
    const factor = inBits ? 1 / (dims * Math.LN2) : 1;
    const hasNats = this.series.names.some(name => name.endsWith("_nats"));
    const names = hasNats ? this.series.names.filter(name => name.endsWith("_nats")) : this.series.names;
    const lines = names.map((name, kind) => ({ label: lineNames[name] ?? name.replaceAll("_", " "), kind: kind % 3,
      faint: name === "train_nats", points: this.series.points(name, factor) }));
    let kind = 3;
    for (const [label, series] of this.others) {
      const name = ["validation_nats", "train_nats"].find(name => series.byName.has(name)) ?? series.names[0];
      lines.push({ label, kind: kind++, points: series.points(name, factor) });
    }
    this.curve.set({ lines, unit: !hasNats ? "loss" : inBits ? "bits per dimension" : "nats" });
  }

  async offerOverlays() {
    // Nats are compared with nats, and losses with those of the same family alone.
    const hasNats = job => Object.keys(job.metrics ?? {}).some(name => name.endsWith("_nats"));
    const jobs = (await list(`/v1/jobs?dataset=${this.job.dataset}`, 100)).filter(job => job.kind === "train" && job.id !== this.job.id
      && hasNats(job) === hasNats(this.job) && (hasNats(job) || job.family === this.job.family));
    if (jobs.length === 0) return fill(this.overlays, make("p", { class: "quiet" }, "There are none yet that can be compared with it."));
    fill(this.overlays, jobs.map(job => {
      const label = job.name ?? `${job.family} ${id(job.id)}`;
      const box = make("input", { type: "checkbox", id: `over-${job.id}`, input: async () => {
        if (box.checked && this.others.size >= overlaysMax) { box.checked = false; return; }
        if (box.checked) {
          const perStep = job.progress?.steps > 0 ? job.progress.epochs / job.progress.steps : 0;
          this.others.set(label, Series.from(await get(`/v1/jobs/${job.id}/metrics`, this.signal), perStep));
        } else this.others.delete(label);
        this.redraw();
      } });
      return make("div", { class: "field switch" }, box, make("label", { for: box.id }, label, " ", statusMark(job.status)));
    }));
  }
}

/** The end of an id, which tells it from others well enough. */
const id = text => text.slice(-6);
