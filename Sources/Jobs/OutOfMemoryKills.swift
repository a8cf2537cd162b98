import Files
import Foundation

/// How many processes the kernel has killed for want of memory: a SIGKILL while this grew was one of them, as far as can be told.
package enum OutOfMemoryKills {
  /// Those of our control group where it has a limit of its own to count for, else those of the machine; nil where neither is told.
  package static func count() -> Int? {
    if let group = controlGroup(), let count = count(in: "/sys/fs/cgroup\(group)/memory.events") { return count }
    return count(in: "/proc/vmstat")
  }

  /// Whether there was one since that count; false where it can't be told.
  package static func happened(since before: Int?) -> Bool {
    guard let before, let now = count() else { return false }
    return now > before
  }

  /// The path of our group, of version 2: the line `0::/path` of `/proc/self/cgroup`.
  private static func controlGroup() -> String? {
    lines(of: "/proc/self/cgroup").first { $0.hasPrefix("0::") }.map { String($0.dropFirst(3)) }
  }

  private static func count(in path: String) -> Int? {
    lines(of: path).first { $0.hasPrefix("oom_kill ") }.flatMap { Int($0.dropFirst("oom_kill ".count)) }
  }

  /// The kernel's own files tell no length, and are read in one go.
  private static func lines(of path: String) -> [Substring] {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    // A file that can't be read tells nothing, and the callers say so.
    guard let file = try? OpenFile(reading: path), let count = try? file.read(into: &bytes) else { return [] }
    return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
  }
}
