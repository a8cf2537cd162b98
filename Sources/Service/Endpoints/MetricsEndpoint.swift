import Files
import HTTP
import HTTPTypes
import Jobs

/// `GET /metrics`: what an operator's Prometheus asks.
extension FountService {
  func tellMetrics(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    var told = PrometheusText()
    tellRequests(&told)
    tellServer(&told)
    told.begin("fount_jobs", .gauge, "Jobs by their status.")
    for status in JobStatus.allCases {
      told.add("fount_jobs", [("status", status.rawValue)], Double(try record.jobCount(status)))
    }
    told.begin("fount_queue_depth", .gauge, "Requests that wait for a thread, a sampler or a decoder.")
    for (queue, depth) in [("work", threads.depth), ("samplers", samplers.depth), ("decoders", decoders.depth)] {
      told.add("fount_queue_depth", [("queue", queue)], Double(depth))
    }
    // A disk that does not tell is no reason to tell nothing.
    if let bytes = try? Disk.freeBytes(at: configuration.data) {
      told.begin("fount_disk_free_bytes", .gauge, "What is free on the disk of the data folder.")
      told.add("fount_disk_free_bytes", Double(bytes))
    }
    return Response(status: .ok, headers: [.contentType: PrometheusText.contentType], body: .bytes(Array(told.text.utf8)))
  }

  private func tellRequests(_ told: inout PrometheusText) {
    let (all, cutOff) = requestMetrics.taken()
    told.begin("fount_http_request_seconds", .histogram, "From a request's first byte to the end of its answer.")
    for (series, histogram) in all {
      let labels = [("method", series.method), ("route", series.route), ("status", String(series.status))]
      told.add("fount_http_request_seconds", labels, bounds: RequestMetrics.boundsSeconds, histogram)
    }
    told.begin("fount_http_cut_off_total", .counter, "Answers whose client went away, or was too slow, before their end.")
    told.add("fount_http_cut_off_total", Double(cutOff))
  }

  private func tellServer(_ told: inout PrometheusText) {
    guard let load = serverLoad.withLock({ $0 })?() else { return }
    told.begin("fount_http_connections", .gauge, "Connections that are open.")
    told.add("fount_http_connections", Double(load.connections))
    told.begin("fount_http_handshakes", .gauge, "Of them, those that have not ended their TLS handshake.")
    told.add("fount_http_handshakes", Double(load.handshakes))
    told.begin("fount_http_shard_busy_seconds_total", .counter, "Time that a shard has worked.")
    for (index, shard) in load.shards.enumerated() {
      told.add("fount_http_shard_busy_seconds_total", [("shard", String(index))], shard.busySeconds)
    }
    told.begin("fount_http_shard_lag_seconds", .gauge, "The longest that a shard has kept its events waiting since it was last asked.")
    for (index, shard) in load.shards.enumerated() {
      told.add("fount_http_shard_lag_seconds", [("shard", String(index))], shard.longestRoundSeconds)
    }
  }
}
