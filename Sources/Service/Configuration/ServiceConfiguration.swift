/// What an operator may set, checked. What each value means, allows and defaults to stands in one place, `ConfigurationKey.sections`:
/// file keys, environment names, flags, help and the example file all come from there. Relative folders have been made absolute.
package struct ServiceConfiguration: Sendable, Equatable {
  package var host = ""
  package var port = 0
  package var shards = 0
  package var logLevel = ""
  package var accessLog = ""
  package var tlsCertificates: [String] = []
  package var tlsKeys: [String] = []

  package var data = ""
  package var database = ""

  package var workers = 0
  package var workerMemoryBytesMax = 0
  package var workerProcessorSecondsMax = 0
  package var jobThreads = 0
  package var jobThreadsMax = 0
  package var samplers = 0
  package var samplerMemoryBytesMax = 0
  package var samplerCacheBytesMax = 0
  package var decoders = 0
  package var decoderMemoryBytesMax = 0
  package var decoderSecondsMax = 0

  package var bodyBytesMax = 0
  package var uploadIdleSecondsMax = 0
  package var jsonBytesMax = 0
  package var headBytesMax = 0
  package var connectionsMax = 0
  package var connectionsPerAddressMax = 0
  package var headSecondsMax = 0
  package var idleSecondsMax = 0
  package var requestSecondsMax = 0
  package var keyRequestsPerSecondMax = 0
  package var keyRequestsPerDayMax = 0
  package var drainSecondsMax = 0
  package var datasetsBytesMax = 0
  package var diskFreeBytesMin = 0
  package var datasetExamplesMax = 0
  package var imagePixelsMax = 0
  package var queuedJobsMax = 0
  package var pinnedCheckpointsMax = 0
  package var samplesMax = 0

  /// The table's defaults on `machine`. The zeros above are never seen: a test holds that every property has a row.
  package init(machine: Machine = .this) {
    for key in ConfigurationKey.all { key.setDefault(&self, machine) }
  }
}
