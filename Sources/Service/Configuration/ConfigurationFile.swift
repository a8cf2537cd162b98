import Foundation
import Yams

/// A YAML file as a list of keys with their texts and lines. It refuses what a flat list has no use for: nested values,
/// several documents, a key given twice.
struct ConfigurationFile {
  struct Entry {
    let name: String
    let text: String
    let line: Int
  }

  private(set) var entries: [Entry] = []
  private(set) var faults: [ConfigurationFault] = []

  /// Far above any file that holds every key with comments.
  private static let bytesMax = 1 << 20

  init(path: String) { load(path) }

  init(text: String, path: String) { read(text, path: path) }

  private mutating func load(_ path: String) {
    do {
      // One byte more than is allowed tells a file that is too long from one that just fits.
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      let bytes = try handle.read(upToCount: Self.bytesMax + 1) ?? Data()
      guard bytes.count <= Self.bytesMax else { return refuse(path, "is longer than \(Self.bytesMax) bytes") }
      guard let text = String(validating: bytes, as: UTF8.self) else { return refuse(path, "is not UTF-8") }
      read(text, path: path)
    } catch {
      refuse(path, "can't be read: \(Self.cause(error))")
    }
  }

  private mutating func read(_ text: String, path: String) {
    do {
      // Comments alone are a file too: it leaves everything at its default. A second document is an error of Yams' own.
      guard let root = try Yams.compose(yaml: text), !Self.isNothing(root) else { return }
      guard let mapping = root.mapping else { return refuse(path, "must be a list of keys with their values, as in port: 8080") }
      for (key, value) in mapping { read(key, value, path: path) }
    } catch YamlError.duplicatedKeysInMapping(let names, _) {
      // The reader stops there: without the later ones it tells the rest.
      guard let once = refusingRepeats(of: names, in: text, path: path) else {
        return refuse(path, "gives a key more than once: \(names.sorted().joined(separator: ", "))")
      }
      read(once, path: path)
    } catch {
      refuse(path, "is not valid YAML: \(Self.cause(error))")
    }
  }

  /// Refuses every line but the first that gives one of these keys, and returns the text with those lines empty; nil where no line does.
  private mutating func refusingRepeats(of names: [String], in text: String, path: String) -> String? {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var firsts: [String: Int] = [:]
    var hasFound = false
    for (index, line) in lines.enumerated() {
      guard let name = names.first(where: { line.hasPrefix("\($0):") }) else { continue }
      if let first = firsts[name] {
        refuse(name, at: .file(path: path, line: index + 1), "is given before, in line \(first)")
        lines[index] = ""
        hasFound = true
      } else {
        firsts[name] = index + 1
      }
    }
    return hasFound ? lines.joined(separator: "\n") : nil
  }

  private mutating func read(_ key: Node, _ value: Node, path: String) {
    let line = key.mark?.line ?? 1
    guard let name = key.scalar?.string else { return refuse("a key", at: .file(path: path, line: line), "must be a word") }
    guard let text = value.scalar?.string, !Self.isNothing(value) else {
      let came = value.scalar == nil ? "a list or a mapping" : "nothing; leave the line out for the default"
      return refuse(name, at: .file(path: path, line: line), "must be a single value; was \(came)")
    }
    entries.append(Entry(name: name, text: text, line: line))
  }

  private mutating func refuse(_ subject: String, at source: ConfigurationSource? = nil, _ detail: String) {
    faults.append(ConfigurationFault(subject: subject, source: source, detail: detail))
  }

  private static func isNothing(_ node: Node) -> Bool { node.null != nil }

  private static func cause(_ error: any Error) -> String {
    switch error {
    // Without the excerpt that Yams adds: a line may be as long as the file.
    case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _):
      return "\(problem), line \(mark.line), column \(mark.column)"
    case YamlError.reader(let problem, _, _, _): return problem
    default:
      // Foundation wraps what the system said: the innermost text is the telling one.
      let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
      return underlying?.localizedFailureReason ?? error.localizedDescription
    }
  }
}
