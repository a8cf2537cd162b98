/// The table. A new key is a row here and a property of `ServiceConfiguration`.
extension ConfigurationKey {
  private static let kibi = 1 << 10
  private static let mebi = 1 << 20
  private static let gibi = 1 << 30
  private static let tebi = 1 << 40

  package static let sections = [listening, folders, children, requestLimits, contentLimits]

  private static let listening = Section(
    title: "Where it listens",
    keys: [
      ConfigurationKey(
        "host", \.host, .address, default: .value("127.0.0.1"),
        "The address to listen on; one that others can reach is listened on only once there is a key (fount key create)."),
      ConfigurationKey(
        "port", \.port, .integer(in: 0...65_535), default: .value(8080),
        "The TCP port; 0 takes any free one."),
      ConfigurationKey(
        "shards", \.shards, .integer(in: 1...64),
        // One core carries about 100,000 requests a second; the others are for training.
        default: .automatic("one for every four cores, at most 4") { _, machine in min(4, max(1, machine.cores / 4)) },
        "Event loops that serve connections."),
      ConfigurationKey(
        "log_level", \.logLevel, .oneOf(["trace", "debug", "info", "notice", "warning", "error", "critical"]), default: .value("info"),
        "The least level that is logged."),
      ConfigurationKey(
        "access_log", \.accessLog, .oneOf(["off", "stdout", "stderr"]), default: .value("off"),
        "Where a line of JSON goes for every answer."),
      ConfigurationKey(
        "tls_certificates", \.tlsCertificates, .files, default: .value([]),
        "Certificate chains, PEM; with any, TLS is spoken and nothing else. The first is shown to clients that name no other's host;"
          + " SIGHUP loads all anew."),
      ConfigurationKey(
        "tls_keys", \.tlsKeys, .files, default: .value([]),
        "Their keys, PEM, in the same order."),
    ])

  private static let folders = Section(
    title: "Where things lie (a relative path starts at the folder that the server is started in)",
    keys: [
      ConfigurationKey(
        "data", \.data, .folder, default: .value("fount-data"),
        "Datasets, jobs and models; may be a shared folder."),
      ConfigurationKey(
        "database", \.database, .folder, default: .automatic("the data folder") { configuration, _ in configuration.data },
        "The record of them, fount.sqlite; must be on a local disk."),
    ])

  private static let children = Section(
    title: "Child processes",
    keys: [
      ConfigurationKey(
        "workers", \.workers, .integer(in: 0...1024), default: .automatic("one a core") { _, machine in min(1024, machine.cores) },
        "Jobs that run at once; with 0 they only queue."),
      ConfigurationKey(
        "worker_memory_bytes_max", \.workerMemoryBytesMax, .bytes(in: 256 * mebi...16 * tebi),
        default: .automatic("the machine's memory shared out among the workers, at least 4 GiB") { configuration, machine in
          min(16 * tebi, max(4 * gibi, machine.memoryBytes / max(1, configuration.workers) / mebi * mebi))
        },
        "What a job's process may allocate; its mapped dataset does not count."),
      ConfigurationKey(
        "worker_processor_seconds_max", \.workerProcessorSecondsMax, .seconds(in: 0...1_000_000_000), default: .value(0),
        "Processor time of a job's process, all its threads together; a job that uses it up fails. 0 sets no limit."),
      ConfigurationKey(
        "job_threads", \.jobThreads, .integer(in: 1...256), default: .value(1),
        "Threads of a job that asks for no number; results do not depend on it."),
      ConfigurationKey(
        "job_threads_max", \.jobThreadsMax, .integer(in: 1...256),
        default: .automatic("one a core") { _, machine in min(256, machine.cores) },
        "Threads that a job may ask for."),
      ConfigurationKey(
        "samplers", \.samplers, .integer(in: 1...64),
        default: .automatic("one for every two cores, at most 4") { _, machine in min(4, max(1, machine.cores / 2)) },
        "Processes that draw samples and score."),
      ConfigurationKey(
        "sampler_memory_bytes_max", \.samplerMemoryBytesMax, .bytes(in: 256 * mebi...16 * tebi), default: .value(4 * gibi),
        "What a sampler may allocate."),
      ConfigurationKey(
        "sampler_cache_bytes_max", \.samplerCacheBytesMax, .bytes(in: 0...16 * tebi), default: .value(gibi),
        "Loaded models that a sampler keeps."),
      ConfigurationKey(
        "decoders", \.decoders, .integer(in: 1...64),
        default: .automatic("one for every two cores, at most 4") { _, machine in min(4, max(1, machine.cores / 2)) },
        "Uploads that are decoded at once."),
      ConfigurationKey(
        "decoder_memory_bytes_max", \.decoderMemoryBytesMax, .bytes(in: 256 * mebi...16 * tebi), default: .value(4 * gibi),
        "The address space of a decoder."),
      ConfigurationKey(
        "decoder_seconds_max", \.decoderSecondsMax, .seconds(in: 1...86_400), default: .value(300),
        "Processor time of a decoder."),
    ])

  private static let requestLimits = Section(
    title: "Limits of a connection and a request",
    keys: [
      ConfigurationKey(
        "connections_max", \.connectionsMax, .integer(in: 1...100_000),
        // Under the usual limit of 1024 open files, with room for uploads, pipes and the database.
        default: .value(512),
        "Connections at once."),
      ConfigurationKey(
        "connections_per_address_max", \.connectionsPerAddressMax, .integer(in: 1...100_000),
        // Behind a proxy all come from one.
        default: .automatic("all of them") { configuration, _ in configuration.connectionsMax },
        "Connections at once of one IPv4 address or IPv6 network of 64 bits."),
      ConfigurationKey(
        "head_bytes_max", \.headBytesMax, .bytes(in: kibi...mebi), default: .value(32 * kibi),
        "Request line and headers together."),
      ConfigurationKey(
        "body_bytes_max", \.bodyBytesMax, .bytes(in: kibi...16 * tebi), default: .value(4 * gibi),
        "An uploaded dataset."),
      ConfigurationKey(
        "json_bytes_max", \.jsonBytesMax, .bytes(in: kibi...64 * mebi), default: .value(mebi),
        "Any other body; it is held in memory."),
      ConfigurationKey(
        "head_seconds_max", \.headSecondsMax, .seconds(in: 1...3600), default: .value(10),
        "From a request's first byte to the end of its headers."),
      ConfigurationKey(
        "idle_seconds_max", \.idleSecondsMax, .seconds(in: 1...3600), default: .value(60),
        "A kept-alive connection without a request."),
      ConfigurationKey(
        "request_seconds_max", \.requestSecondsMax, .seconds(in: 1...86_400), default: .value(300),
        "From the end of a request to its answer."),
      ConfigurationKey(
        "key_requests_per_second_max", \.keyRequestsPerSecondMax, .integer(in: 1...1_000_000), default: .value(100),
        "Requests of a key in a second; so many may come at once."),
      ConfigurationKey(
        "key_requests_per_day_max", \.keyRequestsPerDayMax, .integer(in: 1...1_000_000_000), default: .value(1_000_000),
        "Requests of a key in a day of UTC."),
      ConfigurationKey(
        "drain_seconds_max", \.drainSecondsMax, .seconds(in: 0...3600), default: .value(30),
        "From SIGTERM to the end, for running requests and for jobs to write their checkpoints."),
    ])

  private static let contentLimits = Section(
    title: "Limits of what is kept and asked for",
    keys: [
      ConfigurationKey(
        "datasets_bytes_max", \.datasetsBytesMax, .bytes(in: kibi...1024 * tebi), default: .value(100 * gibi),
        "All datasets together."),
      ConfigurationKey(
        "disk_free_bytes_min", \.diskFreeBytesMin, .bytes(in: 0...1024 * tebi), default: .value(512 * mebi),
        "What must stay free on the disk: below it nothing new is taken, and running jobs go on."),
      ConfigurationKey(
        "upload_idle_seconds_max", \.uploadIdleSecondsMax, .seconds(in: 60...2_592_000), default: .value(86_400),
        "An unfinished upload without a new part; then it is removed."),
      ConfigurationKey(
        "dataset_examples_max", \.datasetExamplesMax, .integer(in: 1...1_000_000_000), default: .value(10_000_000),
        "Examples of a dataset."),
      ConfigurationKey(
        "image_pixels_max", \.imagePixelsMax, .integer(in: 1...1_000_000_000), default: .value(1_048_576),
        "Width times height of a dataset's image."),
      ConfigurationKey(
        "queued_jobs_max", \.queuedJobsMax, .integer(in: 1...1_000_000), default: .value(1000),
        "Jobs that wait, of one owner: queued, paused or interrupted."),
      ConfigurationKey(
        "pinned_checkpoints_max", \.pinnedCheckpointsMax, .integer(in: 0...1_000_000), default: .value(100),
        "Checkpoints of one model that are kept because they are pinned."),
      ConfigurationKey(
        "samples_max", \.samplesMax, .integer(in: 1...65_536), default: .value(1024),
        "Samples of a request."),
    ])
}
