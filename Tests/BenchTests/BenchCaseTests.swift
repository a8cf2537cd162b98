import Foundation
import Tensors
import Testing
import fount

/// The networks that are measured are the largest that the core is tried on.
struct BenchCaseTests {
  private static let training = BenchCase.all.filter { $0.what == "train_step" }.map(\.name)
  private static let sampling = BenchCase.all.filter { $0.what == "sample" }.map(\.name)
  /// 3 steps show a race or an order that depends on threads as 200 do, which take minutes: BENCH_STEPS=200 asks for them.
  private static let steps = ProcessInfo.processInfo.environment["BENCH_STEPS"].flatMap { Int($0) } ?? 3

  private func work(_ name: String, _ what: String, threads: Int) throws -> () -> [Tensor] {
    try #require(BenchCase.all.first { $0.name == name && $0.what == what }).prepare(ThreadTeam(count: threads))
  }

  @Test(arguments: training)
  func `weights have the same bytes after some steps with any team`(name: String) throws {
    let trained = try [1, 2, 4].map { threads in
      let step = try work(name, "train_step", threads: threads)
      for _ in 1..<Self.steps { _ = step() }
      return step()
    }
    #expect(trained[0].isEmpty == false && trained[0].allSatisfy { $0.scalars.allSatisfy(\.isFinite) })
    for other in trained[1...] { #expect(other == trained[0]) }
  }

  @Test(arguments: sampling)
  func `samples have the same bytes with any team`(name: String) throws {
    let samples = try [1, 2, 4].map { try work(name, "sample", threads: $0)() }
    for other in samples[1...] { #expect(other == samples[0]) }
    let bits = samples[0].flatMap(\.scalars)
    #expect(Set(bits) == [0, 1])
  }

  @Test(arguments: ["made_784_500_b100", "nade_784_500_b100", "vae_784_400_20_b128", "rbm_784_500_cd1_b100"])
  func `a step gives tensors no memory after the first`(name: String) throws {
    let step = try work(name, "train_step", threads: 2)
    _ = step()
    for _ in 0..<3 { #expect(Allocations.count { _ = step() } == 0) }
  }
}
