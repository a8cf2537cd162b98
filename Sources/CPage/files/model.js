// A model: what it draws, and what else can be asked of it.

import { button, copyable, count, digits, facts, fill, isPictures, labelled, make, shapeText, tell, time } from "./elements.js";
import { completion } from "./completion.js";
import { drawsInReadingOrder, film, unfolding } from "./film.js";
import { latents } from "./latents.js";
import { likelihoodWords } from "./families.js";
import { curl } from "./reproduce.js";
import { get, list, picture, post, request, save, show as showPicture } from "./server.js";

export async function show(main, { id }, signal) {
  const model = await get(`/v1/models/${id}`, signal);
  const [family, checkpoints, dataset] = await Promise.all([get(`/v1/families/${model.family}`, signal),
    get(`/v1/models/${id}/checkpoints`, signal), model.dataset ? get(`/v1/datasets/${model.dataset}`, signal).catch(() => null) : null]);
  const nats = model.metrics.validation_nats;
  const abilities = new Set(model.abilities);
  const pictures = isPictures(model.shape);
  fill(main,
    make("p", { class: "crumb" }, make("a", { href: "#/models" }, "Models")),
    make("div", { class: "between" }, make("h1", {}, `${family.title} ${id.slice(-6)}`), make("div", { class: "buttons" },
      button("Export", () => save(`/v1/models/${id}/weights.safetensors`, `${id}.safetensors`)),
      model.job && make("a", { class: "button", href: `#/jobs/${model.job}` }, "Its job"))),
    facts([
      ["Examples", shapeText(model.shape)], ["Step", count(model.step ?? 0)],
      ["Data", dataset && make("a", { href: `#/datasets/${dataset.id}` }, dataset.name ?? dataset.id)],
      ["Validation", nats !== undefined && `${digits(nats)} nats, ${likelihoodWords[family.likelihood.kind]}`],
      ["Bits per dimension", model.metrics.validation_bits_per_dim !== undefined && digits(model.metrics.validation_bits_per_dim)],
      ["Seed", String(model.seed ?? "–")], ["Made", time(model.created_at)],
    ], "facts across"),
    new Samples(model, family, checkpoints.data, dataset).element,
    pictures && abilities.has("interpolate") && latents(model),
    pictures && family.taxonomy.at(-1) === "markov_chain" && film(model),
    pictures && drawsInReadingOrder(model) && unfolding(model),
    pictures && abilities.has("complete") && dataset && completion(model, dataset),
    model.links.filters && make("section", { "aria-labelledby": "filters-title" }, make("h2", { id: "filters-title" }, "Filters"),
      make("p", { class: "quiet" }, "What each hidden unit looks for: its weights, from the least in black to the greatest in white."),
      make("figure", { class: "paper" },
        picture(`${model.links.filters}?count=60&columns=15`, "Weights of 60 hidden units", { class: "pixels wide" }))),
    await evaluation(model, family),
    make("section", { "aria-labelledby": "made-title" }, make("h2", { id: "made-title" }, "How it was made"),
      copyable(JSON.stringify({ family: model.family, configuration: model.configuration, training: model.training, data: model.data,
        seed: model.seed, lineage: model.lineage }, null, 2), "the model's settings")));
}

/** Samples, by what they depend on: seed, temperature, checkpoint. */
class Samples {
  constructor(model, family, checkpoints, dataset) {
    Object.assign(this, { model, family, dataset });
    this.pictures = isPictures(model.shape);
    const changed = () => this.soon();
    this.seed = make("input", { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER, value: 1, input: changed });
    this.temperature = make("input", { type: "range", id: "temperature", min: -1, max: 1, step: 0.05, value: 0, input: changed });
    this.heat = make("output", {}, "1");
    this.count = make("select", { input: changed },
      [16, 36, 64, 144].map(number => make("option", { selected: number === 64 }, String(number))));
    this.step = make("select", { input: changed }, make("option", { value: "" }, "the model's own"),
      checkpoints.map(({ step, epoch, best, newest }) => make("option", { value: step },
        `step ${count(step)}${epoch === null ? "" : `, epoch ${epoch}`}${best ? ", best" : newest ? ", newest" : ""}`)));
    this.neighbours = make("input", { type: "checkbox", id: "neighbours", input: changed });
    this.image = make("img", { class: "pixels wide", alt: "" });
    this.rows = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Rows of numbers" });
    this.address = make("div", {});
    this.caption = make("figcaption", {});
    const isChain = family.taxonomy.at(-1) === "markov_chain";
    this.burnIn = isChain && make("input", { type: "number", min: 1, max: 100000, placeholder: "1000", input: changed });
    const controls = make("div", { class: "tools" }, labelled("Seed", this.seed),
      button("Another", () => this.drawSeed(), { class: "plain", "aria-label": "Another seed" }),
      make("div", { class: "field" }, make("label", { for: "temperature" }, "Temperature ", this.heat), this.temperature),
      labelled("How many", this.count), labelled("Checkpoint", this.step), isChain && labelled("Burn-in", this.burnIn),
      this.pictures && dataset && make("div", { class: "field switch" }, this.neighbours,
        make("label", { for: "neighbours" }, "beside each its nearest training example")));
    const saving = make("div", { class: "buttons" },
      button(this.pictures ? "Save PNG" : "Save JSON", () => save(this.path, this.pictures ? "samples.png" : "samples.json"),
        { class: "plain" }),
      button("Save NPY", () => save(this.drawPath, "samples.npy", { Accept: "application/x-npy" }), { class: "plain" }));
    this.element = make("section", { class: "samples", "aria-labelledby": "samples-title" },
      make("h2", { id: "samples-title" }, "Samples"), make("p", { class: "quiet" }, family.sampling),
      make("div", { class: "beside" },
        make("div", { class: "side" }, controls, saving, make("details", {}, make("summary", {}, "As curl"), this.address)),
        this.pictures ? make("figure", { class: "paper" }, this.image, this.caption) : this.rows));
    this.update();
  }

  drawSeed() {
    [this.seed.value] = crypto.getRandomValues(new Uint32Array(1));
    this.soon();
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.update().catch(tell), 250);
  }

  get query() {
    const heat = 10 ** Number(this.temperature.value);
    const query = new URLSearchParams({ count: this.count.value, seed: this.seed.value || "0" });
    if (Number(this.temperature.value) !== 0) query.set("temperature", heat.toPrecision(3));
    if (this.step.value) query.set("step", this.step.value);
    if (this.burnIn && this.burnIn.value) query.set("burn_in", this.burnIn.value);
    return query;
  }

  get drawPath() { return `/v1/models/${this.model.id}/samples?${this.query}`; }
  get path() { return this.neighbours.checked ? `/v1/models/${this.model.id}/neighbours?${this.query}` : this.drawPath; }

  async update() {
    const heat = 10 ** Number(this.temperature.value);
    this.heat.textContent = digits(heat, 3);
    fill(this.address, copyable(curl(this.path, null, this.pictures ? " -o samples.png" : ""), "the request as a curl command"));
    try {
      if (!this.pictures) return await this.updateRows();
      const isPaired = this.neighbours.checked;
      await showPicture(this.image, `${this.path}&scale=2`);
      this.image.alt = `${this.count.value} samples of seed ${this.seed.value}`
        + (isPaired ? ", each with its nearest training example at its right" : "");
      this.caption.textContent = isPaired ? "In each pair the sample is at the left, the training example nearest to it at the right." : "";
    } catch (error) {
      if (error.name !== "Problem") throw error;
      this.caption.textContent = error.message;
    }
  }

  async updateRows() {
    const { samples } = await (await request(this.path, { headers: { Accept: "application/json" } })).json();
    const columns = Math.min(samples[0].length, 16);
    fill(this.rows, make("table", {}, make("tbody", {}, samples.map(row =>
      make("tr", {}, row.slice(0, columns).map(value => make("td", { class: "number" }, digits(value, 4))))))));
  }
}

const twoSample = { mmd: "MMD", precision_recall: "Precision and recall", c2st: "A classifier's accuracy (C2ST)" };

/** Starts an evaluation, whose results are a job's, and stand on the data's leaderboard. */
async function evaluation(model, family) {
  const datasets = (await list("/v1/datasets", 100)).filter(one => String(one.shape) === String(model.shape) || one.id === model.dataset);
  if (datasets.length === 0) return null;
  const pick = make("select", {},
    datasets.map(one => make("option", { value: one.id, selected: one.id === model.dataset }, one.name ?? one.id)));
  const metrics = { ...family.likelihood.kind === "none" ? {} : { nats: `Nats (${likelihoodWords[family.likelihood.kind]})` },
    ...twoSample };
  const boxes = Object.entries(metrics).map(([name, title], place) =>
    [name, make("input", { type: "checkbox", id: `metric-${name}`, checked: place === 0 }), title]);
  return make("section", { "aria-labelledby": "evaluate-title" }, make("h2", { id: "evaluate-title" }, "Evaluate"),
    make("p", { class: "quiet" },
      "On data that it has not seen, where there are some: what is measured on its own training data flatters it."),
    labelled("Data", pick),
    make("fieldset", { class: "choices" }, make("legend", {}, "Metrics"),
      boxes.map(([, box, title]) => make("div", { class: "field switch" }, box, make("label", { for: box.id }, title)))),
    make("div", { class: "buttons" }, button("Start the evaluation", async () => {
      const job = await post("/v1/jobs", { kind: "evaluate", model: model.id, dataset: pick.value, seed: 1,
        metrics: boxes.filter(([, box]) => box.checked).map(([name]) => name) });
      location.hash = `#/jobs/${job.id}`;
    })));
}
