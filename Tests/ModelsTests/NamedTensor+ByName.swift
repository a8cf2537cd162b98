import Tensors

extension [NamedTensor] {
  /// As `restore` takes them.
  var byName: [String: Tensor] { Dictionary(uniqueKeysWithValues: map { ($0.name, $0.tensor) }) }
}
