import Tensors
import Testing

struct OptimizerTests {
  private func gradient(_ step: Int, _ count: Int) -> Tensor {
    Tensor(uniformIn: -1..<1, shape: [count, 1], .noise, index: step + 1, using: Philox(seed: 1))
  }

  private func started(_ settings: OptimizerSettings, count: Int) -> Parameters {
    var parameters = Parameters(settings)
    _ = parameters.add(
      "w", Tensor(uniformIn: -1..<1, shape: [count, 1], .noise, index: 0, using: Philox(seed: 1)), decays: true)
    return parameters
  }

  @Test(arguments: [Float(0), 0.9])
  func `SGD steps are velocity's, in double precision`(momentum: Float) {
    let count = 37
    var parameters = started(.sgd(momentum: momentum), count: count)
    var (w, v) = (parameters[0].scalars.map { Double($0) }, [Double](repeating: 0, count: count))
    for step in 0..<50 {
      parameters.descend(learningRate: 0.01, step: step, gradients: [gradient(step, count)], .alone)
      for (i, g) in gradient(step, count).scalars.enumerated() {
        v[i] = Double(momentum) * v[i] + Double(g)
        w[i] -= 0.01 * v[i]
      }
    }
    for (found, exact) in zip(parameters[0].scalars, w) { #expect(abs(Double(found) - exact) < 1e-5) }
    #expect(parameters.state.map(\.name) == (momentum > 0 ? ["w", "optimizer.mean.w"] : ["w"]))
  }

  @Test func `a running average takes its share of the way to the weights`() {
    let count = 40_000
    let weights = Tensor(uniformIn: -1..<1, shape: [count], .noise, index: 0, using: Philox(seed: 1))
    let start = Tensor(uniformIn: -1..<1, shape: [count], .noise, index: 1, using: Philox(seed: 1))
    func averaged(_ decay: Float, threads: Int) -> Tensor {
      var average = start
      Kernels.average(weights, into: &average, decay: decay, ThreadTeam(count: threads))
      return average
    }
    let average = averaged(0.9, threads: 1)
    for (index, found) in average.scalars.enumerated() {
      let (before, w) = (Double(start.scalars[index]), Double(weights.scalars[index]))
      #expect(abs(Double(found) - (before + (1 - Double(Float(0.9))) * (w - before))) < 2e-7)
    }
    #expect(averaged(0.9, threads: 3) == average)
    #expect(averaged(1, threads: 1) == start)
  }

  @Test func `RMSProp steps are those of double precision, with weight decay and an average`() {
    let count = 37
    var settings = OptimizerSettings.rmsProp
    (settings.weightDecay, settings.averagingDecay) = (0.1, 0.5)
    var parameters = started(settings, count: count)
    var (w, s) = (parameters[0].scalars.map { Double($0) }, [Double](repeating: 0, count: count))
    var average = w
    for step in 0..<50 {
      parameters.descend(learningRate: 0.01, step: step, gradients: [gradient(step, count)], .alone)
      let keep = min(0.5, Double(step) / Double(step + 9))
      for (i, g) in gradient(step, count).scalars.enumerated() {
        s[i] = 0.9 * s[i] + 0.1 * Double(g) * Double(g)
        w[i] = w[i] * (1 - 0.01 * 0.1) - 0.01 * Double(g) / (s[i].squareRoot() + 1e-8)
        average[i] = keep * average[i] + (1 - keep) * w[i]
      }
    }
    for (found, exact) in zip(parameters[0].scalars, w) { #expect(abs(Double(found) - exact) < 2e-5) }
    for (found, exact) in zip(parameters.settled(0).scalars, average) { #expect(abs(Double(found) - exact) < 2e-5) }
  }

  @Test func `gradients longer than the limit are scaled to it together, shorter ones are left`() {
    for (limit, scale) in [(Float(0.5), 0.1), (5, 1), (100, 1)] {
      var settings = OptimizerSettings.sgd()
      settings.gradientNormMax = limit
      var parameters = Parameters(settings)
      for name in ["a", "b"] { _ = parameters.add(name, Tensor(repeating: 0, shape: [1]), decays: false) }
      // Of norm 5.
      let gradients = [Tensor(shape: [1], scalars: [3]), Tensor(shape: [1], scalars: [-4])]
      parameters.descend(learningRate: 1, step: 0, gradients: gradients, .alone)
      #expect(abs(Double(parameters[0].scalars[0]) + 3 * scale) < 1e-6)
      #expect(abs(Double(parameters[1].scalars[0]) - 4 * scale) < 1e-6)
    }
  }

  @Test(arguments: OptimizerSettings.Method.allCases)
  func `steps have the same bytes with any team, and after keeping and restoring`(method: OptimizerSettings.Method) throws {
    var settings = OptimizerSettings()
    (settings.method, settings.momentum, settings.averagingDecay, settings.gradientNormMax) = (method, 0.9, 0.6, 3)
    let count = 40_001
    func run(_ parameters: inout Parameters, _ steps: Range<Int>, threads: Int) {
      let team = ThreadTeam(count: threads)
      for step in steps { parameters.descend(learningRate: 0.01, step: step, gradients: [gradient(step, count)], team) }
    }
    var expected = started(settings, count: count)
    run(&expected, 0..<6, threads: 1)
    for threads in [2, 4] {
      var parameters = started(settings, count: count)
      run(&parameters, 0..<3, threads: threads)
      var resumed = started(settings, count: count)
      try resumed.restore(Dictionary(uniqueKeysWithValues: parameters.state.map { ($0.name, $0.tensor) }))
      run(&resumed, 3..<6, threads: threads)
      #expect(resumed.state == expected.state)
    }
  }
}
