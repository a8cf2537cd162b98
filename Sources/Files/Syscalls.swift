// The calls of the kernel that this module makes, each with one wrapper of the same meaning: EINTR retried, a failure thrown as
// `Errno`. The only file here, beside the one over OpenSSL, where raw pointers live; none outlives the call that it was lent to.
import Glibc

/// The kernel's words for a code (strerror; thread-safe in glibc since 2.32).
func text(ofErrno code: Int32) -> String {
  guard let text = unsafe strerror(code) else { return "unknown error" }
  return unsafe String(cString: text)
}

/// Makes a call until a signal no longer interrupts it; -1 is its failure.
private func retrying<Result: FixedWidthInteger>(
  _ operation: String, _ path: String, _ call: () -> Result
) throws(Errno) -> Result {
  while true {
    let result = call()
    if result != -1 { return result }
    let code = errno
    if code != EINTR { throw Errno(code: code, operation: operation, path: path) }
  }
}

/// Sets a limit of this process: the one that it is told of, and the one that nothing raises again. (setrlimit)
func setLimit(_ resource: __rlimit_resource_t, soft: rlim_t, hard: rlim_t, name: String) throws(Errno) {
  var limit = rlimit(rlim_cur: soft, rlim_max: hard)
  guard unsafe setrlimit(resource, &limit) == 0 else { throw Errno(code: errno, operation: "setrlimit", path: name) }
}

/// An open file and the path that it was opened by. Closed when it goes out of scope.
package struct OpenFile: ~Copyable {
  package let path: String
  let descriptor: Int32

  private init(_ path: String, _ flags: Int32, permissions: mode_t = 0o666) throws(Errno) {
    descriptor = try retrying("open", path) { unsafe open(path, flags | O_CLOEXEC, permissions) }
    self.path = path
  }

  package init(reading path: String) throws(Errno) { self = try OpenFile(path, O_RDONLY) }

  /// A new file, for writing and reading back; one of that name is refused with EEXIST.
  package init(creating path: String) throws(Errno) { self = try OpenFile(path, O_RDWR | O_CREAT | O_EXCL) }

  /// For adding lines at the end, as logs and events are written; made when absent.
  package init(appending path: String) throws(Errno) { self = try OpenFile(path, O_WRONLY | O_CREAT | O_APPEND) }

  /// A file to lock, made when absent.
  init(locking path: String) throws(Errno) { self = try OpenFile(path, O_RDWR | O_CREAT) }

  init(folder path: String) throws(Errno) { self = try OpenFile(path, O_RDONLY | O_DIRECTORY) }

  // The result of close is not looked at: what must be on disk went through `sync` before. EINTR closes on Linux all the same.
  deinit { _ = Glibc.close(descriptor) }

  /// Reads what is there next into `bytes` from index `start` on; 0 is the end of the file. (read)
  package func read(into bytes: inout [UInt8], from start: Int = 0) throws(Errno) -> Int {
    precondition((0...bytes.count).contains(start), "reading to index \(start) of \(bytes.count) bytes")
    return try retrying("read", path) {
      unsafe bytes.withUnsafeMutableBytes {
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[start...])
        return unsafe Glibc.read(descriptor, rest.baseAddress, rest.count)
      }
    }
  }

  /// Reads what is there from `offset` on into `bytes`, the part `range` alone; 0 is past the end. (pread)
  package func read(into bytes: inout [UInt8], _ range: Range<Int>, at offset: Int) throws(Errno) -> Int {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "reading to \(range) of \(bytes.count) bytes")
    return try retrying("read", path) {
      unsafe bytes.withUnsafeMutableBytes {
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[range])
        return unsafe pread(descriptor, part.baseAddress, part.count, offset)
      }
    }
  }

  /// Writes every byte, at the file's own position. (write)
  package func write(_ bytes: Span<UInt8>) throws(Errno) {
    try unsafe bytes.withUnsafeBytes { (bytes) throws(Errno) in
      var done = 0
      while done < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
        done += try retrying("write", path) { unsafe Glibc.write(descriptor, rest.baseAddress, rest.count) }
      }
    }
  }

  /// Writes every byte from `offset` on. (pwrite)
  package func write(_ bytes: Span<UInt8>, at offset: Int) throws(Errno) {
    try unsafe bytes.withUnsafeBytes { (bytes) throws(Errno) in
      var done = 0
      while done < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
        done += try retrying("write", path) { unsafe pwrite(descriptor, rest.baseAddress, rest.count, offset + done) }
      }
    }
  }

  /// Returns when what was written is on the disk. (fsync)
  package func sync() throws(Errno) { _ = try retrying("fsync", path) { fsync(descriptor) } }

  /// (fstat)
  package func status() throws(Errno) -> FileStatus {
    var found = stat()
    _ = try retrying("fstat", path) { unsafe fstat(descriptor, &found) }
    return FileStatus(found)
  }

  /// Takes a write lock on the whole file for this process, if no other has one. (fcntl F_SETLK)
  func tryLocking() throws(Errno) -> Bool {
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    do {
      _ = try retrying("lock", path) { unsafe fcntl(descriptor, F_SETLK, &lock) }
      return true
    } catch  where error.code == EAGAIN || error.code == EACCES {
      return false
    }
  }

  /// The process, not this one, that holds a write lock on the file. (fcntl F_GETLK)
  func lockHolder() throws(Errno) -> pid_t? {
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    _ = try retrying("lock", path) { unsafe fcntl(descriptor, F_GETLK, &lock) }
    return lock.l_type == Int16(F_UNLCK) ? nil : lock.l_pid
  }

  /// The first `count` bytes of the file in memory, to be read alone. (mmap PROT_READ, MAP_SHARED)
  func map(count: Int) throws(Errno) -> Mapping {
    guard count > 0 else { return unsafe Mapping(bytes: UnsafeRawBufferPointer(start: nil, count: 0)) }
    let address = unsafe mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0)
    guard unsafe address != MAP_FAILED, let address = unsafe address else {
      throw Errno(code: errno, operation: "mmap", path: path)
    }
    return unsafe Mapping(bytes: UnsafeRawBufferPointer(start: address, count: count))
  }
}

/// Mapped pages, given back when it goes out of scope. (munmap)
@safe struct Mapping: ~Copyable, @unchecked Sendable {  // Sendable: nothing ever writes to the pages.
  private let bytes: UnsafeRawBufferPointer

  fileprivate init(bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

  deinit {
    guard let address = unsafe bytes.baseAddress else { return }
    _ = unsafe munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
  }

  var count: Int { unsafe bytes.count }

  func withBytes<Result: ~Copyable, Failure: Error>(_ body: (Span<UInt8>) throws(Failure) -> Result) throws(Failure) -> Result {
    try unsafe body(Span(_unsafeElements: bytes.bindMemory(to: UInt8.self)))
  }
}

/// What a path is.
package struct FileStatus: Sendable {
  package let bytes: Int
  package let isFolder: Bool
  /// When its name, or anything else about it, was last changed, seconds since 1970 by the time of day (st_ctime).
  package let changedAt: Int
  package let version: FileVersion
  var identity: FileIdentity { version.identity }

  init(_ found: stat) {
    bytes = Int(found.st_size)
    isFolder = found.st_mode & S_IFMT == S_IFDIR
    changedAt = found.st_ctim.tv_sec
    version = FileVersion(
      identity: FileIdentity(device: found.st_dev, number: found.st_ino), bytes: Int(found.st_size),
      writtenAt: [found.st_mtim.tv_sec, found.st_mtim.tv_nsec])
  }
}

/// A file as it was when it was looked at: another one, or the same written to since, is another version.
package struct FileVersion: Hashable, Sendable {
  let identity: FileIdentity
  let bytes: Int
  /// Seconds and nanoseconds (st_mtim).
  let writtenAt: [Int]
}

/// What makes two paths one file.
struct FileIdentity: Hashable, Sendable {
  let device: dev_t
  let number: ino_t
}

/// Calls on paths; `Disk` builds on them.
enum PathCalls {
  /// Never follows a link at the end of the path. (lstat)
  static func status(of path: String) throws(Errno) -> FileStatus {
    var found = stat()
    _ = try retrying("stat", path) { unsafe lstat(path, &found) }
    return FileStatus(found)
  }

  /// (statvfs)
  static func freeBytes(at path: String) throws(Errno) -> Int {
    var found = statvfs()
    _ = try retrying("statvfs", path) { unsafe statvfs(path, &found) }
    let (bytes, overflow) = Int(clamping: found.f_bavail).multipliedReportingOverflow(by: Int(clamping: found.f_frsize))
    return overflow ? .max : bytes
  }

  /// A second name for a file. (link)
  static func link(_ path: String, as name: String) throws(Errno) {
    _ = try retrying("link", "\(path) to \(name)") { unsafe Glibc.link(path, name) }
  }

  static func makeFolder(_ path: String) throws(Errno) { _ = try retrying("mkdir", path) { unsafe mkdir(path, 0o777) } }

  static func rename(_ from: String, to path: String) throws(Errno) {
    _ = try retrying("rename", "\(from) to \(path)") { unsafe Glibc.rename(from, path) }
  }

  static func removeFile(_ path: String) throws(Errno) { _ = try retrying("unlink", path) { unsafe unlink(path) } }

  static func removeFolder(_ path: String) throws(Errno) { _ = try retrying("rmdir", path) { unsafe rmdir(path) } }

  /// The names in a folder, `.` and `..` left out, in no order. (opendir, readdir)
  static func names(in folder: String) throws(Errno) -> [String] {
    guard let stream = unsafe opendir(folder) else { throw Errno(code: errno, operation: "opendir", path: folder) }
    defer { _ = unsafe closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw Errno(code: errno, operation: "readdir", path: folder) }
    return names
  }
}
