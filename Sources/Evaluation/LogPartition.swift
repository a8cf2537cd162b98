import Foundation
import JSON
import Models
import Tensors

/// ln Z: the logarithm of the constant by which a model's probabilities sum to 1, nats.
package struct LogPartition: Sendable {
  package let value: Double
  /// Three standard errors of Z to each side.
  package let interval: ClosedRange<Double>
  package let estimator: LikelihoodEstimator
  package let chains: Int
  package let betas: Int

  /// One that was counted over every state.
  package init(counted value: Double) {
    self.value = value
    interval = value...value
    estimator = .exact
    (chains, betas) = (0, 0)
  }

  /// From the logarithms of weights whose mean is Z over another constant (Salakhutdinov & Murray 2008, eq. 13 and §4).
  /// - Parameter logConstant: of the distribution that was annealed from.
  init(logWeights: [Double], logConstant: Double, betas: Int) {
    let (mean, error) = Self.logMean(logWeights)
    value = logConstant + mean
    // Three standard errors below may be less than nothing, where a few weights outweigh the rest. Then the mean of the logarithms less
    // three of its errors is a bound: it is below ln Z on the average (Jensen).
    let logs = logWeights.reduce(0, +) / Double(logWeights.count)
    let spread = logWeights.reduce(0) { $0 + ($1 - logs) * ($1 - logs) } / Double(max(logWeights.count - 1, 1))
    let least = logs - 3 * (spread / Double(logWeights.count)).squareRoot()
    interval = logConstant + (3 * error < 1 ? max(mean + log(1 - 3 * error), least) : least)...(value + log(1 + 3 * error))
    estimator = .ais
    (chains, self.betas) = (logWeights.count, betas)
  }

  /// ln of the mean of e^x, and the mean's standard error as a part of it.
  package static func logMean(_ logs: [Double]) -> (value: Double, relativeError: Double) {
    let count = Double(logs.count)
    let value = LogSum(logs).value - log(count)
    guard logs.count > 1, value.isFinite else { return (value, 0) }
    let squares = logs.reduce(0) { $0 + pow(exp($1 - value) - 1, 2) }
    return (value, (squares / (count - 1) / count).squareRoot())
  }
}

/// Of a family that tells its energy, or a bound of it, with ln Z counted or estimated.
struct EnergyLikelihood: Likelihood {
  private let model: any TellsEnergy
  private let logPartition: LogPartition

  init(_ model: any TellsEnergy, _ logPartition: LogPartition) { (self.model, self.logPartition) = (model, logPartition) }

  var estimator: LikelihoodEstimator { model.energiesAreBounds ? .elbo : logPartition.estimator }

  var settings: JSONObject {
    var settings: JSONObject = ["log_z": .number(logPartition.value)]
    if logPartition.estimator == .ais {
      settings["log_z_interval"] = [.number(logPartition.interval.lowerBound), .number(logPartition.interval.upperBound)]
      settings["chains"] = .integer(logPartition.chains)
      settings["betas"] = .integer(logPartition.betas)
    }
    return settings
  }

  var shared: ClosedRange<Double> {
    logPartition.interval.lowerBound - logPartition.value...logPartition.interval.upperBound - logPartition.value
  }

  func nats(of x: Tensor, examples: [Int]) -> [Double] { model.energies(of: x).map { $0 + logPartition.value } }
}
