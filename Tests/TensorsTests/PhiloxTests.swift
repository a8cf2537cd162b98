import Foundation
import Tensors
import Testing

struct PhiloxTests {
  /// The known answers of Random123's `kat_vectors` for philox4x32-10.
  @Test(
    arguments: [
      (
        [0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
      ),
      (
        [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
        [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
      ),
      (
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
      ),
    ] as [([UInt32], [UInt32], [UInt32])])
  func `blocks are those of the published vectors`(counter: [UInt32], key: [UInt32], expected: [UInt32]) {
    let philox = Philox(seed: UInt64(key[1]) << 32 | UInt64(key[0]))
    let block = philox.block(
      Philox.Stream(counter[3]), step: Int(counter[2]), example: Int(counter[1]), index: Int(counter[0]))
    #expect([block.0, block.1, block.2, block.3] == expected)
  }

  @Test func `a row of uniforms holds the numbers of its sites`() {
    let philox = Philox(seed: 0x1234_5678_9abc_def0)
    let rows = Tensor(uniform: 103, .noise, step: 7, examples: [5, 9], using: philox)
    for (row, example) in [5, 9].enumerated() {
      #expect(Array(rows.row(row)) == (0..<103).map { philox.uniform(.noise, step: 7, example: example, site: $0) })
    }
    #expect(rows.scalars.allSatisfy { (0..<1).contains($0) })
  }

  @Test func `uniforms have the mean, variance and neighbours of uniforms`() {
    let numbers = Tensor(uniform: 200_000, .noise, examples: [0], using: Philox(seed: 3)).scalars.map { Double($0) - 0.5 }
    let n = Double(numbers.count)
    // Four standard errors: 1/√12 and 1/√180 and 1/12 of a number.
    #expect(abs(numbers.reduce(0, +) / n) < 4 * 0.2887 / n.squareRoot())
    #expect(abs(numbers.reduce(0) { $0 + $1 * $1 } / n - 1 / 12) < 4 * 0.0745 / n.squareRoot())
    #expect(abs(zip(numbers, numbers.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / n) < 4 / 12 / n.squareRoot())
  }

  @Test func `a permutation holds every number once, and another step gives another one`() {
    let philox = Philox(seed: 1)
    let first = philox.permutation(of: 1000, .shuffling, step: 0)
    #expect(first.sorted() == Array(0..<1000))
    #expect(first == philox.permutation(of: 1000, .shuffling, step: 0))
    #expect(first != philox.permutation(of: 1000, .shuffling, step: 1))
    #expect(philox.permutation(of: 0, .shuffling).isEmpty && philox.permutation(of: 1, .shuffling) == [0])
  }

  @Test func `normal numbers are those of Box and Muller in double precision`() {
    let philox = Philox(seed: 9)
    let rows = Tensor(normal: 517, .noise, step: 2, examples: [4, 1], using: philox)
    for (row, example) in [4, 1].enumerated() {
      for (site, found) in rows.row(row).enumerated() {
        let words = philox.block(.noise, step: 2, example: example, index: site / 4)
        let (first, second) = site % 4 < 2 ? (words.0, words.1) : (words.2, words.3)
        let radius = (-2 * log((Double(first >> 1) + 0.5) * 0x1p-31)).squareRoot()
        let angle = 2 * Double.pi * Double(second >> 8) * 0x1p-24
        #expect(abs(Double(found) - radius * (site % 2 == 0 ? cos(angle) : sin(angle))) < 2e-6)
      }
    }
    #expect(Tensor(normal: 100, .noise, step: 2, examples: [1], using: philox).row(0) == rows.row(1).prefix(100))
  }

  @Test func `normal numbers have the moments of normals`() {
    let numbers = Tensor(normal: 200_000, .noise, examples: [0], using: Philox(seed: 3)).scalars.map { Double($0) }
    let n = Double(numbers.count)
    // Four standard errors: of a mean 1, of a square √2, of a cube √15, of a fourth power √96.
    for (power, expected, deviation) in [(1, 0.0, 1.0), (2, 1, 1.4143), (3, 0, 3.873), (4, 3, 9.798)] {
      let moment = numbers.reduce(0) { $0 + pow($1, Double(power)) } / n
      #expect(abs(moment - expected) < 4 * deviation / n.squareRoot())
    }
  }

  @Test func `classes come as often as their softmax says, and by their row's uniform alone`() {
    let rows = 20_000
    let logits: [Float] = [0, 1, -.infinity, 2, -1]
    let all = Tensor(shape: [rows, 5], scalars: (0..<rows).flatMap { _ in logits })
    let uniforms = Tensor(uniform: 1, .sampling, examples: Array(0..<rows), using: Philox(seed: 8))
    let classes = Kernels.categorical(logits: all, uniforms: uniforms, ThreadTeam(count: 2))
    let whole = logits.reduce(0) { $0 + exp(Double($1)) }
    for (index, logit) in logits.enumerated() {
      let p = exp(Double(logit)) / whole
      let share = Double(classes.scalars.filter { $0 == Float(index) }.count) / Double(rows)
      #expect(abs(share - p) <= 4 * (p * (1 - p) / Double(rows)).squareRoot())
    }
    for row in [0, 77, rows - 1] {
      let one = Kernels.categorical(logits: all.rows(row..<row + 1), uniforms: uniforms.rows(row..<row + 1), .alone)
      #expect(one.scalars == [classes.scalars[row]])
    }
    let edges = Kernels.categorical(
      logits: Tensor(shape: [2, 3], scalars: [-.infinity, 0, 0, 0, 0, -.infinity]),
      uniforms: Tensor(shape: [2], scalars: [0, 0x1.fffffep-1]), .alone)
    #expect(edges.scalars == [1, 1])
  }
}
