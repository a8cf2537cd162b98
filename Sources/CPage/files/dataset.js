// A dataset: what it holds, how it looks, and which models know it best.

import { bytes, count, digits, facts, fill, isPictures, make, shapeText, time } from "./elements.js";
import { get, list, picture } from "./server.js";
import { jobRow } from "./lists.js";

export async function show(main, { id }, signal) {
  const [dataset, board, jobs] = await Promise.all([
    get(`/v1/datasets/${id}`, signal), get(`/v1/datasets/${id}/leaderboard`, signal), list(`/v1/jobs?dataset=${id}`, 10)]);
  const name = dataset.name ?? id;
  const isOfPictures = isPictures(dataset.shape);
  const columns = isOfPictures && dataset.shape[1] > 48 ? 6 : 12;
  fill(main,
    make("p", { class: "crumb" }, make("a", { href: "#/" }, "Data")),
    make("div", { class: "between" }, make("h1", {}, name),
      make("a", { class: "main-action", href: `#/train?dataset=${id}` }, "Train a model on it")),
    make("div", { class: "two" },
      make("figure", { class: "paper" },
        isOfPictures
          ? picture(`${dataset.links.preview}?count=${columns * 8}&columns=${columns}&scale=2`, "A grid of its examples",
            { class: "pixels wide" })
          : picture(`${dataset.links.preview}?count=32&scale=${scaleOf(dataset.shape)}`, "Rows of the table as rows of pixels",
            { class: "pixels" }),
        make("figcaption", {}, isOfPictures ? "Examples, evenly spread over the file"
          : "Rows as rows of pixels, the least value black, the greatest white")),
      make("section", { "aria-labelledby": "facts-title" }, make("h2", { id: "facts-title" }, "What it holds"),
        facts([
          ["Examples", count(dataset.count)], ["Each", shapeText(dataset.shape)],
          ["Numbers", dataset.bits ? "bits" : `${dataset.element}, ${digits(dataset.minimum)} to ${digits(dataset.maximum)}`],
          ["Mean", digits(dataset.mean)],
          ["Copies of earlier ones", dataset.duplicates === undefined ? null : count(dataset.duplicates)],
          ["Classes", dataset.classes && `${dataset.classes.length}: ${dataset.classes.slice(0, 12).map(kind => kind.name).join(", ")}`],
          ["Format", dataset.format.toUpperCase()], ["Uploaded", make("span", {}, bytes(dataset.bytes), ", ", time(dataset.created_at))],
          ["SHA-256", make("code", { class: "long" }, dataset.sha256)], ["Id", make("code", {}, id)],
        ]))),
    leaderboard(board),
    jobs.length > 0 && make("section", { "aria-labelledby": "jobs-title" }, make("h2", { id: "jobs-title" }, "Jobs on it"),
      make("ul", { class: "rows" }, jobs.map(jobRow))));
}

/** How many pixels a number of a table gets along each side: as many as fit beside the facts. */
const scaleOf = ([columns]) => Math.min(Math.max(Math.floor(560 / columns), 1), 16);

const metricNames = { nats: "Nats", bits_per_dim: "Bits per dimension", mmd: "MMD", c2st: "Classifier's accuracy", precision: "Precision",
  recall: "Recall", density: "Density", coverage: "Coverage", memorization: "Memorization" };

/** Every model that was evaluated on the dataset, a table a metric. */
function leaderboard(board) {
  const metrics = Object.entries(board.metrics);
  return make("section", { "aria-labelledby": "board-title" }, make("h2", { id: "board-title" }, "Leaderboard"),
    metrics.length === 0 && make("p", { class: "quiet" },
      "No model has been evaluated on it. A model's page offers that; an evaluation on data kept apart says most."),
    make("div", { class: "boards" }, metrics.map(([metric, { better, models }]) => make("table", {},
      make("caption", {}, metricNames[metric] ?? metric, make("span", { class: "quiet" }, ` ${better} is better`)),
      make("thead", {}, make("tr", {}, ["", "Model", "Value", "95 %"].map((text, place) =>
        make(place === 0 ? "td" : "th", place === 0 ? {} : { scope: "col", class: place > 1 ? "number" : null }, text)))),
      make("tbody", {}, models.slice(0, 20).map(row => make("tr", {},
        make("td", { class: "number quiet" }, String(row.rank)),
        make("th", { scope: "row" }, make("a", { href: `#/models/${row.model}` }, row.family ?? "model"),
          make("span", { class: "quiet" }, ` ${row.model.slice(-6)}`)),
        make("td", { class: "number" }, digits(row.value, 5)),
        make("td", { class: "number quiet" }, interval(row.interval)))))))));
}

export function interval(interval) {
  if (!Array.isArray(interval)) return "";
  return `${digits(interval[0])} – ${digits(interval[1])}`;
}
