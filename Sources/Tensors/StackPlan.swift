/// Where everything of a stack is: in an image's kept memory, in a thread's, in a block's; counted in floats.
struct StackPlan: Sendable {
  struct Layer: Sendable {
    let taps: Taps
    let activation: Activation
    let image: [Int]
    let result: [Int]
    /// The image with zeros around it.
    var source = Area(), resultAt = 0, resultRow = 0
    /// dy with zeros around it.
    var gradient = Area(), gradientAt = 0, gradientSourceAt = 0
    var streamAt = 0, streamAdds = false, streamStays = false, joinsPrevious = false
    /// Of the packed weights, and of the block's sums.
    var packedAt = 0, biasAt = 0, packedBackAt = 0, sumsAt = 0

    var depth: Int { taps.count * image[3] }
  }

  struct Area: Sendable, Equatable {
    var at = 0, height = 0, width = 0, channels = 0
    var row: Int { width * channels }
    var count: Int { height * row }
  }

  private(set) var layers: [Layer]
  private(set) var keptCount = 0, streamsCount = 0, gradientsCount = 0, sumsCount = 0
  /// The weights and biases as the way forward wants them, and the weights as the way back does.
  private(set) var packedCount = 0, packedBackCount = 0

  init(_ stack: ConvolutionStack, _ inputs: [[Int]]) {
    let shapes = stack.shapes(of: inputs)
    layers = stack.layers.enumerated().map { index, layer in
      Layer(taps: layer.taps, activation: layer.activation, image: index == 0 ? inputs[0] : shapes[index - 1], result: shapes[index])
    }
    for (index, layer) in stack.layers.enumerated() {
      guard let joined = layer.joins else { continue }
      layers[index].streamAdds = true
      layers[index].joinsPrevious = joined == index - 1
      layers[joined].streamStays = true
    }
    placeSources()
    placeStreams(stack)
    placeGradients(stack)
    for index in layers.indices {
      let layer = layers[index]
      let (filters, channels) = (Kernels.wholePanels(layer.result[3]), Kernels.wholePanels(layer.image[3]))
      layers[index].packedAt = Self.take(filters * layer.depth, of: &packedCount)
      layers[index].biasAt = Self.take(filters, of: &packedCount)
      layers[index].packedBackAt = Self.take(channels * layer.taps.count * layer.result[3], of: &packedBackCount)
      layers[index].sumsAt = Self.take(filters * (layer.depth + 1), of: &sumsCount)
    }
  }

  /// Vectors are read whole: places are multiples of a cache line.
  private static func take(_ count: Int, of all: inout Int) -> Int {
    defer { all += (count + 15) / 16 * 16 }
    return all
  }

  private mutating func placeSources() {
    for index in layers.indices {
      let extents = Kernels.extentsWithBorder(image: layers[index].image, result: layers[index].result, layers[index].taps)
      var area = Area(height: extents.height, width: extents.width, channels: layers[index].image[3])
      let border = layers[index].taps.border
      if index > 0 {
        // The layer before writes its whole result.
        area.height = max(area.height, border.top + layers[index].image[1])
        area.width = max(area.width, border.left + layers[index].image[2])
      }
      area.at = Self.take(area.count, of: &keptCount)
      layers[index].source = area
      guard index > 0 else { continue }
      layers[index - 1].resultAt = area.at + border.top * area.row + border.left * area.channels
      layers[index - 1].resultRow = area.row
    }
  }

  private mutating func placeStreams(_ stack: ConvolutionStack) {
    for index in layers.indices where layers[index].streamStays || layers[index].streamAdds {
      if let joined = stack.layers[index].joins {
        layers[index].streamAt = layers[joined].streamAt
      } else {
        layers[index].streamAt = Self.take(layers[index].result[1...].reduce(1, *), of: &streamsCount)
      }
    }
  }

  /// Layers that share sums share their gradient, too, unless one is made from the other. Others use the same memory in turn, where they
  /// need the same zeros in it.
  private mutating func placeGradients(_ stack: ConvolutionStack) {
    var wanted = layers.map { layer in
      let zeros = Kernels.bordersOfGradient(image: layer.image, result: layer.result, layer.taps)
      return [zeros.top, zeros.bottom, zeros.left, zeros.right]
    }
    // Along a chain of shared sums, the widest borders.
    func widen(_ indices: some Sequence<Int>) {
      for index in indices {
        guard let joined = stack.layers[index].joins else { continue }
        let both = zip(wanted[index], wanted[joined]).map { max($0, $1) }
        (wanted[index], wanted[joined]) = (both, both)
      }
    }
    let own = wanted
    widen(layers.indices)
    widen(layers.indices.reversed())
    var free: [(area: Area, borders: [Int])] = []
    for index in layers.indices {
      let result = layers[index].result
      let (top, left) = (wanted[index][0], wanted[index][2])
      var area = Area(
        height: top + result[1] + wanted[index][1], width: left + result[2] + wanted[index][3], channels: result[3])
      if let joined = stack.layers[index].joins, joined < index - 1 {
        area.at = layers[joined].gradient.at
      } else if !layers[index].streamStays && !layers[index].streamAdds {
        let neighbour = index > 0 ? layers[index - 1].gradient.at : -1
        let match = free.first {
          $0.borders == wanted[index] && $0.area.at != neighbour && $0.area.count == area.count && $0.area.row == area.row
        }
        area.at = match?.area.at ?? Self.take(area.count, of: &gradientsCount)
        if match == nil { free.append((area, wanted[index])) }
      } else {
        area.at = Self.take(area.count, of: &gradientsCount)
      }
      layers[index].gradient = area
      layers[index].gradientAt = area.at + top * area.row + left * area.channels
      layers[index].gradientSourceAt = area.at + (top - own[index][0]) * area.row + (left - own[index][2]) * area.channels
    }
  }
}
