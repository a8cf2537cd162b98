/// `fount decode UPLOAD FOLDER`: decodes one upload in a process of its own, under limits that the kernel keeps.
///
/// Prints one line of JSON: the description, or on failure `{"detail", "offset", "kind"}`.
package enum DecodeCommand {
  /// - Returns: what the process should exit with: 0, 64 (wrong arguments), 65 (the upload's fault) or 74 (the disk's).
  package static func run(arguments: [String]) -> Int32 {
    64
  }
}
