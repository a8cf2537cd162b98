import CKernels

/// Stacks of convolutions. Packed weights and blocks' sums are memory of the calling thread's own, as for single layers.
extension Kernels {
  /// `fount_stack_forward`: y and what is kept, from x and each layer's w and bias.
  static func stack(_ inputs: [Tensor], _ plan: StackPlan, into y: inout Tensor, keeping kept: inout Tensor, _ team: ThreadTeam) {
    let images = check(inputs, plan, y: y, kept: kept)
    guard let packed = unsafe scratch(plan.packedCount) else { return }
    for (index, layer) in plan.layers.enumerated() {
      unsafe pack(inputs[1 + 2 * index], layer, into: packed + layer.packedAt, panels(layer.result[3]), team) {
        unsafe fount_convolution_pack($0, $1, $2)
      }
      unsafe read(inputs[2 + 2 * index]) { bias in unsafe (packed + layer.biasAt).update(from: bias, count: layer.result[3]) }
    }
    unsafe read(inputs[0]) { x in
      unsafe write(&y) { y in
        unsafe write(&kept) { kept in
          unsafe lend(plan, images: images, packed: packed, back: nil, wanted: []) { stack in
            unsafe (stack.x, stack.y, stack.kept) = (x, y, kept)
            let lent = unsafe Lent(stack)
            team.forEachBlock(of: images) { image in
              var stack = unsafe lent.value
              unsafe fount_stack_forward(&stack, image)
            }
          }
        }
      }
    }
  }

  /// `fount_stack_backward` and `fount_convolution_sum_blocks`: the gradients that are wanted.
  static func stackGradients(
    _ inputs: [Tensor], _ plan: StackPlan, y: Tensor, kept: Tensor, dy: Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam
  ) {
    let images = check(inputs, plan, y: y, kept: kept)
    precondition(dy.shape == y.shape, "dy has shape \(dy.shape), not \(y.shape)")
    precondition(zip(dInputs, inputs).allSatisfy { $0.map(\.tensor.shape) ?? $1.shape == $1.shape }, "gradients of other shapes")
    let blocks = min(images, weightGradientBlocks)
    let wanted = dInputs.map { $0 != nil }
    guard let memory = unsafe scratch(plan.packedBackCount + blocks * plan.sumsCount) else { return }
    let sums = unsafe memory + plan.packedBackCount
    for (index, layer) in plan.layers.enumerated() where wanted[...(2 * index)].contains(true) {
      unsafe pack(inputs[1 + 2 * index], layer, into: memory + layer.packedBackAt, panels(layer.image[3]), team) {
        unsafe fount_convolution_pack_back($0, $1, $2)
      }
    }
    let dxAdds = dInputs[0]?.adds ?? false
    var dx = dInputs[0]
    dInputs[0] = nil
    unsafe read(inputs[0]) { x in
      unsafe read(y) { y in
        unsafe read(kept) { kept in
          unsafe read(dy) { dy in
            unsafe writeIfAny(&dx) { dx in
              unsafe lend(plan, images: images, packed: nil, back: memory, wanted: wanted) { stack in
                // The way back only reads what the way forward wrote.
                unsafe (stack.x, stack.y, stack.kept) = (x, UnsafeMutablePointer(mutating: y), UnsafeMutablePointer(mutating: kept))
                unsafe (stack.dy, stack.dx, stack.dx_adds, stack.sums) = (dy, dx, dxAdds ? 1 : 0, sums)
                let lent = unsafe Lent(stack)
                team.forEachBlock(of: blocks) { block in
                  var stack = unsafe lent.value
                  unsafe fount_stack_backward(&stack, block, blocks)
                }
              }
            }
          }
        }
      }
    }
    dInputs[0] = dx
    for (index, layer) in plan.layers.enumerated() {
      let (place, biasPlace) = (1 + 2 * index, 2 + 2 * index)
      var (dw, dbias) = (dInputs[place], dInputs[biasPlace])
      (dInputs[place], dInputs[biasPlace]) = (nil, nil)
      unsafe sum(sums + layer.sumsAt, blocks: blocks, stride: plan.sumsCount, layer, dw: &dw, dbias: &dbias, team)
      (dInputs[place], dInputs[biasPlace]) = (dw, dbias)
    }
  }

  /// The blocks' shares of one layer.
  private static func sum(
    _ sums: UnsafeMutablePointer<Float>?, blocks: Int, stride: Int, _ planned: StackPlan.Layer, dw: inout Gradient?, dbias: inout Gradient?,
    _ team: ThreadTeam
  ) {
    guard dw != nil || dbias != nil else { return }
    let adds = (dw: dw?.adds ?? false, dbias: dbias?.adds ?? false)
    unsafe writeIfAny(&dw) { dw in
      unsafe writeIfAny(&dbias) { dbias in
        var layer = unsafe extents(image: planned.image, result: planned.result, planned.taps)
        unsafe (layer.dw, layer.dw_adds, layer.dbias, layer.dbias_adds) = (dw, adds.dw ? 1 : 0, dbias, adds.dbias ? 1 : 0)
        let lent = unsafe Lent((layer: layer, sums: sums))
        team.forEachBlock(of: panels(planned.result[3])) { panel in
          var (layer, sums) = unsafe lent.value
          unsafe fount_convolution_sum_blocks(&layer, sums, stride, panel, blocks)
        }
      }
    }
  }

  private static func pack(
    _ w: Tensor, _ planned: StackPlan.Layer, into packed: UnsafeMutablePointer<Float>?, _ panels: Int, _ team: ThreadTeam,
    _ one: @Sendable (UnsafePointer<fount_convolution>, UnsafeMutablePointer<Float>?, Int) -> Void
  ) {
    unsafe read(w) { w in
      unsafe lend(planned.taps) { tapY, tapX in
        var layer = unsafe extents(image: planned.image, result: planned.result, planned.taps)
        unsafe (layer.tap_y, layer.tap_x, layer.w) = (tapY, tapX, w)
        let lent = unsafe Lent((layer: layer, packed: packed))
        team.forEachBlock(of: panels) { panel in
          var (layer, packed) = unsafe lent.value
          unsafe one(&layer, packed, panel)
        }
      }
    }
  }

  /// - Returns: how many images there are.
  private static func check(_ inputs: [Tensor], _ plan: StackPlan, y: Tensor, kept: Tensor) -> Int {
    precondition(inputs.count == 1 + 2 * plan.layers.count && inputs[0].shape == plan.layers[0].image, "a plan for other inputs")
    for (index, layer) in plan.layers.enumerated() {
      let (w, bias) = (inputs[1 + 2 * index].shape, inputs[2 + 2 * index].count)
      let expected = [layer.taps.count, layer.image[3], layer.result[3]]
      precondition(w == expected && bias == layer.result[3], "layer \(index): \(w), bias \(bias)")
      check(image: layer.image, result: layer.result, layer.taps)
    }
    precondition(y.shape == plan.layers.last?.result, "y has shape \(y.shape)")
    precondition(kept.shape == [y.shape[0], plan.keptCount], "\(kept.shape) is kept, not \(plan.keptCount) an image")
    return y.shape[0]
  }

  /// The plan as C has it.
  private static func lend(
    _ plan: StackPlan, images: Int, packed: UnsafeMutablePointer<Float>?, back: UnsafeMutablePointer<Float>?, wanted: [Bool],
    _ body: (inout fount_stack) -> Void
  ) {
    let taps = plan.layers.flatMap { $0.taps.y + $0.taps.x }
    unsafe readIfAny(taps) { taps in
      let all = unsafe stacked(plan, taps: taps, packed: packed, back: back, wanted: wanted)
      let band = unsafe all.map { one in
        var layer = unsafe one.layer
        return unsafe fount_convolution_band(&layer)
      }.max()
      unsafe all.withUnsafeBufferPointer { all in
        var stack = unsafe fount_stack()
        unsafe (stack.layers, stack.images, stack.all) = (all.count, images, all.baseAddress)
        unsafe (stack.kept_count, stack.streams_count, stack.gradients_count) = (plan.keptCount, plan.streamsCount, plan.gradientsCount)
        unsafe (stack.band_count, stack.sums_count) = (band ?? 0, plan.sumsCount)
        unsafe body(&stack)
      }
    }
  }

  /// - Parameters:
  ///   - taps: each layer's rows and columns, one after the other.
  ///   - wanted: for each input whether its gradient is; empty on the way forward.
  private static func stacked(
    _ plan: StackPlan, taps: UnsafePointer<Int32>?, packed: UnsafeMutablePointer<Float>?, back: UnsafeMutablePointer<Float>?,
    wanted: [Bool]
  ) -> [fount_stacked] {
    var all: [fount_stacked] = unsafe []
    var tap = 0
    for (index, planned) in plan.layers.enumerated() {
      let count = planned.taps.count
      var one = unsafe fount_stacked()
      unsafe one.layer = extents(image: planned.image, result: planned.result, planned.taps)
      if let taps = unsafe taps { unsafe (one.layer.tap_y, one.layer.tap_x) = (taps + tap, taps + tap + count) }
      unsafe one.layer.activation = planned.activation.code
      tap += 2 * count
      if let packed = unsafe packed {
        unsafe one.packed = UnsafePointer(packed + planned.packedAt)
        unsafe one.bias = UnsafePointer(packed + planned.biasAt)
      }
      let (source, gradient) = (planned.source, planned.gradient)
      unsafe (one.source_at, one.source_row, one.source_height, one.source_width) = (source.at, source.row, source.height, source.width)
      unsafe (one.result_at, one.result_row) = (planned.resultAt, planned.resultRow)
      unsafe (one.gradient_at, one.gradient_row, one.gradient_source_at) = (planned.gradientAt, gradient.row, planned.gradientSourceAt)
      unsafe one.stream_at = planned.streamAt
      unsafe (one.stream_adds, one.stream_stays) = (planned.streamAdds ? 1 : 0, planned.streamStays ? 1 : 0)
      unsafe one.joins_previous = planned.joinsPrevious ? 1 : 0
      let isWanted = !wanted.isEmpty && (wanted[1 + 2 * index] || wanted[2 + 2 * index])
      unsafe one.sums_at = isWanted ? planned.sumsAt : -1
      if let back = unsafe back, wanted.prefix(2 * index + 1).contains(true) {
        unsafe one.packed_back = UnsafePointer(back + planned.packedBackAt)
      }
      unsafe all.append(one)
    }
    return unsafe all
  }

  // MARK: What a plan asks of C

  /// `fount_convolution_extents`.
  static func extentsWithBorder(image: [Int], result: [Int], _ taps: Taps) -> (height: Int, width: Int) {
    var (height, width) = (0, 0)
    unsafe lend(taps) { tapY, tapX in
      var layer = unsafe extents(image: image, result: result, taps)
      unsafe (layer.tap_y, layer.tap_x) = (tapY, tapX)
      unsafe fount_convolution_extents(&layer, &height, &width)
    }
    return (height, width)
  }

  /// `fount_convolution_borders`.
  static func bordersOfGradient(image: [Int], result: [Int], _ taps: Taps) -> (top: Int, bottom: Int, left: Int, right: Int) {
    var borders = fount_borders()
    unsafe lend(taps) { tapY, tapX in
      var layer = unsafe extents(image: image, result: result, taps)
      unsafe (layer.tap_y, layer.tap_x) = (tapY, tapX)
      borders = unsafe fount_convolution_borders(&layer)
    }
    return (borders.top, borders.bottom, borders.left, borders.right)
  }
}
