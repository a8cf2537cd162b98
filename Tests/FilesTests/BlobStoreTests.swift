import Files
import Foundation
import Testing

@Suite struct BlobStoreTests {
  let scratch: ScratchFolder
  let store: BlobStore

  init() throws {
    scratch = try ScratchFolder()
    store = BlobStore(root: "\(scratch.path)/blobs")
  }

  private func stage(_ bytes: [UInt8], _ name: String = "staged") throws -> String {
    let path = "\(scratch.path)/\(name)"
    try Disk.replace(path, with: bytes)
    return path
  }

  @Test func `an adopted file stands under its digest and no longer where it was`() throws {
    let digest = SHA256.of([1, 2, 3])
    try store.adopt(stage([1, 2, 3]), digest: digest)
    #expect(store.path(of: digest) == "\(scratch.path)/blobs/sha256/03/\(digest.hex)")
    #expect(try Disk.read(store.path(of: digest), bytesMax: 3) == [1, 2, 3])
    #expect(try scratch.names() == ["blobs"])
  }

  @Test func `adopting the same bytes again, or after a crash, changes nothing`() throws {
    let digest = SHA256.of([1, 2, 3])
    for _ in 0..<3 { try store.adopt(stage([1, 2, 3]), digest: digest) }
    try store.adopt("\(scratch.path)/staged", digest: digest)
    #expect(try store.all() == [digest])
    #expect(try Disk.read(store.path(of: digest), bytesMax: 3) == [1, 2, 3])
  }

  @Test func `a staged file that is absent is an error where there is no such blob`() {
    let error = #expect(throws: Errno.self) { try store.adopt("\(scratch.path)/absent", digest: SHA256.of([1])) }
    #expect(error?.code == ENOENT)
  }

  @Test func `many threads may adopt the same bytes at once`() throws {
    let bytes = [UInt8](repeating: 5, count: 100_000)
    let digest = SHA256.of(bytes)
    let staged = try (0..<16).map { try stage(bytes, "staged-\($0)") }
    let store = store
    DispatchQueue.concurrentPerform(iterations: staged.count) { index in
      #expect(throws: Never.self) { try store.adopt(staged[index], digest: digest) }
    }
    #expect(try store.all() == [digest])
    #expect(try SHA256.of(file: store.path(of: digest)) == digest)
    #expect(try scratch.names() == ["blobs"])
  }

  @Test func `blobs are listed in order, and a removed one is gone`() throws {
    let digests = try (0..<20).map { (number: UInt8) in
      let digest = SHA256.of([number])
      try store.adopt(stage([number]), digest: digest)
      return digest
    }
    #expect(try store.all() == digests.sorted { $0.hex < $1.hex })
    for _ in 0..<2 { try store.remove(digests[3]) }
    #expect(!store.contains(digests[3]) && store.contains(digests[4]))
    try store.remove(SHA256.of([200, 200]))
    #expect(try store.all().count == 19)
  }
}
