// Where everything begins: a file is dropped, and what has been dropped before.

import { announce, bytes, count, fill, make, shapeText, tell } from "./elements.js";
import { list, picture, upload } from "./server.js";
import { jobRow } from "./lists.js";

export async function show(main, _, signal) {
  const [datasets, jobs] = await Promise.all([list("/v1/datasets", 24), list("/v1/jobs?", 5)]);
  if (signal.aborted) return;
  fill(main,
    make("div", { class: "hero" },
      make("h1", {}, "Draw new things from your own data"),
      make("p", { class: "lead" }, "Upload pictures or a table, choose one of nine kinds of generative model, and watch it learn. "
        + "Each says honestly what it can tell: an exact likelihood, a bound, an estimate, or samples alone.")),
    dropZone(signal),
    datasets.length > 0 && make("section", { "aria-labelledby": "datasets-title" },
      make("h2", { id: "datasets-title" }, "Datasets"),
      make("ul", { class: "cards" }, datasets.map(card))),
    jobs.length > 0 && make("section", { "aria-labelledby": "jobs-title" },
      make("div", { class: "between" }, make("h2", { id: "jobs-title" }, "Latest jobs"), make("a", { href: "#/jobs" }, "All jobs")),
      make("ul", { class: "rows" }, jobs.map(jobRow))));
}

function card(dataset) {
  const name = dataset.name ?? dataset.id;
  return make("li", { class: "card" },
    make("a", { href: `#/datasets/${dataset.id}` },
      make("figure", {}, picture(`${dataset.links.preview}?count=24&columns=8`, "", { class: "pixels" })),
      make("h3", {}, name),
      make("p", { class: "quiet" }, `${count(dataset.count)} of ${shapeText(dataset.shape)}`)));
}

/** A place to drop a file on, which is a button, too. */
function dropZone(signal) {
  const input = make("input", { type: "file", id: "file", class: "visually-hidden", "aria-describedby": "file-hint",
    change: () => { if (input.files[0]) send(input.files[0], zone, signal); } });
  const zone = make("section", { class: "drop", "aria-label": "Upload" },
    make("div", { class: "drop-words" },
      input, make("label", { for: "file", class: "pick" }, "Choose a file"), make("span", {}, " or drop it here"),
      make("p", { class: "hint", id: "file-hint" },
        "IDX, NPY, NPZ, CIFAR, CSV, safetensors, or a ZIP or TAR of pictures, plain or compressed")),
    make("div", { class: "drop-progress" }));
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, event => { event.preventDefault(); zone.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  zone.addEventListener("drop", event => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) send(file, zone, signal);
  });
  return zone;
}

async function send(file, zone, signal) {
  const place = zone.querySelector(".drop-progress");
  const giving = new AbortController();
  signal.addEventListener("abort", () => giving.abort());
  const bar = make("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
  const words = make("p", { class: "quiet" }, `${file.name}, ${bytes(file.size)}`);
  fill(place, bar, words, make("button", { type: "button", class: "plain", click: () => giving.abort() }, "Give up"));
  announce(`Uploading ${file.name}`);
  try {
    const dataset = await upload(`/v1/datasets?name=${encodeURIComponent(file.name.slice(0, 100))}`, file, (done, all) => {
      bar.value = all > 0 ? done / all : 0;
      // It has to be decoded before the answer comes.
      words.textContent = done < all ? `${bytes(done)} of ${bytes(all)}` : "Reading it …";
      if (done >= all) bar.removeAttribute("value");
    }, giving.signal);
    announce(`${file.name} is uploaded`);
    location.hash = `#/datasets/${dataset.id}`;
  } catch (error) {
    fill(place);
    tell(error);
  }
}
