import Tensors
import Testing

struct ConvolutionTests {
  private let philox = Philox(seed: 5)

  /// A convolution's taps written out, its image and its filters.
  struct Layer: Sendable {
    let taps: Taps
    /// Rows and columns of the taps that are alive.
    let live: [(y: Int, x: Int)]
    /// Batch, height, width, channels.
    let image: [Int]
    let filters: Int

    init(
      _ height: Int, _ width: Int, stride: Int = 1, _ border: Taps.Border = .init(), _ mask: Taps.Mask = .none, image: [Int], filters: Int
    ) {
      taps = Taps(height: height, width: width, stride: stride, border: border, mask: mask)
      let (middle, centre) = (height / 2, width / 2)
      live = (0..<height).flatMap { y in (0..<width).map { (y: y, x: $0) } }.filter { tap in
        if mask == .none || tap.y < middle { return true }
        return tap.y == middle && (tap.x < centre || tap.x == centre && mask == .upToCentre)
      }
      (self.image, self.filters) = (image, filters)
    }
  }

  static let layers = [
    Layer(3, 3, .init(all: 1), .upToCentre, image: [3, 7, 5, 32], filters: 17),
    Layer(3, 3, .init(all: 1), .beforeCentre, image: [1, 4, 9, 3], filters: 32),
    Layer(7, 7, .init(all: 3), .beforeCentre, image: [2, 9, 11, 1], filters: 5),
    Layer(1, 9, .init(left: 8), image: [2, 1, 30, 3], filters: 33),
    Layer(5, 3, stride: 2, .init(top: 1, bottom: 2, right: 1), image: [9, 9, 8, 5], filters: 18),
    Layer(4, 4, stride: 2, .init(all: 1), image: [2, 14, 14, 7], filters: 20),
    Layer(2, 2, stride: 3, image: [2, 10, 11, 4], filters: 6),
    Layer(1, 1, image: [10, 6, 6, 70], filters: 35),
    Layer(4, 4, .init(top: 1, left: 1, bottom: 2, right: 2), image: [1, 6, 6, 100], filters: 1),
    Layer(3, 3, .init(all: 2), image: [1, 1, 1, 1], filters: 1),
  ]

  private func random(_ shape: [Int], _ index: Int) -> Tensor {
    Tensor(uniformIn: -1..<1, shape: shape, .noise, index: index, using: philox)
  }

  /// Forward and gradients by x, w and bias.
  private func run(_ primitive: some Primitive, _ inputs: [Tensor], dy: Tensor, threads: Int = 1) -> [Tensor] {
    let team = ThreadTeam(count: threads)
    var y = Tensor(repeating: .nan, shape: primitive.shape(of: inputs.map(\.shape)))
    primitive.forward(inputs, into: &y, team)
    var dy = dy
    var gradients = inputs.map { Gradient?.some(Gradient(tensor: Tensor(repeating: .nan, shape: $0.shape), adds: false)) }
    primitive.backward(inputs, y: y, dy: &dy, into: &gradients, team)
    return [y] + gradients.compactMap { $0?.tensor }
  }

  private func inputs(_ layer: Layer) -> (x: Tensor, w: Tensor, bias: Tensor, dy: Tensor) {
    let w = random([layer.live.count, layer.image[3], layer.filters], 1)
    return (
      random(layer.image, 0), w, random([layer.filters], 2),
      random(Convolution(layer.taps).shape(of: [layer.image, w.shape]), 3)
    )
  }

  private func worst(_ found: Tensor, _ exact: [Double]) -> Double {
    zip(found.scalars, exact).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
  }

  @Test(arguments: 0..<layers.count)
  func `convolutions and their gradients are those of double precision`(number: Int) {
    let layer = Self.layers[number]
    let (x, w, bias, dy) = inputs(layer)
    let found = run(Convolution(layer.taps), [x, w, bias], dy: dy)
    let (rows, columns, channels, filters) = (layer.image[1], layer.image[2], layer.image[3], layer.filters)
    var y = [Double](repeating: 0, count: dy.count)
    var (dx, dw) = ([Double](repeating: 0, count: x.count), [Double](repeating: 0, count: w.count))
    var dbias = [Double](repeating: 0, count: filters)
    let (X, W, DY) = (x.scalars, w.scalars, dy.scalars)
    var pixel = 0
    for n in 0..<layer.image[0] {
      for r in 0..<dy.shape[1] {
        for c in 0..<dy.shape[2] {
          for f in 0..<filters {
            y[pixel * filters + f] += Double(bias.scalars[f])
            dbias[f] += Double(DY[pixel * filters + f])
          }
          for (t, tap) in layer.live.enumerated() {
            let (i, j) = (r * layer.taps.stride + tap.y - layer.taps.border.top, c * layer.taps.stride + tap.x - layer.taps.border.left)
            guard (0..<rows).contains(i), (0..<columns).contains(j) else { continue }
            for k in 0..<channels {
              let at = ((n * rows + i) * columns + j) * channels + k
              for f in 0..<filters {
                let weight = (t * channels + k) * filters + f
                y[pixel * filters + f] += Double(X[at]) * Double(W[weight])
                dx[at] += Double(DY[pixel * filters + f]) * Double(W[weight])
                dw[weight] += Double(DY[pixel * filters + f]) * Double(X[at])
              }
            }
          }
          pixel += 1
        }
      }
    }
    // As for products: a float sum of n terms below 1.
    let bound = 3e-6 * Double(max(layer.live.count * max(channels, filters), pixel)).squareRoot()
    for (found, exact) in zip(found, [y, dx, dw, dbias]) { #expect(worst(found, exact) < bound) }
    // The transpose, by the same numbers: its result is dx, and its gradients are y and dw with the two images' roles changed.
    guard taps(layer, giveBack: layer.image) else { return }
    let back = run(TransposedConvolution(layer.taps), [dy, w], dy: x)
    let forward = run(Convolution(layer.taps), [x, w], dy: dy)
    #expect(back[0] == forward[1])
    #expect(back[1] == forward[0])
    #expect(back[2] == forward[2])
  }

  private func taps(_ layer: Layer, giveBack image: [Int]) -> Bool {
    let w = [layer.live.count, image[3], layer.filters]
    let result = Convolution(layer.taps).shape(of: [image, w])
    return TransposedConvolution(layer.taps).shape(of: [result, w]) == image
  }

  @Test(arguments: 0..<layers.count)
  func `an image has the same bytes alone, in any batch and with any team`(number: Int) {
    let layer = Self.layers[number]
    let (x, w, bias, dy) = inputs(layer)
    let all = run(Convolution(layer.taps, .relu), [x, w, bias], dy: dy)
    for threads in [2, 4] { #expect(run(Convolution(layer.taps, .relu), [x, w, bias], dy: dy, threads: threads) == all) }
    let last = x.rows - 1
    let alone = run(Convolution(layer.taps, .relu), [x.rows(last..<last + 1), w, bias], dy: dy.rows(last..<last + 1))
    #expect(alone[0] == all[0].rows(last..<last + 1))
    #expect(alone[1] == all[1].rows(last..<last + 1))
  }

  @Test func `a causal pixel sees none after it`() {
    for (mask, seesItself) in [(Taps.Mask.beforeCentre, false), (.upToCentre, true)] {
      let taps = Taps.causal(height: 5, width: 3, mask)
      let w = random([taps.count, 2, 4], 1)
      let x = random([1, 6, 7, 2], 0)
      var y = Tensor(repeating: 0, shape: [1, 6, 7, 4])
      Convolution(taps).forward([x, w], into: &y, .alone)
      for pixel in [0, 10, 25, 41] {
        var scalars = x.scalars
        scalars[pixel * 2] += 1
        var moved = y
        Convolution(taps).forward([Tensor(shape: x.shape, scalars: scalars), w], into: &moved, .alone)
        let changed = (0..<42).filter { Array(moved.scalars[$0 * 4..<$0 * 4 + 4]) != Array(y.scalars[$0 * 4..<$0 * 4 + 4]) }
        #expect(changed.allSatisfy { seesItself ? $0 >= pixel : $0 > pixel })
        #expect(changed.contains(pixel) == seesItself)
      }
    }
  }
}
