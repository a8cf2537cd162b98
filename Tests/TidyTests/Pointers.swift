import Testing

/// Raw memory is touched where a C library is wrapped and where bytes are parsed at speed, and nowhere else.
@Suite struct `Raw pointers` {
  @Test func `they live in the files that are listed for them`() throws {
    let files = try SourceTree.files(under: ["Sources"]).filter { $0.path.hasSuffix(".swift") }
    Finding.expectNone(Pointers.strayed(in: files, allowed: Pointers.allowed))
  }

  @Test(arguments: [
    "let p: UnsafePointer<Int>", "func f(_ p: UnsafeMutableRawBufferPointer) {}", "unsafe close(3)", "var p: OpaquePointer?",
    "a.withUnsafeBytes { $0.count }", "nonisolated(unsafe) var a = 1", "let a = unsafeBitCast(1, to: UInt.self)",
  ])
  func `one anywhere else is found`(text: String) {
    let file = TextFile(path: "Sources/Models/MADE.swift", text: "struct A {}\n\(text)\n")
    #expect(Pointers.strayed(in: [file], allowed: ["Sources/HTTP/": "parser"]).map(\.line) == [2])
  }

  @Test func `a listed file or folder may, its neighbour may not`() {
    let paths = ["Sources/HTTP/Syscalls.swift", "Sources/HTTP/Parser/Head.swift", "Sources/HTTP/Router.swift"]
    let files = paths.map { TextFile(path: $0, text: "let p: UnsafeRawPointer\n") }
    let allowed = ["Sources/HTTP/Syscalls.swift": "sockets", "Sources/HTTP/Parser/": "speed"]
    #expect(Pointers.strayed(in: files, allowed: allowed).map(\.path) == ["Sources/HTTP/Router.swift"])
  }

  @Test func `speaking of them is no use of them`() {
    let file = TextFile(path: "Sources/Models/MADE.swift", text: "// unsafe, UnsafePointer\nlet a = \"unsafe\"\nlet safe = 1\n")
    #expect(Pointers.strayed(in: [file], allowed: [:]) == [])
  }
}

private enum Pointers {
  /// A file, or a folder with its slash, and why it must.
  static let allowed = [
    "Sources/Datasets/": "the decoders read untrusted bytes and map files",
    "Sources/Files/OpenSSL.swift": "wraps OpenSSL",
    "Sources/Files/Syscalls.swift": "wraps the system's file calls",
    "Sources/Files/MappedFile.swift": "maps files",
    "Sources/HTTP/ByteClasses.swift": "the parser",
    "Sources/HTTP/ChunkedDecoder.swift": "the parser",
    "Sources/HTTP/Client/ClientSocket.swift": "wraps the system's socket calls",
    "Sources/HTTP/Client/TLSClient.swift": "wraps OpenSSL",
    "Sources/HTTP/DateField.swift": "wraps gmtime_r",
    "Sources/HTTP/EventSet.swift": "wraps epoll",
    "Sources/HTTP/Gzip.swift": "wraps zlib",
    "Sources/HTTP/HeadParser.swift": "the parser",
    "Sources/HTTP/Inbox.swift": "wraps eventfd",
    "Sources/HTTP/InputBuffer.swift": "the connections' buffers",
    "Sources/HTTP/Listener.swift": "wraps listening sockets",
    "Sources/HTTP/MessageFraming.swift": "the parser",
    "Sources/HTTP/RequestTarget.swift": "the parser",
    "Sources/HTTP/Syscalls.swift": "wraps the system's socket calls",
    "Sources/HTTP/TLSCertificate.swift": "wraps OpenSSL",
    "Sources/HTTP/TLSContext.swift": "wraps OpenSSL",
    "Sources/HTTP/TLSSession.swift": "wraps OpenSSL",
    "Sources/Images/PNGFilter.swift": "filters bytes in place",
    "Sources/Images/Zlib.swift": "wraps zlib",
    "Sources/Jobs/CapturedOutput.swift": "reads a child's output",
    "Sources/Jobs/ChildLaunch+Spawn.swift": "spawns children",
    "Sources/Service/Page/PageFile.swift": "reads what C embeds",
    "Sources/Systemd/NotifySocket.swift": "sends to a socket of the service manager",
    "Sources/Tensors/Kernels.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Annealing.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Convolution.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+ConvolutionStack.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Gaussian.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Gaussians.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+ImageLSTM.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Levels.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Likelihoods.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Normalization.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Optimizers.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Pixels.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Products.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Randomness.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Recurrence.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+RunningSum.swift": "wraps the kernels in C",
    "Sources/Tensors/Kernels+Sparse.swift": "wraps the kernels in C",
  ]

  static func strayed(in files: [TextFile], allowed: [String: String]) -> [Finding] {
    let suspects = files.filter { $0.mentions(["nsafe", "OpaquePointer"]) }
    return suspects.filter { file in !allowed.keys.contains { file.path == $0 || $0.hasSuffix("/") && file.path.hasPrefix($0) } }.flatMap {
      file in
      file.codeLines.enumerated().compactMap { index, line in
        line.contains(/Unsafe|OpaquePointer|\bunsafe/) ? Finding(path: file.path, line: index + 1, what: "touches raw memory") : nil
      }
    }
  }
}
