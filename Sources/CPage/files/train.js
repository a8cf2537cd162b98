// A job is put together: the data, the kind of model, what it is made of, how it is trained; and what goes to the server is seen before.

import { button, copyable, fill, isPictures, labelled, make, shapeText, tell, count } from "./elements.js";
import { familyNote, tree } from "./families.js";
import { SchemaForm } from "./form.js";
import { curl } from "./reproduce.js";
import { get, list, picture, post, Problem } from "./server.js";

const usualTraining = ["epochs", "batch_size", "learning_rate", "sample_every_epochs", "max_seconds", "threads"];
const dryRunPauseMilliseconds = 300;

export async function show(main, { dataset: chosen, family: wanted }, signal) {
  const datasets = await list("/v1/datasets", 200);
  if (datasets.length === 0) {
    return fill(main, make("h1", {}, "Train a model"),
      make("p", {}, "It needs data first. ", make("a", { href: "#/" }, "Upload a file")));
  }
  const id = datasets.some(dataset => dataset.id === chosen) ? chosen : datasets[0].id;
  const dataset = datasets.find(dataset => dataset.id === id);
  const families = (await get(`/v1/families?dataset=${id}`, signal)).data;
  const possible = families.filter(family => family.fit !== null);
  const first = possible.find(family => family.name === wanted) ?? possible.find(family => family.name === "made") ?? possible[0];
  const draft = make("div", { class: "draft" });
  const pick = make("select", { id: "dataset", change: event => { location.hash = `#/train?dataset=${event.target.value}`; } },
    datasets.map(one => make("option", { value: one.id, selected: one.id === id },
      `${one.name ?? one.id} – ${count(one.count)} of ${shapeText(one.shape)}`)));
  const choose = family => {
    history.replaceState(null, "", `#/train?dataset=${id}&family=${family.name}`);
    fill(draft, new Draft(dataset, family, signal).element);
  };
  fill(main, make("h1", {}, "Train a model"),
    make("section", { class: "step", "aria-label": "Data" }, labelled("Data", pick),
      make("figure", { class: "strip" }, picture(`${dataset.links.preview}?count=16&columns=16`, "", { class: "pixels" }))),
    make("section", { class: "step", "aria-label": "Family" }, tree(families, first?.name, choose)), draft);
  if (first) fill(draft, new Draft(dataset, first, signal).element);
}

/** A job of one family on one dataset that has not been started. */
class Draft {
  constructor(dataset, family, signal) {
    this.dataset = dataset;
    this.family = family;
    this.signal = signal;
    const changed = () => this.changed();
    this.configuration = new SchemaForm(family.configuration, "/configuration", changed);
    this.training = new SchemaForm(family.training, "/training", changed, usualTraining);
    const others = Object.keys(family.training.properties).filter(name => !usualTraining.includes(name));
    this.moreTraining = new SchemaForm(family.training, "/training", changed, others);
    this.data = new SchemaForm(family.data, "/data", changed, isPictures(dataset.shape) ? null : ["binarize"]);
    this.name = make("input", { type: "text", maxlength: 200, placeholder: "none", autocomplete: "off", input: changed });
    this.seed = make("input", { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1, value: 1, input: changed });
    this.verdict = make("p", { class: "verdict", role: "status" });
    this.code = make("div", {});
    this.start = button("Start training", () => this.submit(), { class: "main" });
    this.element = make("div", {}, familyNote(family), this.presets(),
      this.part(`What the ${family.title} is made of`, this.configuration.element),
      this.part("How it is trained", this.training.element,
        make("details", {}, make("summary", {}, "More about training"), this.moreTraining.element)),
      this.part("What it sees of the data", this.data.element),
      this.part("Name and seed", make("div", { class: "fields" }, labelled("Name", this.name, "To find it again."),
        labelled("Seed", this.seed, "The same seed gives the same model, to the bit; empty, one is drawn."))),
      make("div", { class: "finish" }, this.verdict, make("div", { class: "buttons" }, this.start),
        make("details", {}, make("summary", {}, "The same with curl"), this.code)));
    this.data.value = family.fit?.data ?? {};
    this.configuration.value = this.fitting({});
    if (isPictures(dataset.shape)) this.training.value = { sample_every_epochs: 1 };
    this.changed();
  }

  part(title, ...children) { return make("section", { class: "step" }, make("h2", {}, title), children); }

  /** A preset's values, and what these data need beside them. */
  fitting(preset) { return { ...preset, ...this.family.fit?.configuration }; }

  presets() {
    const choices = [{ name: "defaults", summary: "What each field says.", configuration: {} }, ...this.family.presets];
    return make("fieldset", { class: "presets" }, make("legend", {}, "Begin with"),
      choices.map((preset, place) => {
        const id = `preset-${preset.name}`;
        return make("div", { class: "preset" },
          make("input", { type: "radio", name: "preset", id, checked: place === 0, "aria-describedby": `${id}-more`,
            change: () => { this.configuration.value = this.fitting(preset.configuration); this.changed(); } }),
          make("label", { for: id }, preset.name), make("p", { class: "hint", id: `${id}-more` }, preset.summary));
      }));
  }

  get request() {
    const request = { kind: "train", dataset: this.dataset.id, family: this.family.name };
    const parts = { configuration: this.configuration.value, training: { ...this.training.value, ...this.moreTraining.value },
      data: this.data.value };
    for (const [name, value] of Object.entries(parts)) if (Object.keys(value).length > 0) request[name] = value;
    if (this.seed.value !== "") request.seed = Number(this.seed.value);
    if (this.name.value.trim()) request.name = this.name.value.trim();
    return request;
  }

  /** Shows the request, and asks the server what it would say to it. */
  changed() {
    const { request } = this;
    fill(this.code, copyable(curl("/v1/jobs", request), "the request as a curl command"));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(request), dryRunPauseMilliseconds);
  }

  async check(request) {
    if (this.signal.aborted) return;
    try {
      await post("/v1/jobs?dry_run=1", request);
      this.judge([]);
    } catch (error) {
      if (error instanceof Problem) this.judge(error.faults, error.message);
      else this.verdict.textContent = error.message;
    }
  }

  judge(faults, message = "") {
    let rest = faults;
    for (const form of [this.configuration, this.training, this.moreTraining, this.data]) rest = form.show(rest);
    const elsewhere = rest.map(fault => `${fault.pointer.slice(1)} ${fault.detail}`).join("; ");
    const here = faults.length - rest.length;
    const summary = here === 1 ? "One field needs another value." : here > 1 ? `${here} fields need other values.` : message;
    this.verdict.textContent = elsewhere || summary;
    this.verdict.classList.toggle("bad", faults.length > 0 || message !== "");
  }

  async submit() {
    try {
      const job = await post("/v1/jobs", this.request);
      location.hash = `#/jobs/${job.id}`;
    } catch (error) {
      if (!(error instanceof Problem) || error.faults.length === 0) return tell(error);
      this.judge(error.faults, error.message);
      this.element.querySelector("[aria-invalid]")?.focus();
    }
  }
}
