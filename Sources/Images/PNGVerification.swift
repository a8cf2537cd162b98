/// What is wrong with a PNG file, as far as its chunks tell; nil where the signature, every length and every checksum are right and the
/// last chunk is the last (PNG §5.2 to §5.6). The pixels are not decompressed: their bytes are under the checksums.
package func faultOfPNG(_ bytes: [UInt8]) -> String? {
  guard bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) else { return "it does not begin as a PNG" }
  var index = 8
  while index < bytes.count {
    guard bytes.count - index >= 12 else { return "it is cut off at byte \(bytes.count)" }
    let length = number(bytes[index..<index + 4])
    guard length <= bytes.count - index - 12 else { return "it is cut off at byte \(bytes.count)" }
    let end = index + 8 + length
    guard number(bytes[end..<end + 4]) == Int(Zlib.crc32(Array(bytes[index + 4..<end]))) else {
      return "the checksum of its chunk at byte \(index) is wrong"
    }
    if bytes[index + 4..<index + 8].elementsEqual("IEND".utf8) { return end + 4 == bytes.count ? nil : "it goes on after its end" }
    index = end + 4
  }
  return "it is cut off at byte \(bytes.count)"
}

private func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
