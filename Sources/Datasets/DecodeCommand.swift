import Files
import Glibc
import JSON

/// `fount decode UPLOAD FOLDER [--format F] [--array A] [--labels L] [--resize HxW] [--memory-bytes N] [--processor-seconds N]
/// [--file-bytes N]`: decodes one upload in a process of its own.
///
/// Before it touches the upload it gives up what it does not need: memory, processor time, file size and core dumps are limited by the
/// kernel, so that whatever an upload makes of the decoder, it ends with this process. One line of JSON on standard output tells the
/// description, or on failure `{"detail", "offset", "kind"}`; a process that a limit kills prints nothing.
package enum DecodeCommand {
  package enum ExitStatus {
    package static let success: Int32 = 0
    /// The arguments are wrong (EX_USAGE).
    package static let wrongArguments: Int32 = 64
    /// The upload is at fault (EX_DATAERR).
    package static let badUpload: Int32 = 65
    /// The server's disk is at fault (EX_IOERR).
    package static let badDisk: Int32 = 74
  }

  /// - Parameter arguments: what follows `decode`.
  /// - Returns: what the process should exit with.
  package static func run(arguments: [String]) -> Int32 {
    let options: Options
    do {
      options = try Options(arguments)
      try options.restrictProcess()
    } catch {
      report(["detail": .string("\(error)"), "offset": nil, "kind": "arguments"])
      return ExitStatus.wrongArguments
    }
    do {
      let description = try decode(upload: options.upload, into: options.folder, options: options.decoding, limits: options.limits)
      report(description.json)
      return ExitStatus.success
    } catch {
      report(error.json)
      return error.kind == .disk ? ExitStatus.badDisk : ExitStatus.badUpload
    }
  }

  private static func report(_ json: JSONValue) {
    print(json.serialized())
    fflush(nil)
  }

  /// What the command line says.
  private struct Options {
    let upload: String
    let folder: String
    var decoding = DecodeOptions()
    /// Address space: decoding takes some 60 MB; the rest is what the program and its libraries map.
    private var memoryBytes = 1 << 30
    /// A 2 GB upload takes some seconds, gzipped some tens.
    private var processorSeconds = 300
    private var fileBytes = 16 << 30

    struct Fault: Error, CustomStringConvertible {
      let description: String
    }

    init(_ arguments: [String]) throws(Fault) {
      var paths: [String] = []
      var rest = arguments[...]
      while let argument = rest.popFirst() {
        guard argument.hasPrefix("--") else {
          paths.append(argument)
          continue
        }
        guard let text = rest.popFirst() else { throw Fault(description: "\(argument) needs a value after it") }
        if try Self.read(argument, text, into: &decoding) { continue }
        guard let value = Int(text), (1...1 << 50).contains(value) else {
          throw Fault(description: "\(argument) needs a whole number of 1 or more")
        }
        switch argument {
        case "--memory-bytes": memoryBytes = value
        case "--processor-seconds": processorSeconds = value
        case "--file-bytes": fileBytes = value
        default: throw Fault(description: "\(argument) is no option of decode")
        }
      }
      guard paths.count == 2 else { throw Fault(description: "an upload and a folder are needed, not \(paths.count) paths") }
      (upload, folder) = (paths[0], paths[1])
    }

    /// False where the argument is none of those that say how to decode.
    private static func read(_ argument: String, _ text: String, into decoding: inout DecodeOptions) throws(Fault) -> Bool {
      switch argument {
      case "--array": decoding.array = text
      case "--labels": decoding.labels = text
      case "--format":
        guard let format = UploadFormat(rawValue: text) else { throw Fault(description: "--format \(text) is no format") }
        decoding.format = format
      case "--resize":
        guard let sides = DecodeOptions.Sides(text) else { throw Fault(description: "--resize \(text) is no HEIGHTxWIDTH") }
        decoding.resize = sides
      default: return false
      }
      return true
    }

    var limits: DecodeLimits {
      var limits = DecodeLimits()
      limits.bytesMax = fileBytes
      limits.processorSecondsMax = processorSeconds
      return limits
    }

    /// Sets the kernel's limits on this process, for good.
    func restrictProcess() throws(Fault) {
      // A write past the limit then fails with EFBIG, which is an error like any other, and does not kill.
      _ = signal(SIGXFSZ, SIG_IGN)
      let headerBytes = 1 << 12
      // The decoder itself stops in time and says so; the kernel's limit is for when it can't.
      let graceSeconds = 5
      do {
        try ResourceLimit.addressSpace.set(bytesBeyondPresent: memoryBytes)
        try ResourceLimit.processorSeconds.set(to: processorSeconds + graceSeconds)
        try ResourceLimit.fileBytes.set(to: fileBytes + headerBytes)
        try ResourceLimit.coreBytes.set(to: 0)
      } catch {
        throw Fault(description: error.description)
      }
    }
  }
}
