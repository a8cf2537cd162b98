/// How values become bits, where a family models bits.
package enum Binarization: String, Sendable, CaseIterable {
  /// Values stay as they are: for data that are bits already, and for families that model more than bits.
  case none
  /// A bit is 1 where its value is at least half of the training set's maximum.
  case threshold
  /// A bit is 1 with probability value / maximum, drawn anew each epoch (Salakhutdinov & Murray, ICML 2008, §5), and once for all in
  /// validation, evaluation and scoring.
  case stochastic
}
