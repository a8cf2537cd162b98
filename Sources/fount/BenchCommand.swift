import ArgumentParser
import JSON
import Tensors

/// `fount bench`: how fast the model core is on this machine, case by case.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures training steps, sampling and kernels; one JSON line a case.",
    discussion: "Cases: " + BenchCase.all.map(\.name).joined(separator: ", "))

  @Argument(help: "The case, or the beginning of the names of some; without it all run.") var name = ""
  @Option(help: "How many threads work.") var threads = 1
  @Option(help: "How long each case is repeated.") var seconds = 4.0

  func validate() throws {
    guard BenchCase.all.contains(where: { $0.name.hasPrefix(name) }) else { throw ValidationError("no case is named \(name)") }
    guard (1...1024).contains(threads) else { throw ValidationError("1 to 1024 threads, not \(threads)") }
    guard seconds > 0, seconds <= 3600 else { throw ValidationError("up to an hour, not \(seconds) seconds") }
  }

  func run() throws {
    let team = ThreadTeam(count: threads)
    for benchCase in BenchCase.all where benchCase.name.hasPrefix(name) {
      let work = benchCase.prepare(team)
      // The peak before and after, since the machine's frequency is not the same all the time.
      let before = PeakRate.measured(team)
      let times = Timings(of: { _ = work() }, seconds: seconds)
      let peak = max(before, PeakRate.measured(team))
      print(line(benchCase, times, peak: peak).serialized())
    }
  }

  private func line(_ benchCase: BenchCase, _ times: Timings, peak: Double) -> JSONValue {
    let rate = benchCase.operations / times.median
    var members: JSONObject = [
      "case": .string(benchCase.name), "what": .string(benchCase.what), "threads": .integer(threads), "n": .integer(times.count),
      "kernels": .string(Kernels.set),
    ]
    for (key, number) in [
      ("median_ms", times.median * 1e3), ("min_ms", times.minimum * 1e3), ("p90_ms", times.ninetieth * 1e3), ("gflops", rate / 1e9),
      ("peak_gflops", peak / 1e9), ("share_of_peak", rate / peak),
    ] {
      members[key] = .number((number * 1e4).rounded() / 1e4)
    }
    return .object(members)
  }
}

/// How long a piece of work takes, repeated.
private struct Timings {
  /// Seconds, ascending.
  private let sorted: [Double]

  init(of work: () -> Void, seconds: Double) {
    let clock = ContinuousClock()
    // The first runs make what later ones find.
    for _ in 0..<3 { work() }
    var times: [Double] = []
    let end = clock.now.advanced(by: .seconds(seconds))
    while times.count < 5 || clock.now < end {
      let time = clock.measure(work)
      times.append(Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18)
    }
    sorted = times.sorted()
  }

  var count: Int { sorted.count }
  var minimum: Double { sorted[0] }
  var median: Double { sorted[sorted.count / 2] }
  var ninetieth: Double { sorted[sorted.count * 9 / 10] }
}

/// What the processors give when they do nothing but fused multiply-adds.
private enum PeakRate {
  /// Operations a second of all the team's threads together, a multiply-add being two.
  static func measured(_ team: ThreadTeam) -> Double {
    Kernels.FusedChains.allCases.map { chains in
      let rounds = 400_000
      let operations = Double(team.count * rounds * chains.rawValue * 16 * 2)
      let times = Timings(
        of: { team.forEachBlock(of: team.count) { _ in _ = Kernels.multiplyAndAdd(chains: chains, rounds: rounds) } }, seconds: 0.05)
      return operations / times.minimum
    }.max() ?? 0
  }
}
