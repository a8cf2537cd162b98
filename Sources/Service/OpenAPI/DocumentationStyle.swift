import Files
import Foundation

/// How the page of the documentation looks, by day and by night. It stands within the page, and the policy names its hash.
enum DocumentationStyle {
  static let css = """

    :root { color-scheme: light dark; --ink: #1d2330; --soft: #566074; --line: #d9dee7; --paper: #fff; --tint: #f4f6fa; --link: #1d4ed8; }
    @media (prefers-color-scheme: dark) {
      :root { --ink: #e6e9f0; --soft: #a3adc0; --line: #323a4a; --paper: #12151c; --tint: #1a1f2a; --link: #8ab4ff; }
    }
    body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 6rem; font: 16px/1.6 system-ui, sans-serif; color: var(--ink);
      background: var(--paper); }
    h1 { font-size: 2.25rem; margin: 0; letter-spacing: -0.02em; }
    h2 { margin: 4rem 0 0.25rem; font-size: 1.6rem; text-transform: capitalize; letter-spacing: -0.01em; }
    h3 { margin: 2.5rem 0 0.25rem; font-size: 1.05rem; overflow-wrap: anywhere; }
    p { margin: 0.5rem 0; }
    a { color: var(--link); }
    nav ul { display: flex; flex-wrap: wrap; gap: 0.5rem 1.25rem; list-style: none; padding: 0; text-transform: capitalize; }
    code, pre { font: 0.9em/1.5 ui-monospace, monospace; }
    pre { background: var(--tint); padding: 0.75rem 1rem; border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
    .method { display: inline-block; min-width: 3.6em; padding: 0 0.5em; border-radius: 6px; background: var(--tint); color: var(--soft);
      font: 600 0.8em/1.8 ui-monospace, monospace; text-align: center; }
    .method.post, .method.put, .method.patch { color: var(--link); }
    .scope, small { color: var(--soft); font-size: 0.85rem; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; margin: 0.75rem 0; font-size: 0.9rem; }
    th { text-align: left; color: var(--soft); font-weight: 500; }
    th, td { padding: 0.4rem 1rem 0.4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
    td:first-child { white-space: nowrap; }

    """

  /// Nothing is loaded, and only this style is applied.
  static let policy: String = {
    let hash = Data(SHA256.of(Array(css.utf8)).bytes).base64EncodedString()
    return "default-src 'none'; style-src 'sha256-\(hash)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }()
}
