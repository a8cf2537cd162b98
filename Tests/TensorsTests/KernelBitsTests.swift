import Foundation
import Testing

/// The kernels, built as C alone with the toolchain's clang for several processors, on the same inputs (`Bits/kernel_bits.c`).
@Suite(.enabled(if: runsOnIntel, "the other processor is told by an emulator of Arm"))
struct KernelBitsTests {
  private static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private static let kernels = here.appending(path: "../../Sources/CKernels").standardizedFileURL
  private static let program = here.appending(path: "Bits/kernel_bits.c")

  /// What one build printed.
  private struct Results {
    let set: String
    /// A kernel's name and case, and its numbers in hexadecimal.
    let lines: [(name: String, numbers: [Substring])]

    init(_ text: String) {
      let lines = text.split(separator: "\n")
      set = String(lines.first ?? "")
      self.lines = lines.dropFirst().map { line in
        let words = line.split(separator: " ")
        let isNumber: (Substring) -> Bool = { [8, 16].contains($0.count) && $0.allSatisfy { $0.isHexDigit } }
        return (words.prefix { !isNumber($0) }.joined(separator: " "), Array(words.drop { !isNumber($0) }))
      }
    }
  }

  /// Builds the program with these options, runs it and reads what it prints.
  private static func results(_ options: [String], under emulator: [String] = []) throws -> Results {
    let folder = FileManager.default.temporaryDirectory.appending(path: "kernel-bits-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let binary = folder.appending(path: "kernel_bits").path
    let sources = try FileManager.default.contentsOfDirectory(atPath: kernels.path).filter { $0.hasSuffix(".c") }.sorted()
    let compiler = ["clang", "-O2", "-I", kernels.appending(path: "include").path] + options
    _ = try run(compiler + [program.path] + sources.map { kernels.appending(path: $0).path } + ["-lm", "-lpthread", "-o", binary])
    let results = Results(try run(emulator + [binary]))
    try #require(results.lines.count > 50)
    return results
  }

  private static func run(_ command: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardOutput = output
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(command.joined(separator: " "))")
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What this machine's loader picks: on one with AVX-512 the clones for x86-64-v4, else those for v3.
  private static let chosen = Result { try results([]) }

  private func expectSameBits(_ a: Results, _ b: Results) {
    #expect(a.lines.map(\.name) == b.lines.map(\.name))
    for (a, b) in zip(a.lines, b.lines) {
      let differing = zip(a.numbers, b.numbers).filter { $0 != $1 }
      #expect(differing.isEmpty && a.numbers.count == b.numbers.count, "\(a.name): \(differing.count) of \(a.numbers.count) differ")
    }
  }

  @Test func `kernels give the same bits on Arm, and where the loader picks their clones`() throws {
    let chosen = try Self.chosen.get()
    // A processor without fused multiply-add has the baseline, which is another set.
    try #require(["x86-64-v3", "x86-64-v4"].contains(chosen.set))
    let third = try Self.results(["-march=x86-64-v3", "-DFOUNT_BASELINE"])
    let arm = try Self.results(["--target=aarch64-linux-gnu", "-static", "-fuse-ld=lld"], under: ["qemu-aarch64"])
    expectSameBits(chosen, third)
    expectSameBits(third, arm)
  }

  @Test func `the baseline's results are the others' within rounding`() throws {
    let (chosen, baseline) = (try Self.chosen.get(), try Self.results(["-DFOUNT_BASELINE"]))
    #expect(chosen.lines.map(\.name) == baseline.lines.map(\.name))
    var differing = 0
    for (a, b) in zip(chosen.lines, baseline.lines) {
      let (values, others) = (try a.numbers.map(Self.value), try b.numbers.map(Self.value))
      let largest = values.filter(\.isFinite).map(abs).max() ?? 0
      for (value, other) in zip(values, others) {
        let close = value.isFinite ? abs(value - other) <= 1e-5 * max(largest, .leastNormalMagnitude) : "\(value)" == "\(other)"
        #expect(close, "\(a.name): \(value) and \(other)")
      }
      if a.numbers != b.numbers { differing += 1 }
    }
    // It is another set indeed: without this the comparison would say nothing.
    #expect(differing > 20)
  }

  @Test func `every kernel is among them`() throws {
    let header = try String(contentsOf: Self.kernels.appending(path: "include/CKernels.h"), encoding: .utf8)
    let program = try String(contentsOf: Self.program, encoding: .utf8)
    // What computes nothing, and the measure of the machine's peak.
    let others: Set = ["fount_pause", "fount_scratch", "fount_peak_of_6_chains", "fount_peak_of_12_chains"]
    let declared = header.matches(of: /\b(fount_[a-z0-9_]+)\(/).map { String($0.1) }
    #expect(declared.count > 40)
    for kernel in Set(declared).subtracting(others) { #expect(program.contains("\(kernel)("), "\(kernel)") }
  }

  private static func value(_ hexadecimal: Substring) throws -> Double {
    let bits = try #require(UInt64(hexadecimal, radix: 16))
    return hexadecimal.count == 8 ? Double(Float(bitPattern: UInt32(bits))) : Double(bitPattern: bits)
  }
}

private let runsOnIntel: Bool = {
  #if arch(x86_64)
    true
  #else
    false
  #endif
}()
