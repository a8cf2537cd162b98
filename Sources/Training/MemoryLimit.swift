import Foundation

/// The most memory that this process may have.
enum MemoryLimit {
  /// RLIMIT_DATA: what the process allocates (Linux 4.7 and later count every private writable mapping). Mapped datasets are left out,
  /// since their pages are the kernel's to drop, as RLIMIT_AS would not leave them.
  static func set(bytesMax: Int?) {
    guard let bytesMax, bytesMax > 0 else { return }
    // A refusal leaves the limit that the parent set, which is no reason not to work.
    var limit = rlimit(rlim_cur: rlim_t(bytesMax), rlim_max: rlim_t(bytesMax))
    _ = setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
  }
}
