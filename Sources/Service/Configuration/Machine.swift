import Foundation

/// What the defaults that are called `auto` depend on.
package struct Machine: Sendable {
  package var cores: Int
  package var memoryBytes: Int

  package init(cores: Int, memoryBytes: Int) {
    precondition(cores >= 1 && memoryBytes >= 0, "a machine of \(cores) cores and \(memoryBytes) bytes")
    self.cores = cores
    self.memoryBytes = memoryBytes
  }

  package static var this: Machine {
    Machine(
      cores: max(1, ProcessInfo.processInfo.activeProcessorCount),
      memoryBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory))
  }
}
