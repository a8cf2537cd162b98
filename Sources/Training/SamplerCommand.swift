/// `fount sampler`: draws, scores and makes pictures for the server, over a socket that it inherited.
package enum SamplerCommand {
  /// Answers frames in order until the other side closes the socket.
  ///
  /// - Parameter fileDescriptor: a connected stream socket.
  /// - Returns: the process's exit status: 0 when the server closed the socket.
  package static func run(fileDescriptor: Int32) -> Int32 {
    74
  }
}
