import Files

/// Turns an upload, told by its content and never by its name, into `FOLDER/examples.npy` and `FOLDER/dataset.json`.
///
/// Takes constant memory whatever the upload's size, labels and one picture apart, and reads it twice at most for its numbers. Either both
/// files are there, whole and on the disk, or neither; what the folder held under those names before is gone either way.
/// - Parameter folder: is there already.
package func decode(
  upload path: String, into folder: String, options: DecodeOptions = DecodeOptions(), limits: DecodeLimits = DecodeLimits()
) throws(DecodeError) -> DatasetDescription {
  let (examples, description) = ("\(folder)/\(DecodedFolder.examplesName)", "\(folder)/\(DecodedFolder.descriptionName)")
  try DecodeError.onDisk { () throws(Errno) in
    try Disk.removeTree(examples)
    try Disk.removeTree(description)
  }
  let decoded = try decodeExamples(of: Upload(path: path, limits: limits), options, to: examples)
  do {
    try Disk.replace(description, with: decoded.json.serializedBytes() + [UInt8(ascii: "\n")])
  } catch {
    // Examples without a description are nothing; if they can't be removed, the folder's owner removes them with it.
    try? Disk.removeTree(examples)
    throw DecodeError(disk: error)
  }
  return decoded
}

private func decodeExamples(of upload: Upload, _ options: DecodeOptions, to path: String) throws(DecodeError) -> DatasetDescription {
  let format = try Sniffing.format(of: upload, wanted: options.format)
  try options.check(format)
  switch format {
  case .idx, .npy: return try ArrayDecoder.decode(ArraySource(upload: upload, place: .whole), as: format, labels: nil, to: path)
  case .npz: return try NamedArrays(archive: upload).decode(upload, options, to: path)
  case .safetensors: return try NamedArrays(safetensors: upload).decode(upload, options, to: path)
  case .csv: return try CSVDecoder.decode(upload, options, to: path)
  case .images: return try PictureArchive.decode(upload, options, to: path)
  case .cifar10, .cifar100: return try (format == .cifar10 ? CIFAR.ten : CIFAR.hundred).decode(upload, options, to: path)
  }
}
