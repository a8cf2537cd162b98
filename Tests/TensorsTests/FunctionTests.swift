import Foundation
import Tensors
import Testing

struct FunctionTests {
  /// How many floats lie between a result and the true value rounded to float.
  private func distance(_ a: Float, _ b: Float) -> Int {
    if a.isNaN || b.isNaN { return a.isNaN && b.isNaN ? 0 : .max }
    func place(_ x: Float) -> Int { x.bitPattern >> 31 == 0 ? Int(x.bitPattern) : -Int(x.bitPattern & 0x7fff_ffff) }
    return abs(place(a) - place(b))
  }

  private func exact(_ function: ScalarFunction, _ x: Double) -> Double {
    switch function {
    case .exp: exp(x)
    case .log: log(x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .softplus: x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))
    case .tanh: tanh(x)
    }
  }

  private func apply(_ function: ScalarFunction, _ x: [Float]) -> [Float] {
    var y = Tensor(repeating: 0, shape: [x.count])
    Kernels.map(function, Tensor(shape: [x.count], scalars: x), into: &y, .alone)
    return y.scalars
  }

  @Test(arguments: ScalarFunction.allCases)
  func `functions are within two floats of the exact value on their whole range`(_ function: ScalarFunction) {
    // Every 4,001st float there is, and the stretch where the curves bend.
    let sweep = stride(from: UInt64(0), to: 1 << 32, by: 4_001).map { Float(bitPattern: UInt32($0)) }
    let bend = (-110_000...110_000).map { Float($0) * 1e-3 }
    for x in [sweep, bend] {
      let y = apply(function, x)
      let worst = zip(x, y).max { a, b in
        distance(a.1, Float(exact(function, Double(a.0)))) < distance(b.1, Float(exact(function, Double(b.0))))
      }
      guard let worst else { return }
      #expect(distance(worst.1, Float(exact(function, Double(worst.0)))) <= 2, "\(function)(\(worst.0)) = \(worst.1)")
    }
  }

  @Test func `functions keep infinities and NaN`() {
    let infinity = Float.infinity
    #expect(apply(.exp, [infinity, -infinity, 0]) == [infinity, 0, 1])
    #expect(apply(.log, [infinity, 0, 1]) == [infinity, -infinity, 0])
    #expect(apply(.sigmoid, [infinity, -infinity, 0]) == [1, 0, 0.5])
    #expect(apply(.softplus, [infinity, -infinity]) == [infinity, 0])
    #expect(apply(.tanh, [infinity, -infinity, 0]) == [1, -1, 0])
    for function in ScalarFunction.allCases { #expect(apply(function, [.nan])[0].isNaN) }
    #expect(apply(.log, [-1])[0].isNaN)
  }

  @Test func `a function of a number does not depend on its place`() {
    let x = (0..<77).map { Float($0) * 0.37 - 14 }
    for function in ScalarFunction.allCases where function != .log {
      let y = apply(function, x)
      for start in [1, 7, 60] { #expect(apply(function, Array(x[start...])) == Array(y[start...])) }
    }
  }
}
