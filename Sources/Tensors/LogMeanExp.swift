import Foundation

/// y = ln of the mean of e^x over the inputs, element by element, in double precision.
///
/// Inputs: one or more of one shape.
package struct LogMeanExp: Primitive {
  package init() {}

  package func shape(of inputs: [[Int]]) -> [Int] { inputs[0] }

  package func forward(_ inputs: [Tensor], into y: inout Tensor, _ team: ThreadTeam) {
    Kernels.update(&y) { index, _ in
      let most = inputs.reduce(-Double.infinity) { max($0, Double($1.scalars[index])) }
      let sum = inputs.reduce(0.0) { $0 + exp(Double($1.scalars[index]) - most) }
      return Float(most + log(sum / Double(inputs.count)))
    }
  }

  package func backward(_ inputs: [Tensor], y: Tensor, dy: inout Tensor, into dInputs: inout [Gradient?], _ team: ThreadTeam) {
    let (scale, slopes) = (1 / Double(inputs.count), dy.scalars)
    for (position, x) in inputs.enumerated() {
      guard let adds = dInputs[position]?.adds else { continue }
      dInputs[position].write {
        Kernels.update(&$0) { index, before in
          let share = scale * exp(Double(x.scalars[index]) - Double(y.scalars[index]))
          return Float(share * Double(slopes[index])) + (adds ? before : 0)
        }
      }
    }
  }

  package static var examples: [PrimitiveExample] {
    [
      PrimitiveExample(LogMeanExp(), [.example(5, in: -3..<3), .example(5, index: 1, in: -3..<3), .example(5, index: 2)]),
      PrimitiveExample(LogMeanExp(), [.example(2, 3)]),
    ]
  }
}
