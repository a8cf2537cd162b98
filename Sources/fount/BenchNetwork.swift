import Tensors

/// Weights, their optimizer and the tape of a step, for networks that are measured and belong to no family.
struct BenchNetwork {
  private(set) var parameters: Parameters
  private var tape: Tape
  private let team: ThreadTeam
  private let trace: BenchTrace?
  /// Before the names of this network's tensors in a trace.
  private let name: String

  /// - Parameter trace: where the steps are written down, which are then of plain gradient descent and not of Adam.
  init(_ team: ThreadTeam, _ trace: BenchTrace? = nil, name: String = "") {
    (self.team, self.trace, self.name) = (team, trace, name)
    parameters = Parameters(trace == nil ? .adam : .sgd(momentum: 0))
    tape = Tape(team)
  }

  var weights: [Tensor] { parameters.all.map(\.tensor) }

  /// Where a layer's weights and its bias are among the parameters.
  struct Place: Sendable {
    let weights: Int
    let bias: Int
  }

  mutating func add(_ name: String, _ shape: [Int], bias: Int) -> Place {
    let bound = 1 / Float(shape.dropLast().reduce(1, *)).squareRoot()
    let w = Tensor(uniformIn: -bound..<bound, shape: shape, .initialization, index: parameters.all.count, using: Philox(seed: 1))
    let first = parameters.add(name, w, decays: true)
    let b = Tensor(uniformIn: -bound..<bound, shape: [bias], .initialization, index: parameters.all.count, using: Philox(seed: 1))
    let place = Place(weights: first, bias: parameters.add(name + ".bias", b, decays: false))
    for index in [place.weights, place.bias] { note("before", index, parameters[index]) }
    return place
  }

  /// What is written on the tape while it is out of the network, so that no copy shares its tensors.
  mutating func write<Result>(_ equations: (inout Tape) -> Result) -> Result {
    var tape = Tape(team)
    swap(&tape, &self.tape)
    defer { swap(&tape, &self.tape) }
    return equations(&tape)
  }

  /// Starts a step.
  /// - Returns: the parameters on the tape.
  mutating func begin() -> [Tape.Variable] {
    let tensors = parameters.all.map(\.tensor)
    return write { tape in
      tape.begin()
      return tensors.map { tape.parameter($0) }
    }
  }

  private func note(_ what: String, _ index: Int, _ tensor: Tensor) {
    trace?.add("\(what).\(name)\(parameters.all[index].name)", tensor)
  }

  /// A step of Adam down a loss.
  mutating func descend(from loss: Tape.Variable, _ weights: [Tape.Variable], step: Int) {
    let gradients = write { tape in
      tape.backward(from: loss)
      tape.release()
      return weights.map { tape.gradient($0) }
    }
    if step == 0 { for (index, gradient) in gradients.enumerated() { note("gradient", index, gradient) } }
    let learningRate = trace == nil ? 1e-3 : BenchTrace.learningRate
    parameters.descend(learningRate: learningRate, step: step, gradients: gradients, team)
    if step == BenchTrace.steps - 1 { for (index, tensor) in self.weights.enumerated() { note("after", index, tensor) } }
  }
}
