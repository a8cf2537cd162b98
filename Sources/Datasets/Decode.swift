import Files

/// Turns an upload, told by its content and never by its name, into `FOLDER/examples.npy` and `FOLDER/dataset.json`.
///
/// Takes constant memory whatever the upload's size. Either both files are there, whole and on the disk, or neither.
/// - Parameter folder: is there already.
package func decode(
  upload path: String, into folder: String, limits: DecodeLimits = DecodeLimits()
) throws(DecodeError) -> DatasetDescription {
  throw DecodeError(.unsupported, "the upload", "is of no known format")
}
