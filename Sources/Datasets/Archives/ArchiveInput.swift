import CArchive
import Glibc

/// What libarchive reads from. A class, for libarchive holds its address.
@safe final class ArchiveInput {
  let source: any ByteSource
  private var part = [UInt8](repeating: 0, count: 1 << 16)
  /// Where libarchive finds what was read last: the address must hold until it asks for more.
  private let lent: UnsafeMutableRawBufferPointer
  private(set) var failure: DecodeError?
  /// How many of the last bytes given were 0.
  private(set) var zerosAtEnd = 0
  /// Bytes given so far; of a file that is jumped in, its length.
  private var bytesRead = 0

  init(_ source: any ByteSource) {
    self.source = source
    unsafe lent = .allocate(byteCount: 1 << 16, alignment: 16)
  }

  deinit { unsafe lent.deallocate() }

  var bytesTaken: Int { (source as? FileSource)?.bytes ?? bytesRead }

  /// - Parameter archive: goes before this object does.
  func attach(to archive: OpaquePointer) {
    unsafe archive_read_set_callback_data(archive, Unmanaged.passUnretained(self).toOpaque())
    unsafe archive_read_set_read_callback(archive) { _, context, bytes in
      guard let input = unsafe ArchiveInput.of(context) else { return -1 }
      let count = input.read()
      unsafe bytes?.pointee = unsafe UnsafeRawPointer(input.lent.baseAddress)
      return count
    }
    guard source is FileSource else { return }
    unsafe archive_read_set_skip_callback(archive) { _, context, count in unsafe ArchiveInput.of(context)?.skip(count) ?? 0 }
    unsafe archive_read_set_seek_callback(archive) { _, context, offset, whence in
      unsafe ArchiveInput.of(context)?.seek(offset, whence) ?? Int64(ARCHIVE_FATAL)
    }
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> ArchiveInput? {
    unsafe context.map { unsafe Unmanaged<ArchiveInput>.fromOpaque($0).takeUnretainedValue() }
  }

  private func read() -> Int {
    do {
      let count = try source.read(into: &part, from: 0)
      unsafe part.withUnsafeBytes { unsafe lent.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      bytesRead += count
      let zeros = part[..<count].reversed().prefix { $0 == 0 }.count
      zerosAtEnd = zeros == count ? zerosAtEnd + count : zeros
      return count
    } catch {
      failure = error
      return -1
    }
  }

  private func skip(_ count: Int64) -> Int64 {
    guard let file = source as? FileSource else { return 0 }
    let before = file.position
    file.seek(to: before + Int(clamping: min(count, Int64(file.bytes))))
    return Int64(file.position - before)
  }

  private func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
    guard let file = source as? FileSource else { return Int64(ARCHIVE_FATAL) }
    let start = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.position : file.bytes
    let (place, overflows) = start.addingReportingOverflow(Int(offset))
    guard !overflows, (0...file.bytes).contains(place) else { return Int64(ARCHIVE_FATAL) }
    file.seek(to: place)
    return Int64(place)
  }
}
