import CKernels

/// One wrapper for each function of CKernels, of the same meaning. This is the one file of the module that holds raw pointers: each
/// `unsafe` follows from the preconditions above it.
enum Kernels {
  /// `fount_philox`.
  static func philox(counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)) -> (UInt32, UInt32, UInt32, UInt32) {
    let counter = [counter.0, counter.1, counter.2, counter.3], key = [key.0, key.1]
    var block: [UInt32] = [0, 0, 0, 0]
    unsafe fount_philox(counter, key, &block)
    return (block[0], block[1], block[2], block[3])
  }
}
