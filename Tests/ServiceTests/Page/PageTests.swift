import Foundation
import JSON
import Testing

/// The page in a real browser, against a real server: what a person does, and what they see of it.
@Suite(.serialized, .enabled(if: Browser.isInstalled, "Deploy/test installs the browser")) struct `The page` {
  let folder: TemporaryFolder
  let fount: FountProcess
  let browser: Browser

  init() throws {
    folder = try TemporaryFolder()
    fount = try FountProcess(data: folder.path + "/data")
    browser = try Browser()
  }

  private func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let path = "\(folder.path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Uploads a file by the page, and waits for the dataset's view.
  private func upload(_ bytes: [UInt8], _ name: String) throws {
    try browser.go(to: fount.base + "/")
    try browser.wait("document.querySelector('#file')")
    try browser.type(write(bytes, name), into: "#file")
    try browser.wait("location.hash.startsWith('#/datasets/') && document.querySelector('h1')?.innerText === '\(name)'")
  }

  private static let isShown = "[...document.querySelectorAll('main img')].every(image => image.naturalWidth > 0)"

  private func expectNoComplaints(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let complaints = try browser.complaints()
    #expect(complaints == [], sourceLocation: sourceLocation)
  }

  @Test func `takes a file, trains on it, shows the curve as it moves and samples as they come, and ranks what was made`() throws {
    try browser.show(width: 1440, isDark: false)
    try upload(SampleData.chains(height: 8, width: 8, count: 2000), "chains.idx")
    try browser.wait(Self.isShown)
    let facts = try browser.text("dl")
    #expect(facts.contains("2,000") && facts.contains("8 × 8 grey") && facts.contains("bits") && facts.contains("SHA-256"))

    // The tree, with every family at its place.
    try browser.press("Train a model on it")
    try browser.wait("document.querySelectorAll('.tree input').length === 9")
    let tree = try browser.text(".tree")
    for words in ["Explicit density", "Tractable", "Approximate", "Implicit density", "exact", "bound", "estimate", "no likelihood"] {
      #expect(tree.contains(words), "\(words)")
    }
    #expect(try browser.run("return document.querySelector('.tree .tractable input:checked').value") == "made")

    // A wrong value is told where it stands, by the server.
    try browser.enter("0", under: "Epochs")
    try browser.wait("document.querySelector('[aria-invalid]')?.id.startsWith('epochs')")
    #expect(try browser.text(".fault:not(:empty)").contains("1 to 1000000; was 0"))
    let refusals = try browser.complaints()
    #expect(refusals.allSatisfy { $0.contains("dry_run=1") && $0.contains("422") } && !refusals.isEmpty, "\(refusals)")
    try browser.enter("12", under: "Epochs")
    try browser.enter("50, 40", under: "Hidden layers")
    try browser.enter("by the page", under: "Name")
    try browser.wait("!document.querySelector('[aria-invalid]') && !document.querySelector('.verdict.bad')")
    // What it would send is a command that does the same.
    let command = try browser.run("return document.querySelector('.finish code').textContent").string ?? ""
    let shell = try Program.run("/bin/sh", ["-c", command])
    let other = try JSONValue(parsing: shell.output)
    #expect(other["request"]?["configuration"]?["hidden_layers"] == [50, 40] && other["seed"] == 1 && other["name"] == "by the page")

    try browser.press("Start training")
    try browser.wait("location.hash.startsWith('#/jobs/') && document.querySelector('svg.curve')?.dataset.points > 0")
    let points = try browser.run("return Number(document.querySelector('svg.curve').dataset.points)").integer ?? 0
    try browser.wait(
      "Number(document.querySelector('svg.curve').dataset.points) > \(points) || document.querySelector('.status.succeeded')")
    try browser.wait("document.querySelector('.standing .status.succeeded')")
    try browser.wait("document.querySelector('svg.curve').dataset.points === '24'")
    #expect(
      try browser.run("return document.querySelector('svg.curve').getAttribute('aria-label')").string?.contains("validation from") == true)
    #expect(try browser.run("return document.querySelector('progress').hidden") == true)

    // The samples of each epoch, back and forth.
    try browser.wait("document.querySelector('.scrubber img')?.dataset.epoch === '12'")
    try browser.run("const range = document.querySelector('#epochs'); range.value = 0; range.dispatchEvent(new Event('input'))")
    try browser.wait("document.querySelector('.scrubber img').dataset.epoch === '1'")
    #expect(try browser.run("return document.querySelector('.scrubber img').alt") == "64 samples after epoch 1")

    // Another run over it, and other units.
    try browser.press("Lay other runs on these data over it")
    try browser.wait("document.querySelector('.choices input')")
    try browser.click(".choices input")
    try browser.wait("document.querySelector('path.line.kind-3')")
    let marks = "return [...document.querySelectorAll('.curve .axis')].map(mark => mark.textContent).join()"
    let inNats = try browser.run(marks)
    try browser.run("const unit = document.querySelector('#unit'); unit.value = 'bits'; unit.dispatchEvent(new Event('input'))")
    try browser.wait("document.querySelector('svg.curve').getAttribute('aria-label').includes('bits per dimension')")
    #expect(try browser.run(marks) != inNats)
    try expectNoBarriers("job")

    // The model: samples by their seed, beside their nearest training examples, and an evaluation.
    try browser.press("Draw samples")
    try browser.wait("document.querySelector('.samples img')?.naturalWidth > 0")
    let first = try browser.run("return document.querySelector('.samples img').src")
    try browser.enter("7", under: "Seed")
    try browser.wait("document.querySelector('.samples img').alt === '64 samples of seed 7'")
    #expect(try browser.run("return document.querySelector('.samples img').src") != first)
    // Drawn pixel by pixel: half of them are less than all.
    let unfolding = "document.querySelector('#unfolding-title').parentElement"
    let drawn = "return \(unfolding).querySelector('canvas').toDataURL()"
    try browser.wait("\(unfolding).querySelector('input[type=range]').value === '64'")
    let all = try browser.run(drawn)
    let half =
      "const pixels = \(unfolding).querySelector('input[type=range]'); pixels.value = 32; pixels.dispatchEvent(new Event('input'));"
    #expect(try browser.run(half + drawn) != all)
    try browser.click("#neighbours")
    try browser.wait("document.querySelector('.samples figcaption').innerText.includes('nearest')")
    try expectNoBarriers("model")
    try browser.press("Start the evaluation")
    try browser.wait("location.hash.startsWith('#/jobs/') && document.querySelector('.standing .status.succeeded')")
    try browser.wait("document.querySelector('table')?.innerText.includes('nats')")
    try browser.press("The data it was evaluated on")
    try browser.wait("document.querySelector('.boards tbody tr')")
    #expect(try browser.text(".boards").contains("made"))
    try expectNoComplaints()
  }

  private func expectNoBarriers(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    for (width, isDark) in [(375, true), (1440, false)] {
      try browser.show(width: width, isDark: isDark)
      #expect(try browser.barriers() == [], "\(name) at \(width)", sourceLocation: sourceLocation)
      let excess = try browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
      #expect(excess == 0, "\(name) is wider than \(width) pixels", sourceLocation: sourceLocation)
      try browser.keepScreenshot("\(name)-\(width)")
    }
  }

  @Test func `goes on after the server has been killed and started again, pauses, and cancels`() throws {
    let dataset = try fount.dataset(SampleData.chains(height: 8, width: 8, count: 4000))
    let job = try fount.submit([
      "kind": "train", "dataset": .string(dataset), "family": "made", "configuration": ["hidden_layers": [300]],
      "training": ["epochs": 100_000, "checkpoint_every_seconds": 1],
    ])
    let id = try #require(job["id"]?.string)
    try browser.go(to: "\(fount.base)/#/jobs/\(id)")
    try browser.wait("document.querySelector('svg.curve')?.dataset.points > 4")
    try expectNoComplaints()
    fount.kill()
    try browser.wait("!document.querySelector('.lost').hidden")
    let before = try browser.run("return Number(document.querySelector('svg.curve').dataset.points)").integer ?? 0
    let again = try FountProcess(data: fount.data, port: fount.port)
    try browser.wait("document.querySelector('.lost').hidden && Number(document.querySelector('svg.curve').dataset.points) > \(before) + 4")
    #expect(try browser.text(".standing").contains("running"))
    // Of each step one point: what the dead attempt had told after its checkpoint is told again, and counts once.
    let told = try again.curl("/v1/jobs/\(id)/metrics").json["series"]?["validation_nats"]?["step"]?.array?.count ?? 0
    let shown = try browser.run("return Number(document.querySelector('svg.curve').dataset.points)").integer ?? 0
    #expect(shown / 2 >= told - 2, "\(shown) points, \(told) epochs before")

    try browser.click("[data-verb=pause]")
    try browser.wait("document.querySelector('.standing .status.paused')")
    try browser.click("[data-verb=resume]")
    try browser.wait("document.querySelector('.standing .status.running')")
    try browser.click("[data-verb=cancel]")
    try browser.wait("document.querySelector('.standing .status.cancelled')")
    #expect(try again.job(id)["status"] == "cancelled")
    try browser.wait("document.querySelectorAll('[data-verb=cancel], [data-verb=pause]').length === 0")
    // A server that is not there is the one thing that the browser says of it.
    let complaints = try browser.complaints().filter { !$0.hasPrefix("network: ") }
    #expect(complaints == [])
  }

  @Test func `asks for a key, keeps it in the tab, and shows it nowhere`() throws {
    let data = folder.path + "/keyed"
    let key = try Program.run(FountProcess.executable, ["key", "create", "--scope", "train", "--data", data])
      .output.trimmingCharacters(in: .whitespacesAndNewlines)
    let fount = try FountProcess(data: data)
    try browser.go(to: fount.base + "/")
    try browser.wait("document.querySelector('#key').open")
    #expect(try browser.barriers() == [])
    try browser.type("fount_wrong", into: "#key-value")
    try browser.press("Use it")
    try browser.wait("document.querySelector('#key').open && document.querySelector('#key-why').innerText.includes('not known')")
    try browser.type(key, into: "#key-value")
    try browser.press("Use it")
    try browser.wait("document.querySelector('#file')")
    try browser.type(write(SampleData.barsAndStripes(side: 4, copies: 8), "bars.idx"), into: "#file")
    try browser.wait("document.querySelector('h1')?.innerText === 'bars.idx'")
    // Pictures need the key, too.
    try browser.wait(Self.isShown)
    try browser.press("Train a model on it")
    try browser.wait("document.querySelector('.finish code')")
    #expect(try browser.run("return sessionStorage.getItem('fount-key')").string == key)
    #expect(try browser.run("return localStorage.length === 0 && document.cookie === ''") == true)
    let text = try browser.run("return document.body.textContent").string ?? ""
    #expect(!text.contains(key) && text.contains("Bearer $FOUNT_KEY"))
    try browser.press("Start training")
    // The stream of events carries it as well.
    try browser.wait("document.querySelector('svg.curve')?.dataset.points > 0")
    let complaints = try browser.complaints().filter { !$0.contains("401") }
    #expect(complaints == [])
  }

  @Test func `goes through latents, plays chains, and completes what is hidden`() throws {
    let dataset = try fount.dataset(SampleData.barsAndStripes(side: 4, copies: 30))
    let jobs = try [("vae", ["latent": 4, "hidden_layers": [20]] as JSONValue), ("rbm", ["hidden": 16])].map { family, configuration in
      try fount.submit([
        "kind": "train", "dataset": .string(dataset), "family": .string(family), "configuration": configuration, "training": ["epochs": 3],
      ])
    }
    let models = try jobs.map { try #require(try fount.finish($0["id"]?.string ?? "")["model"]?.string) }
    try browser.go(to: "\(fount.base)/#/models/\(models[0])")
    func drawn(_ canvas: String) throws -> JSONValue { try browser.run("return document.querySelector('\(canvas)').toDataURL()") }
    let isDrawn =
      "(c => c && c.toDataURL() !== Object.assign(document.createElement('canvas'), {width: c.width, height: c.height}).toDataURL())"
    try browser.wait("\(isDrawn)(document.querySelector('.pad-view'))")
    let middle = try drawn(".pad-view")
    // The arrows to the right and down, as WebDriver has them.
    for _ in 0..<6 { try browser.type("\u{E014}\u{E015}", into: ".pad-surface") }
    #expect(try drawn(".pad-view") != middle)
    try expectNoBarriers("vae")

    try browser.go(to: "\(fount.base)/#/models/\(models[1])")
    try browser.wait(
      "document.querySelector('#film-title') && \(isDrawn)(document.querySelector('#film-title').parentElement.querySelector('canvas'))")
    try browser.wait("\(isDrawn)(document.querySelector('.brushable'))")
    try browser.press("Draw the rest")
    try browser.wait("document.querySelector('img[alt=\"16 completions\"]')?.naturalWidth > 0")
    try browser.wait(Self.isShown)
    try expectNoBarriers("rbm")
    try expectNoComplaints()
  }

  @Test func `is usable by keyboard and reader at once, and soon there`() throws {
    let dataset = try fount.dataset(SampleData.greys(side: 8, count: 40))
    try browser.go(to: fount.base + "/")
    try browser.wait("document.querySelector('.card img')?.naturalWidth > 0")
    let paint = try browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime").number ?? 0
    let wire = try browser.run(
      "return performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).filter(entry => "
        + "/\\/$|\\/page\\//.test(new URL(entry.name).pathname)).reduce((sum, entry) => sum + entry.transferSize, 0)")
    print("the page's first paint came after \(paint) ms; its first view took \(wire.serialized()) bytes on the wire")
    #expect((1..<150_000).contains(wire.integer ?? 0))
    try expectNoBarriers("home")
    // The first stop of the Tab key leads past the navigation.
    try browser.type("\u{E004}", into: "body")
    #expect(try browser.run("return document.activeElement.className") == "skip")
    try browser.run("document.activeElement.click()")
    #expect(try browser.run("return document.activeElement.id") == "main")
    for (name, address) in [
      ("dataset", "/datasets/\(dataset)"), ("train", "/train?dataset=\(dataset)"), ("jobs", "/jobs"), ("models", "/models"),
    ] {
      try browser.run("location.hash = '#\(address)'")
      try browser.wait("document.title.includes('Fount') && document.activeElement.id === 'main' && document.querySelector('main h1')")
      try browser.wait(Self.isShown)
      try expectNoBarriers(name)
    }
    // Rows of a table have no pictures, and are told all the same.
    let table = try fount.dataset(Array(("a,b\n" + (0..<60).map { "\($0 % 7).5,\($0 % 5).25\n" }.joined()).utf8))
    let job = try fount.submit([
      "kind": "train", "dataset": .string(table), "family": "made", "configuration": ["hidden_layers": [8], "output": "gaussian_mixture"],
      "training": ["epochs": 2],
    ])
    let model = try #require(try fount.finish(job["id"]?.string ?? "")["model"]?.string)
    try browser.run("location.hash = '#/datasets/\(table)'")
    try browser.wait("document.querySelector('dl')?.innerText.includes('2 columns')")
    try expectNoBarriers("table")
    try browser.run("location.hash = '#/models/\(model)'")
    try browser.wait("document.querySelectorAll('.samples tr').length === 64")
    try expectNoBarriers("table-model")

    // Whatever has no view says so.
    try browser.run("location.hash = '#/nowhere'")
    try browser.wait("document.querySelector('.alert')?.innerText.includes('nothing at #/nowhere')")
    try expectNoComplaints()
  }
}
