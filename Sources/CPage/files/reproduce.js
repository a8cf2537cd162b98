// What it takes to do it again: the request as curl, and a card of all that a result depends on.

import { copyable, facts, make } from "./elements.js";

/** A request as a command for a shell. A key is named and never shown. */
export function curl(path, body = null, more = "") {
  const key = sessionStorage.getItem("fount-key") ? " \\\n  -H \"Authorization: Bearer $FOUNT_KEY\"" : "";
  const data = body === null ? "" : ` \\\n  -d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`;
  return `curl -s "${location.origin}${path}"${more}${key}${data}`;
}

/** Everything that a training job's result depends on. */
export function reproduceCard(job, dataset, version) {
  const { request } = job;
  const again = { kind: "train", dataset: job.dataset, family: request.family, configuration: request.configuration,
    training: request.training, data: request.data, seed: job.seed };
  if (request.validation_dataset) again.validation_dataset = request.validation_dataset;
  return make("section", { "aria-labelledby": "again-title" }, make("h2", { id: "again-title" }, "To do it again"),
    make("p", { class: "quiet" },
      "The same data, request and program make the same model, to the bit, on every machine with the same kernels."),
    facts([
      ["Program", `fount ${version.version}`], ["Kernels", version.kernel_set], ["Seed", make("code", {}, String(job.seed))],
      ["Data", dataset ? dataset.name ?? dataset.id : "deleted"],
      ["SHA-256 of the upload", dataset && make("code", { class: "long" }, dataset.sha256)],
      ["Job", make("code", {}, job.id)], ["Model", job.model && make("code", {}, job.model)],
    ]),
    make("details", {}, make("summary", {}, "Configuration"),
      copyable(JSON.stringify({ configuration: again.configuration, training: again.training, data: again.data }, null, 2),
        "the configuration")),
    make("details", {}, make("summary", {}, "As curl"), copyable(curl("/v1/jobs", again), "the request as a curl command")));
}
