/// What a page consists of, as a reader of markup sees it that knows nothing of the program which wrote it.
struct PageMarkup {
    /// What is wrong: tags that do not fit, attributes that run scripts, addresses of elsewhere.
    private(set) var problems: [String] = []
    /// The names of all elements.
    private(set) var names: Set<String> = []
    /// The page's text, with entities resolved.
    private(set) var text = ""
    /// All ids.
    private(set) var ids: [String] = []
    /// How many scripts there are.
    private(set) var scripts = 0
    /// The ids that links in the page name.
    private(set) var targets: [String] = []
    /// The levels of headings in their order.
    private(set) var headings: [Int] = []

    private static let empty: Set<String> = ["meta", "link", "br", "hr", "input", "img", "wbr"]
    /// Elements whose content is no markup.
    private static let raw: Set<String> = ["script", "style", "title"]

    init(_ page: String) {
        let bytes = Array(page.utf8)
        var (position, open): (Int, [String]) = (0, [])
        func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        func find(_ text: String, from start: Int) -> Int? {
            let wanted = Array(text.utf8)
            guard bytes.count >= wanted.count, start <= bytes.count - wanted.count else { return nil }
            return (start...(bytes.count - wanted.count)).first {
                bytes[$0] == wanted[0] && bytes[$0..<($0 + wanted.count)].elementsEqual(wanted)
            }
        }
        var textBytes: [UInt8] = []
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else {
                textBytes.append(bytes[position])
                position += 1
                continue
            }
            let rest = string(position..<min(position + 9, bytes.count))
            if rest.hasPrefix("<!--") {
                position = (find("-->", from: position) ?? bytes.count - 3) + 3
                continue
            }
            var end = position + 1
            var quote: UInt8?
            while end < bytes.count, quote != nil || bytes[end] != UInt8(ascii: ">") {
                if let inside = quote {
                    if bytes[end] == inside { quote = nil }
                } else if bytes[end] == UInt8(ascii: "\"") || bytes[end] == UInt8(ascii: "'") {
                    quote = bytes[end]
                }
                end += 1
            }
            let tag = string((position + 1)..<min(end, bytes.count))
            position = end + 1
            if tag.hasPrefix("!") { continue }
            if tag.hasPrefix("/") {
                let name = String(tag.dropFirst())
                if open.popLast() != name { problems.append("</\(name)> closes nothing") }
                textBytes.append(UInt8(ascii: " "))
                continue
            }
            let name = String(tag.prefix { !$0.isWhitespace && $0 != "/" })
            names.insert(name)
            if name.count == 2, name.first == "h", let level = name.last?.wholeNumberValue { headings.append(level) }
            readAttributes(of: tag.dropFirst(name.count), name)
            if name == "script" { scripts += 1 }
            guard !tag.hasSuffix("/"), !Self.empty.contains(name) else { continue }
            if Self.raw.contains(name), !open.contains("svg") {
                let close = find("</\(name)>", from: position) ?? bytes.count
                position = min(bytes.count, close + name.utf8.count + 3)
            } else {
                open.append(name)
            }
        }
        if !open.isEmpty { problems.append("\(open) are not closed") }
        text = String(decoding: textBytes, as: UTF8.self).replacing("&lt;", with: "<").replacing("&gt;", with: ">")
            .replacing("&quot;", with: "\"").replacing("&#39;", with: "'").replacing("&#13;", with: "\r").replacing("&amp;", with: "&")
    }

    private mutating func readAttributes(of text: Substring, _ element: String) {
        var rest = text.drop { $0.isWhitespace }
        while let first = rest.first, first != "/" {
            let name = rest.prefix { $0 != "=" && !$0.isWhitespace && $0 != "/" }.lowercased()
            rest = rest.dropFirst(name.count)
            var value = ""
            if rest.first == "=" {
                rest = rest.dropFirst()
                guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else {
                    problems.append("\(name) of <\(element)> has no quotes")
                    return
                }
                value = String(rest[rest.index(after: rest.startIndex)..<end])
                rest = rest[rest.index(after: end)...]
            }
            if name.isEmpty || !name.allSatisfy({ $0.isASCII && ($0.isLetter || $0 == "-" || $0.isNumber || $0 == ":") }) {
                problems.append("an attribute of <\(element)> is called \(name)")
                return
            }
            if name.hasPrefix("on") { problems.append("<\(element)> has \(name)") }
            if ["href", "src", "xlink:href", "action", "formaction", "data", "srcdoc"].contains(name) {
                if value.hasPrefix("#") { targets.append(String(value.dropFirst())) }
                if !value.hasPrefix("#") && !value.hasPrefix("data:") { problems.append("<\(element)> names \(value)") }
            }
            if name == "id" { ids.append(value) }
            rest = rest.drop { $0.isWhitespace }
        }
    }
}
