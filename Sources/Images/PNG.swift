/// A picture as a PNG file: 8-bit grey or RGB, the same bytes for the same picture and text.
/// - Parameter text: iTXt chunks, in order; a keyword is 1 to 79 printable ASCII characters.
package func encodePNG(_ picture: Picture, text: [(keyword: String, text: String)] = []) -> [UInt8] {
  []
}
