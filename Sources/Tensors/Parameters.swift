/// Weights with their optimizer's state: what is trained, averaged and kept.
package struct Parameters: Sendable {
  package struct Parameter: Sendable {
    package let name: String
    package fileprivate(set) var tensor: Tensor
    /// Whether weight decay is for it: matrices yes, biases no.
    let decays: Bool
    /// What is never used and therefore never changes.
    let mask: Staircase?
    /// What the method keeps of earlier gradients: Adam's means or SGD's velocity, and squares; empty where it keeps none.
    var mean: Tensor
    var square: Tensor
    var average: Tensor?

    mutating func descend(_ factors: DescentStep, _ gradient: Tensor, _ team: ThreadTeam) {
      Kernels.descend(&tensor, mean: &mean, square: &square, average: &average, gradient: gradient, mask: mask, factors, team)
    }
  }

  package let settings: OptimizerSettings
  package private(set) var all: [Parameter] = []

  package init(_ settings: OptimizerSettings) { self.settings = settings }

  /// - Returns: the parameter's place in `all`.
  package mutating func add(_ name: String, _ tensor: Tensor, decays: Bool, mask: Staircase? = nil) -> Int {
    precondition(!all.contains { $0.name == name }, "two parameters named \(name)")
    let zero = Tensor(repeating: 0, shape: tensor.shape)
    let (mean, square) = (settings.keepsMean ? zero : .empty, settings.keepsSquare ? zero : .empty)
    let average = settings.averagingDecay > 0 ? tensor : nil
    all.append(Parameter(name: name, tensor: tensor, decays: decays, mask: mask, mean: mean, square: square, average: average))
    return all.count - 1
  }

  package subscript(index: Int) -> Tensor { all[index].tensor }

  /// What scoring and sampling use: the running average where there is one.
  package func settled(_ index: Int) -> Tensor { all[index].average ?? all[index].tensor }

  /// One step of the method.
  /// - Parameters:
  ///   - step: how many steps came before.
  ///   - gradients: one for each parameter, by its place.
  package mutating func descend(learningRate: Float, step: Int, gradients: [Tensor], _ team: ThreadTeam) {
    precondition(gradients.count == all.count, "\(gradients.count) gradients for \(all.count) parameters")
    let scale = gradientScale(gradients, team)
    for index in all.indices {
      let factors = DescentStep(
        settings, learningRate: learningRate, step: step, decays: all[index].decays, gradientScale: scale)
      all[index].descend(factors, gradients[index], team)
    }
  }

  /// Moves a parameter, and its running average alike, by what `change` makes of the weights, or of their averages.
  package mutating func shift(_ index: Int, by change: (_ weight: (Int) -> Tensor) -> Tensor, _ team: ThreadTeam) {
    let (now, settled) = (change { all[$0].tensor }, all[index].average == nil ? nil : change { self.settled($0) })
    Kernels.add(now, to: &all[index].tensor, adds: true, team)
    guard let settled, var average = all[index].average else { return }
    Kernels.add(settled, to: &average, adds: true, team)
    all[index].average = average
  }

  /// What the limit of the norm leaves of all gradients. One that is not finite is left as it is, so that it shows.
  private func gradientScale(_ gradients: [Tensor], _ team: ThreadTeam) -> Float {
    guard settings.gradientNormMax < .infinity else { return 1 }
    let norm = gradients.reduce(0.0) { $0 + Kernels.sumOfSquares($1, team) }.squareRoot()
    return norm.isFinite && norm > Double(settings.gradientNormMax) ? Float(Double(settings.gradientNormMax) / norm) : 1
  }
}

extension Parameters {
  /// `settled` under each parameter's name.
  package var weights: [NamedTensor] { all.map { NamedTensor($0.name, $0.average ?? $0.tensor) } }

  /// `weights`, the moments, and where weights are averaged, those that the steps are taken from.
  package var state: [NamedTensor] {
    weights
      + all.flatMap { parameter in
        (settings.keepsMean ? [NamedTensor("optimizer.mean." + parameter.name, parameter.mean)] : [])
          + (settings.keepsSquare ? [NamedTensor("optimizer.square." + parameter.name, parameter.square)] : [])
          + (parameter.average == nil ? [] : [NamedTensor("optimizer.current." + parameter.name, parameter.tensor)])
      }
  }

  /// Takes `state` back, or `weights` alone, which leaves the optimizer at its start.
  package mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    let withOptimizer = tensors.keys.contains { $0.hasPrefix("optimizer.") }
    var restored = all
    for index in all.indices {
      let name = all[index].name
      let weights = try tensors.tensor(name, like: all[index].tensor)
      restored[index].tensor = weights
      if all[index].average != nil { restored[index].average = weights }
      guard withOptimizer else { continue }
      if settings.keepsMean { restored[index].mean = try tensors.tensor("optimizer.mean." + name, like: weights) }
      if settings.keepsSquare { restored[index].square = try tensors.tensor("optimizer.square." + name, like: weights) }
      if all[index].average != nil { restored[index].tensor = try tensors.tensor("optimizer.current." + name, like: weights) }
    }
    all = restored
  }
}

extension [String: Tensor] {
  /// The tensor of that name, which must have a model's shape.
  package func tensor(_ name: String, like model: Tensor) throws(RestoreError) -> Tensor { try tensor(name, shape: model.shape) }

  package func tensor(_ name: String, shape: [Int]) throws(RestoreError) -> Tensor {
    guard let tensor = self[name] else { throw .missing(name: name) }
    guard tensor.shape == shape else { throw .wrongShape(name: name, expected: shape, found: tensor.shape) }
    return tensor
  }
}

/// Why tensors do not fit a model: a checkpoint of another configuration, or a damaged one.
package enum RestoreError: Error, Hashable, CustomStringConvertible {
  case missing(name: String)
  case wrongShape(name: String, expected: [Int], found: [Int])
  case wrongValues(name: String, detail: String)

  package var description: String {
    switch self {
    case .missing(let name): "the checkpoint has no tensor \"\(name)\""
    case .wrongShape(let name, let expected, let found): "tensor \"\(name)\" has shape \(found), where the model has \(expected)"
    case .wrongValues(let name, let detail): "tensor \"\(name)\": \(detail)"
    }
  }
}
