import Glibc

/// A limit that the kernel keeps on this process, for good (setrlimit(2)).
package enum ResourceLimit: String {
  /// Everything mapped, libraries and files too, bytes.
  case addressSpace = "RLIMIT_AS"
  /// What the process allocates: every private writable mapping (Linux 4.7 and later), bytes. Files mapped for reading are left out, since
  /// their pages are the kernel's to drop.
  case data = "RLIMIT_DATA"
  case processorSeconds = "RLIMIT_CPU"
  case fileBytes = "RLIMIT_FSIZE"
  case coreBytes = "RLIMIT_CORE"

  /// Sets the limit, the hard one too, so that nothing raises it again.
  package func set(to value: Int) throws(Errno) {
    try set(to: value, graceBeyond: 0)
  }

  /// Sets a limit of which the kernel first tells, as SIGXCPU tells of the processor time that is used up, and the limit that it enforces
  /// without a word so much later.
  package func set(to value: Int, graceBeyond grace: Int) throws(Errno) {
    precondition(value >= 0 && grace >= 0, "a limit of \(value) and \(grace)")
    let (hard, overflow) = value.addingReportingOverflow(grace)
    try setLimit(resource, soft: rlim_t(value), hard: rlim_t(overflow ? .max : hard), name: "\(rawValue) \(value)")
  }

  /// Limits memory to so many bytes beyond what the program and its libraries take by themselves, which under a sanitizer is terabytes.
  /// Where that can't be told the limit is tighter by so much.
  package func set(bytesBeyondPresent bytes: Int) throws(Errno) {
    let (limit, overflow) = presentBytes().addingReportingOverflow(bytes)
    try set(to: overflow ? .max : limit)
  }

  /// What counts against the limit now (proc(5), statm), 0 where that can't be told or is not memory.
  package func presentBytes() -> Int {
    var text = [UInt8](repeating: 0, count: 256)
    // Without /proc the limit is tighter, as told above.
    guard let field = statmField, let count = try? OpenFile(reading: "/proc/self/statm").read(into: &text) else { return 0 }
    let fields = String(decoding: text[..<count], as: UTF8.self).split(separator: " ")
    guard fields.indices.contains(field), let pages = Int(fields[field]) else { return 0 }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// `size`, or `data`, which counts the stack too.
  private var statmField: Int? {
    switch self {
    case .addressSpace: 0
    case .data: 5
    case .processorSeconds, .fileBytes, .coreBytes: nil
    }
  }

  private var resource: __rlimit_resource_t {
    let code =
      switch self {
      case .addressSpace: RLIMIT_AS
      case .data: RLIMIT_DATA
      case .processorSeconds: RLIMIT_CPU
      case .fileBytes: RLIMIT_FSIZE
      case .coreBytes: RLIMIT_CORE
      }
    return __rlimit_resource_t(code.rawValue)
  }
}
