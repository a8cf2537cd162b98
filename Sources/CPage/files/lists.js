// All jobs and all models, the newest first.

import { count, digits, duration, fill, make, tell, time } from "./elements.js";
import { list, picture, watch } from "./server.js";

export const finished = new Set(["succeeded", "failed", "cancelled"]);

/** How a job stands: a word that is coloured, too. */
export const statusMark = status => make("span", { class: `status ${status}` }, status);

/** One line of a list of jobs. */
export function jobRow(job) {
  const what = job.kind === "evaluate" ? "evaluation" : job.family;
  const { progress, metrics } = job;
  const nats = metrics?.validation_nats ?? metrics?.train_nats;
  const running = !finished.has(job.status) && progress?.steps > 0;
  return make("li", {}, make("a", { href: `#/jobs/${job.id}` },
    make("span", { class: "row-name" }, job.name ?? `${what} ${job.id.slice(-6)}`, make("span", { class: "quiet" }, ` ${what}`)),
    statusMark(job.status),
    make("span", { class: "row-number number" }, running ? `${Math.floor(100 * progress.step / progress.steps)} %`
      : nats === undefined ? "" : `${digits(nats)} nats`),
    make("span", { class: "row-time quiet" },
      running && progress.eta_seconds ? `${duration(progress.eta_seconds)} to go` : time(job.created_at))));
}

export async function showJobs(main, _, signal) {
  const rows = make("ul", { class: "rows", "aria-label": "Jobs" });
  const place = make("div", {}, rows);
  let shown = "";
  const look = async () => {
    const jobs = await list("/v1/jobs?", 100);
    const text = JSON.stringify(jobs);
    if (signal.aborted || text === shown) return;
    shown = text;
    // A link that has the focus keeps it, though its row is another element now.
    const focused = document.activeElement?.getAttribute?.("href");
    fill(rows, jobs.map(jobRow));
    if (focused) rows.querySelector(`[href="${focused}"]`)?.focus({ preventScroll: true });
    if (jobs.length === 0) fill(place, make("p", { class: "quiet" }, "None yet. ", make("a", { href: "#/train" }, "Train a model")));
  };
  await look();
  fill(main, make("h1", {}, "Jobs"), place);
  watch(2000, signal, () => look().catch(error => { if (!signal.aborted && error.name === "Problem") tell(error); }));
}

export async function showModels(main, _, signal) {
  const models = await list("/v1/models?", 60);
  if (signal.aborted) return;
  fill(main, make("h1", {}, "Models"), make("h2", { class: "visually-hidden" }, "The newest first"),
    models.length === 0 ? make("p", { class: "quiet" }, "None yet: a job makes one with its first checkpoint. ",
      make("a", { href: "#/train" }, "Train a model")) : make("ul", { class: "cards" }, models.map(modelCard)));
}

function modelCard(model) {
  const pictures = model.shape.length === 3;
  const nats = model.metrics?.validation_nats ?? model.metrics?.train_nats;
  return make("li", { class: "card" }, make("a", { href: `#/models/${model.id}` },
    make("figure", {}, pictures ? picture(`${model.links.samples}?count=24&columns=8&seed=0`, "", { class: "pixels" })
      : make("p", { class: "quiet" }, `${count(model.shape[0])} columns`)),
    make("h3", {}, model.family, make("span", { class: "quiet" }, ` ${model.id.slice(-6)}`)),
    make("p", { class: "quiet" }, nats === undefined ? "samples alone" : `${digits(nats)} nats`, ` · step ${count(model.step ?? 0)}`)));
}
