// The address after `#` names a view. Each view is a module whose `show(main, parameters, signal)` fills `<main>`; the signal ends what
// it watches when the page goes on.

import { announce, fill, make, tell } from "./elements.js";
import { get } from "./server.js";

const views = [
  [/^\/?$/, "home", () => import("./home.js")],
  [/^\/datasets\/(?<id>[\w-]+)$/, "home", () => import("./dataset.js")],
  [/^\/train$/, "train", () => import("./train.js")],
  [/^\/jobs$/, "jobs", () => import("./lists.js").then(lists => ({ show: lists.showJobs }))],
  [/^\/jobs\/(?<id>[\w-]+)$/, "jobs", () => import("./job.js")],
  [/^\/models$/, "models", () => import("./lists.js").then(lists => ({ show: lists.showModels }))],
  [/^\/models\/(?<id>[\w-]+)$/, "models", () => import("./model.js")],
];

const main = document.getElementById("main");
let leaving = new AbortController();
let isFirst = true;

async function go() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [pattern, place, load] = views.find(([pattern]) => pattern.test(path)) ?? [null, null, null];
  for (const link of document.querySelectorAll("nav [data-place]")) {
    if (link.dataset.place === place) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const section = make("div", { class: "view" });
  try {
    if (!load) throw new Error(`There is nothing at ${location.hash}.`);
    const parameters = { ...pattern.exec(path).groups, ...Object.fromEntries(new URLSearchParams(query)) };
    const view = await load();
    await view.show(section, parameters, signal);
    if (signal.aborted) return;
    fill(main, section);
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    fill(main, make("h1", {}, "That did not work"), make("p", {}, make("a", { href: "#/" }, "Back to the data")));
    tell(error);
  }
  const title = main.querySelector("h1")?.textContent;
  document.title = title && title !== "Fount" ? `${title} – Fount` : "Fount";
  window.scrollTo(0, 0);
  // The first view is where the reader is anyway.
  if (!isFirst) {
    main.focus({ preventScroll: true });
    announce(title ?? "");
  }
  isFirst = false;
}

window.addEventListener("hashchange", go);
document.querySelector(".skip").addEventListener("click", event => {
  // The address after # is a view's; this one only moves the focus.
  event.preventDefault();
  main.focus();
});
go();

get("/version").then(version => {
  document.getElementById("about").textContent = `Fount ${version.version}, kernels ${version.kernels ?? version.kernel_set ?? ""}`.trim();
}, () => { /* The line is no more than an ornament. */ });
