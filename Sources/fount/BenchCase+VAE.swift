import Tensors

// MARK: A variational autoencoder: 784 to 400 to 20 and back

extension BenchCase {
  private static let (batch, dims, width, latent) = (128, 784, 400, 20)

  /// Multiplications of one example's pass forward; the first layer's are told apart, since nothing goes back through it.
  private static let products = (first: Double(dims * width), rest: Double(width * 2 * latent + latent * width + width * dims))

  static let vaeCases = [
    BenchCase(
      name: "vae_784_400_20_b128", what: "train_step", operations: 2 * Double(batch) * (2 * products.first + 3 * products.rest),
      leaving: { team in
        var network = BenchNetwork(team)
        let encoder = [network.add("encoder", [dims, width], bias: width), network.add("moments", [width, 2 * latent], bias: 2 * latent)]
        let decoder = [network.add("decoder", [latent, width], bias: width), network.add("logits", [width, dims], bias: dims)]
        let x = Tensor(uniformIn: 0..<1, shape: [batch, dims], .data, index: 0, using: Philox(seed: 1))
        var step = 0
        return {
          let weights = network.begin()
          let loss = network.write { tape in
            func layer(_ activation: Activation, _ h: Tape.Variable, _ place: BenchNetwork.Place) -> Tape.Variable {
              tape.apply(Dense(activation), [h, weights[place.weights], weights[place.bias]])
            }
            let x = tape.constant(x)
            let moments = layer(.identity, layer(.relu, x, encoder[0]), encoder[1])
            let draw = GaussianDraw(.noise, step: step, examples: Array(0..<batch), using: Philox(seed: 1))
            let z = layer(.identity, layer(.relu, tape.apply(draw, [moments]), decoder[0]), decoder[1])
            let nats = tape.apply(BernoulliNats(), [z, x])
            return tape.apply(Mean(), [tape.apply(Add(), [nats, tape.apply(GaussianDivergence(), [moments])])])
          }
          network.descend(from: loss, weights, step: step)
          step += 1
          return network.weights
        }
      })
  ]
}
