import Tensors

// MARK: DCGAN, 28x28

extension BenchCase {
  private static let batch = 64
  private static let quartering = Taps(height: 4, width: 4, stride: 2, border: .init(all: 1))

  private struct Generator {
    let linear: BenchNetwork.Place
    let norms: [BenchNetwork.Place]
    let convolutions: [BenchNetwork.Place]

    init(_ network: inout BenchNetwork) {
      linear = network.add("linear", [100, 7 * 7 * 128], bias: 7 * 7 * 128)
      norms = [network.add("norm.0", [128], bias: 128), network.add("norm.1", [64], bias: 64)]
      convolutions = [
        network.add("convolution.0", [quartering.count, 64, 128], bias: 64),
        network.add("convolution.1", [quartering.count, 1, 64], bias: 1),
      ]
    }

    func image(_ z: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
      func normed(_ h: Tape.Variable, _ norm: BenchNetwork.Place) -> Tape.Variable {
        tape.apply(Activate(.relu), [tape.apply(BatchNorm(), [h, weights[norm.weights], weights[norm.bias]])])
      }
      func enlarged(_ h: Tape.Variable, _ activation: Activation, _ place: BenchNetwork.Place) -> Tape.Variable {
        tape.apply(TransposedConvolution(quartering, activation), [h, weights[place.weights], weights[place.bias]])
      }
      var h = tape.apply(Dense(), [z, weights[linear.weights], weights[linear.bias]])
      h = normed(tape.apply(Reshape([batch, 7, 7, 128]), [h]), norms[0])
      h = normed(enlarged(h, .identity, convolutions[0]), norms[1])
      return enlarged(h, .tanh, convolutions[1])
    }
  }

  private struct Discriminator {
    let convolutions: [BenchNetwork.Place]
    let norm: BenchNetwork.Place
    let linear: BenchNetwork.Place

    init(_ network: inout BenchNetwork) {
      convolutions = [
        network.add("convolution.0", [quartering.count, 1, 64], bias: 64),
        network.add("convolution.1", [quartering.count, 64, 128], bias: 128),
      ]
      norm = network.add("norm", [128], bias: 128)
      linear = network.add("linear", [7 * 7 * 128, 1], bias: 1)
    }

    /// The mean of −ln of what it gives the images' being `answer`, 1 for real ones.
    func nats(_ x: Tape.Variable, _ answer: Float, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
      let (first, second) = (convolutions[0], convolutions[1])
      var h = tape.apply(Convolution(quartering, .leakyRelu), [x, weights[first.weights], weights[first.bias]])
      h = tape.apply(Convolution(quartering), [h, weights[second.weights], weights[second.bias]])
      h = tape.apply(Activate(.leakyRelu), [tape.apply(BatchNorm(), [h, weights[norm.weights], weights[norm.bias]])])
      let z = tape.apply(Dense(), [tape.apply(Reshape([batch, 7 * 7 * 128]), [h]), weights[linear.weights], weights[linear.bias]])
      let answers = tape.constant(Tensor(repeating: answer, shape: [batch, 1]))
      return tape.apply(Mean(), [tape.apply(BernoulliNats(), [z, answers])])
    }
  }

  /// Of the 64 to 128 layers there are a pass forward of the generator, three of the discriminator, and seven passes backward.
  private static let dcganOperations: Double = {
    let (large, small) = (2 * Double(batch * 49 * 128 * 16 * 64), 2 * Double(batch * 196 * 64 * 16))
    let (opening, closing) = (2 * Double(batch * 100 * 6272), 2 * Double(batch * 6272))
    return 11 * large + 9 * small + 2 * opening + 8 * closing
  }()

  static let dcganCases = [
    BenchCase(
      name: "dcgan_28_b64", what: "train_step", operations: dcganOperations,
      leaving: { team in
        var (generator, discriminator) = (BenchNetwork(team), BenchNetwork(team))
        let (layers, judge) = (Generator(&generator), Discriminator(&discriminator))
        let pixels = Tensor(uniformIn: -1..<1, shape: [batch, 28, 28, 1], .data, index: 0, using: Philox(seed: 1))
        var step = 0
        return {
          let z = Tensor(normal: 100, .noise, step: step, examples: Array(0..<batch), using: Philox(seed: 1))
          let weights = generator.begin()
          let (fake, pixelsOfFake) = generator.write { tape in
            let fake = layers.image(tape.constant(z), weights, on: &tape)
            return (fake, tape.value(fake))
          }
          let judges = discriminator.begin()
          let loss = discriminator.write { tape in
            let real = judge.nats(tape.constant(pixels), 1, judges, on: &tape)
            let other = judge.nats(tape.constant(pixelsOfFake), 0, judges, on: &tape)
            return tape.apply(Add(), [real, other])
          }
          discriminator.descend(from: loss, judges, step: step)
          let settled = discriminator.parameters.all.map(\.tensor)
          let fooled = generator.write { tape in
            let constants = settled.map { tape.constant($0) }
            return judge.nats(fake, 1, constants, on: &tape)
          }
          generator.descend(from: fooled, weights, step: step)
          step += 1
          return generator.weights + discriminator.weights
        }
      })
  ]
}
