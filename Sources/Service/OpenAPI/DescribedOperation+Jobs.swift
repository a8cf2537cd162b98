import HTTPTypes
import Images
import JSON
import Jobs

extension DescribedOperation {
  static let jobs: [DescribedOperation] = [
    DescribedOperation(
      .post, "/v1/jobs", "createJob", .jobs, "Starts training or an evaluation",
      notes: "The job is recorded before it is acknowledged, and survives the server. What the model depends on is in `request`, complete.",
      parameters: [DescribedParameter("dry_run", Schema.words(["0", "1"], default: "0"), "1 only checks."), .idempotencyKey],
      body: .json(
        Schema.named("NewJob"), "What to train or evaluate.",
        examples: [
          (
            "train",
            [
              "kind": "train", "dataset": "ds_0", "family": "made", "configuration": ["hidden_layers": [500]],
              "training": ["epochs": 20, "batch_size": 100], "seed": 1, "name": "first try",
            ]
          ), ("evaluate", ["kind": "evaluate", "model": "mdl_0", "dataset": "ds_0", "metrics": ["nats"]]),
        ]),
      answers: [accepted, .json("With `dry_run=1`: the request with every default filled in.", Schema.named("DryRun"))]),
    DescribedOperation(
      .get, "/v1/jobs", "listJobs", .jobs, "Lists jobs, the newest first",
      parameters: [
        DescribedParameter("status", Schema.words(JobStatus.allCases.map(\.rawValue)), "Those of one status alone."), .family, .dataset,
      ] + DescribedParameter.page,
      answers: [.json("A page.", Schema.page(of: Schema.named("Job")), headers: [.next])]),
    DescribedOperation(
      .get, "/v1/jobs/{id}", "describeJob", .jobs, "Describes a job, at once or when there is news",
      notes: "With `Prefer: wait=N` and `If-None-Match` it holds until status or a metric changes, and answers 304 when the time is up.",
      parameters: [.header(.prefer, Schema.text, "`wait=30` (RFC 7240)."), .ifNoneMatch],
      answers: [
        .json("The job.", Schema.named("Job"), headers: [.entityTag, waited]),
        DescribedAnswer(304, "No news.", headers: [.entityTag, waited]),
      ]),
    verb("cancel", "Ends a job", "It has succeeded or failed."),
    verb("pause", "Lets a job rest: it writes a checkpoint and gives its place to others", "It has finished, or is being cancelled."),
    verb("resume", "Queues a paused job again", "It has finished, or is on its way to another state."),
    DescribedOperation(
      .post, "/v1/jobs/{id}/fork", "forkJob", .jobs, "Makes a new job that goes on from a checkpoint of this one with other training",
      parameters: [.idempotencyKey],
      body: .json(Schema.named("Fork"), "What differs.", examples: [("longer", ["training": ["epochs": 40], "name": "longer"])]),
      answers: [accepted], refusals: [409: "There is nothing to go on from."]),
  ]

  static let jobNews: [DescribedOperation] = [
    DescribedOperation(
      .get, "/v1/jobs/{id}/events", "listEvents", .jobs, "Tells what has happened, as a page or as it happens",
      notes: "As `text/event-stream` it replays what came after `Last-Event-ID` and goes on until the job has finished.",
      parameters: [
        DescribedParameter("after", Schema.integer(0...Int.max), "The event before the first; 0 begins with the oldest."),
        DescribedParameter("limit", Schema.integer(1...1000, default: 100), "How many a page holds; not for a stream."),
        .header(.lastEventID, ["type": "string", "pattern": "^[0-9]{0,18}$"], "In a stream: the event before the first."),
      ],
      answers: [
        DescribedAnswer(
          200, "Events, the oldest first.", [("application/json", Schema.page(of: Schema.named("Event"))), ("text/event-stream", nil)],
          headers: [.next]), DescribedAnswer(204, "A stream that has nothing more to tell."),
      ]),
    DescribedOperation(
      .get, "/v1/jobs/{id}/metrics", "listMetrics", .jobs, "Tells every metric as a series",
      answers: [DescribedAnswer(200, "All series.", [("application/json", Schema.named("Metrics")), ("text/csv", nil)])]),
    DescribedOperation(
      .get, "/v1/jobs/{id}/curve.png", "drawCurve", .jobs, "Draws the learning curve",
      parameters: [
        DescribedParameter("width", Schema.integer(LineChart.sides, default: 800), "In pixels."),
        DescribedParameter("height", Schema.integer(LineChart.sides, default: 480), "In pixels."),
      ],
      answers: [DescribedAnswer(200, "The curve.", [DescribedAnswer.png])], refusals: [409: "An evaluation has none."]),
    DescribedOperation(
      .get, "/v1/jobs/{id}/samples/{epoch}.png", "showEpochSamples", .jobs, "Shows the samples that were drawn at the end of an epoch",
      notes: "Of a job with `training.sample_every_epochs`; its events name the pictures that there are.",
      answers: [DescribedAnswer(200, "A grid.", [DescribedAnswer.png])]),
  ]

  private static func verb(_ verb: String, _ summary: String, _ conflict: String) -> DescribedOperation {
    DescribedOperation(
      .post, "/v1/jobs/{id}/\(verb)", "\(verb)Job", .jobs, summary, notes: "Asking again changes nothing.",
      answers: [.json(202, "The job as it now stands.", Schema.named("Job"), headers: [.location("the job")])], refusals: [409: conflict])
  }

  private static let waited = DescribedHeader(.preferenceApplied, Schema.text, "How long it was waited for.", isAlways: false)

  private static let accepted = DescribedAnswer.json(
    202, "The job.", Schema.named("Job"), headers: [.location("the job"), .replayed],
    links: DescribedLink.to([
      "describeJob", "listEvents", "listMetrics", "drawCurve", "pauseJob", "resumeJob", "cancelJob", "forkJob",
    ]) + DescribedLink.to(ofModel, idAt: "/model"))
}
