import Tensors

/// Families that draw what is missing of an example.
package protocol Completes: GenerativeModel {
  /// Completions of one example. That of a number depends on the weights, the seed, its number, the example and the temperature alone.
  /// - Parameters:
  ///   - x: `[1, dims]`, as in training; what is not known counts for nothing.
  ///   - known: of each number whether it stays.
  /// - Returns: `[indices, dims]`, the known numbers as they came.
  func complete(_ x: Tensor, known: [Bool], _ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor
}

/// Families that tell an example by features or latents.
package protocol Encodes: GenerativeModel {
  /// - Parameter x: `[examples, dims]`, as in training.
  /// - Returns: `[examples, features]`
  func encode(_ x: Tensor) -> Tensor
}

/// Families whose hidden units look for something that has an example's shape.
package protocol HasFilters: GenerativeModel {
  /// What each unit looks for, `[units, dims]`.
  var filters: Tensor { get }
}
