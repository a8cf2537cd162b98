/// A mask of a layer whose inputs and outputs are sorted so that it is a staircase: output c sees the inputs 0..<live[c], and no output
/// sees fewer than the one before it. Products skip what lies above the stairs.
package struct Staircase: Sendable, Hashable {
  /// How many inputs there are.
  package let inputs: Int
  /// How many of them each output sees, ascending.
  package let live: [Int]
  /// The first output that sees each input; the number of outputs where none does.
  package let first: [Int]
  let live32: [Int32]

  package init(inputs: Int, live: [Int]) {
    precondition(live.allSatisfy { (0...inputs).contains($0) }, "an output sees 0 to \(inputs) inputs")
    precondition(zip(live, live.dropFirst()).allSatisfy { $0 <= $1 }, "a staircase never goes down")
    precondition(inputs <= Int(Int32.max), "\(inputs) inputs are more than a staircase counts")
    self.inputs = inputs
    self.live = live
    live32 = live.map { Int32($0) }
    var output = 0
    first = (0..<inputs).map { input in
      while output < live.count, live[output] <= input { output += 1 }
      return output
    }
  }

  package var outputs: Int { live.count }
}
