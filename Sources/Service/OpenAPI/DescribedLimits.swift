import Training

/// What of a server's configuration shows in its interface.
struct DescribedLimits {
  let samplesMax: Int
  let threadsMax: Int
  let threadsUnasked: Int

  static let indexMax = SamplerLimits.indexMax
  static let scaleMax = SamplerLimits.scaleMax

  init(_ configuration: ServiceConfiguration) {
    samplesMax = configuration.samplesMax
    let allowance = ThreadAllowance(unasked: configuration.jobThreads, most: configuration.jobThreadsMax)
    (threadsMax, threadsUnasked) = (allowance.most, allowance.unasked)
  }
}
