import Files
import Testing

@Suite struct DigestTests {
  /// FIPS 180-4's examples, from NIST's page of example values.
  @Test func `digests are those of the standard's examples`() {
    #expect(SHA256.of([]).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(SHA256.of(Array("abc".utf8)).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    #expect(SHA256.of(Array(long.utf8)).hex == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }

  @Test func `a file's digest is what sha256sum prints`() throws {
    let scratch = try ScratchFolder()
    let path = "\(scratch.path)/a"
    for count in [0, 1, 63, 64, 262_144, 1_000_003] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
      try Disk.replace(path, with: bytes)
      #expect(try SHA256.of(file: path).hex == output(of: "/usr/bin/sha256sum", [path]).prefix(64))
    }
  }

  @Test func `bytes in pieces have the digest of the whole, and a copy goes its own way`() {
    var hash = SHA256()
    hash.update(Array("ab".utf8))
    var copy = hash
    hash.update(Array("c".utf8))
    copy.update(Array("d".utf8))
    #expect(hash.finish() == SHA256.of(Array("abc".utf8)))
    #expect(hash.finish() == SHA256.of(Array("abc".utf8)))
    #expect(copy.finish() == SHA256.of(Array("abd".utf8)))
  }

  @Test func `hex goes back and forth, and what is no digest is refused`() {
    let digest = SHA256.of([1])
    #expect(Digest(hex: digest.hex) == digest)
    #expect(Digest(bytes: digest.bytes) == digest)
    for wrong in ["", "00", digest.hex.uppercased(), digest.hex + "0", String(digest.hex.dropLast()) + "é"] {
      #expect(Digest(hex: wrong) == nil)
    }
    #expect(Digest(bytes: [1]) == nil)
  }

  @Test func `identifiers are well formed, and all different`() {
    let ids = (0..<10_000).map { _ in Identifier.random(prefix: "job") }
    #expect(Set(ids).count == ids.count)
    #expect(ids.allSatisfy { Identifier.isWellFormed($0, prefix: "job") && $0.utf8.count == 20 })
    for wrong in [
      "", "job_", "mdl_aaaaaaaaaaaaaaaa", "job_AAAAAAAAAAAAAAAA", "job_aaaaaaaaaaaaaaa", "job_../../../etc/pas", "job_aaaaaaaaaaaaaaa1",
    ] {
      #expect(!Identifier.isWellFormed(wrong, prefix: "job"))
    }
  }

  /// The text is what `base32` of coreutils prints for the first ten bytes, in lower case.
  @Test func `an identifier derived from a digest is always the same`() {
    let digest = SHA256.of(Array("abc".utf8))
    #expect(Identifier.derived(prefix: "ds", from: digest) == "ds_xj4bnp4pahh6uqkb")
    #expect(Identifier.derived(prefix: "ds", from: SHA256.of([])) != Identifier.derived(prefix: "ds", from: digest))
  }
}
