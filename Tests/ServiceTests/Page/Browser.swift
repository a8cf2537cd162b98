import Foundation
import JSON
import Testing

/// A real headless Chromium, driven through WebDriver (W3C) by a chromedriver of its own.
///
/// A class, for it owns both processes, which end with it.
final class Browser {
  private let driver = Process()
  private let base: String
  private var session = ""

  static let driverPath = "/usr/bin/chromedriver"
  private static let browserPath = "/usr/bin/chromium"

  /// Whether there is one here.
  static let isInstalled = [driverPath, browserPath].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

  struct Failure: Error, CustomStringConvertible { let description: String }

  init() throws {
    driver.executableURL = URL(fileURLWithPath: Self.driverPath)
    driver.arguments = ["--port=0"]
    let output = Pipe()
    driver.standardOutput = output
    driver.standardError = FileHandle.nullDevice
    try driver.run()
    var said = ""
    // ChromeDriver was started successfully on port 34567.
    while !said.contains("successfully on port") || !said.hasSuffix("\n") {
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw Failure(description: "chromedriver did not start: \(said)") }
      said += String(decoding: more, as: UTF8.self)
    }
    let port = said.matches(of: /on port ([0-9]+)/).last.map { String($0.output.1) } ?? ""
    base = "http://127.0.0.1:\(port)"
    // Its sandbox needs a user who is not root, and a container has little shared memory.
    let flags: [JSONValue] = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb"]
    let made = try command(
      "/session",
      [
        "capabilities": [
          "alwaysMatch": [
            "browserName": "chrome", "goog:loggingPrefs": ["browser": "ALL"],
            "goog:chromeOptions": ["binary": .string(Self.browserPath), "args": .array(flags)],
          ]
        ]
      ])
    session = try #require(made["sessionId"]?.string)
  }

  deinit {
    // The driver closes its browser, or nobody is left to tell; then it has no say, for SIGTERM it does not take.
    _ = try? Program.run("/usr/bin/curl", ["-sS", "--max-time", "20", "-X", "DELETE", "\(base)/session/\(session)"])
    kill(driver.processIdentifier, SIGKILL)
    driver.waitUntilExit()
  }

  /// Sends a command, and returns its value.
  @discardableResult
  private func command(_ path: String, _ body: JSONValue) throws -> JSONValue {
    let folder = try TemporaryFolder()
    try Data(body.serializedBytes()).write(to: URL(fileURLWithPath: folder.path + "/body"))
    let curl = try Program.run(
      "/usr/bin/curl",
      ["-sS", "--max-time", "60", "-H", "Content-Type: application/json", "--data-binary", "@\(folder.path)/body", "\(base)\(path)"])
    guard curl.status == 0 else { throw Failure(description: curl.errors) }
    let value = try JSONValue(parsing: Array(curl.output.utf8))["value"] ?? .null
    if let error = value["error"]?.string { throw Failure(description: "\(error): \(value["message"]?.string ?? "")") }
    return value
  }

  private func ask(_ path: String, _ body: JSONValue = [:]) throws -> JSONValue { try command("/session/\(session)\(path)", body) }

  private func developerTool(_ name: String, _ parameters: JSONValue) throws {
    _ = try ask("/goog/cdp/execute", ["cmd": .string(name), "params": parameters])
  }

  // MARK: As a person would

  /// The window's width in CSS pixels, and whether the system likes it dark.
  func show(width: Int, isDark: Bool) throws {
    try developerTool(
      "Emulation.setDeviceMetricsOverride",
      ["width": .integer(width), "height": 900, "deviceScaleFactor": 1, "mobile": .bool(width < 600)])
    let scheme: JSONValue = ["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]
    try developerTool("Emulation.setEmulatedMedia", ["features": [scheme]])
  }

  func go(to address: String) throws { _ = try ask("/url", ["url": .string(address)]) }

  /// What a function's body of JavaScript returns.
  @discardableResult
  func run(_ script: String) throws -> JSONValue { try ask("/execute/sync", ["script": .string(script), "args": []]) }

  /// The same of one that calls `done`.
  func runLater(_ script: String) throws -> JSONValue {
    try ask("/execute/async", ["script": .string("const done = arguments[0]; \(script)"), "args": []])
  }

  /// Waits until an expression is true of the page; more than half a minute nothing takes.
  func wait(_ expression: String, seconds: Double = 30, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let end = Date.now + seconds
    while true {
      if try run("return Boolean(\(expression))") == true { return }
      if Date.now > end {
        let text = try run("return location.hash + ' ' + document.body.innerText.slice(0, 1500)").string ?? ""
        try #require(Bool(false), "never: \(expression)\n\(text)", sourceLocation: sourceLocation)
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  private func element(_ selector: String) throws -> String {
    let found = try ask("/element", ["using": "css selector", "value": .string(selector)])
    return try #require(found.object?.first(where: { _ in true })?.value.string)
  }

  func click(_ selector: String) throws { _ = try ask("/element/\(element(selector))/click") }

  /// Clicks what bears this text.
  func press(_ text: String) throws {
    let path = "//*[self::button or self::a or self::summary or self::label][normalize-space()=\"\(text)\"]"
    let found = try ask("/element", ["using": "xpath", "value": .string(path)])
    _ = try ask("/element/\(try #require(found.object?.first(where: { _ in true })?.value.string))/click")
  }

  func type(_ text: String, into selector: String) throws {
    _ = try ask("/element/\(element(selector))/value", ["text": .string(text)])
  }

  /// The field that a label names, after it has been emptied.
  func enter(_ text: String, under label: String) throws {
    let id = try run("return [...document.querySelectorAll('label')].find(l => l.textContent.trim() === '\(label)').htmlFor").string ?? ""
    _ = try ask("/element/\(element("#\(id)"))/clear")
    try type(text, into: "#\(id)")
  }

  func text(_ selector: String) throws -> String { try run("return document.querySelector('\(selector)')?.innerText ?? ''").string ?? "" }

  // MARK: What went wrong

  /// What the browser has said since it was last asked: errors of scripts, refusals by the content security policy, and all else.
  func complaints() throws -> [String] {
    (try ask("/se/log", ["type": "browser"]).array ?? []).compactMap { entry in
      let text = entry["message"]?.string ?? ""
      return entry["source"]?.string == "network" ? "network: \(text)" : text
    }
  }

  /// axe-core, which Deploy/test fetches: another's reader of what the page says to those who do not see it.
  private static let axe = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../.build/axe/axe_playwright_python/axe.min.js").standardizedFileURL

  /// What axe-core has against the page as it stands, each with the first elements that it means.
  func barriers() throws -> [String] {
    // Once a document: half a megabyte.
    if try run("return typeof axe") == "undefined" {
      try run(#require(try? String(contentsOf: Self.axe, encoding: .utf8), "Deploy/test fetches axe-core to \(Self.axe.path)"))
    }
    let found = try runLater(
      """
      const told = ({id, nodes}) => `${id}: ${nodes.slice(0, 3).map(node => node.html.slice(0, 200)).join(" | ")}`;
      axe.run(document).then(result => done(result.violations.map(told)), error => done([String(error)]))
      """)
    return (found.array ?? []).compactMap(\.string)
  }

  /// A picture of the whole page, for those who want to look: where FOUNT_SCREENSHOTS names a folder.
  func keepScreenshot(_ name: String) throws {
    guard let folder = ProcessInfo.processInfo.environment["FOUNT_SCREENSHOTS"] else { return }
    let size = try run("return [document.documentElement.clientWidth, document.documentElement.scrollHeight]").array ?? []
    let clip: JSONValue = ["x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1]
    let picture = try ask(
      "/goog/cdp/execute", ["cmd": "Page.captureScreenshot", "params": ["captureBeyondViewport": true, "clip": clip]])
    let bytes = try #require(Data(base64Encoded: picture["data"]?.string ?? ""))
    try bytes.write(to: URL(fileURLWithPath: "\(folder)/\(name).png"))
  }
}
