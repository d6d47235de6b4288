import Foundation

/// A regular expression that needs backtracking, matched by Foundation's engine.
///
/// It is generated from the parsed expression, with every character set written as explicit ranges, so that the result
/// does not depend on Foundation's syntax or Unicode version.
struct FoundationPattern: Sendable {
    private let expression: NSRegularExpression

    /// The maximum length of a generated expression, in bytes.
    private static let lengthLimit = 1 << 20

    /// Compiles an expression.
    /// - Returns: nil if the expression is too long or Foundation rejects it.
    init?(_ node: PatternNode) {
        guard let text = Self.text(of: node), text.utf8.count <= Self.lengthLimit,
            let expression = try? NSRegularExpression(pattern: text)
        else { return nil }
        self.expression = expression
    }

    /// Calls `body` with the non-overlapping matches in a text, from left to right.
    ///
    /// Foundation reports progress once per position and once per 10,000 steps. After one report per position, plus one
    /// per 64 positions, plus 8, matching stops, and the rest of the text has no matches. An expression that needs more
    /// would practically never finish on longer texts.
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        var units: [UInt16] = []
        units.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            let (value, length) = UTF8Scan.scalar(text, position)
            if let scalar = Unicode.Scalar(value) { units.append(contentsOf: UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter) }
            position += length
        }
        let string = String(decoding: units, as: UTF16.self)
        var place = (unit: 0, byte: 0)
        /// The byte offset of a UTF-16 offset. Offsets must be ascending.
        func byte(of unit: Int) -> Int {
            while place.unit < unit, place.byte < text.count {
                let length = UTF8Scan.scalar(text, place.byte).length
                place.unit += length == 4 ? 2 : 1
                place.byte += length
            }
            return place.byte
        }
        var reports = units.count + units.count / 64 + 8
        var matches: [NSRange] = []
        expression.enumerateMatches(in: string, options: .reportProgress, range: NSRange(location: 0, length: units.count)) {
            match, _, stop in
            if let match {
                matches.append(match.range)
            } else {
                reports -= 1
                if reports < 0 { stop.pointee = true }
            }
        }
        var previous: Int?
        for match in matches {
            let start = byte(of: match.location)
            let end = byte(of: match.location + match.length)
            if start == end, start == previous { continue }
            previous = end
            body(start..<end)
        }
    }

    // MARK: Generating the expression

    /// The text of a node; nil if it is too long.
    private static func text(of node: PatternNode) -> String? {
        switch node {
        case .set(let set): return text(of: set)
        case .look(let inner, let isAhead, let isNegated):
            return text(of: inner).map { "(?" + (isAhead ? "" : "<") + (isNegated ? "!" : "=") + $0 + ")" }
        case .sequence(let nodes): return joined(nodes, "")
        case .alternatives(let nodes): return joined(nodes, "|").map { "(?:" + $0 + ")" }
        case .group(let inner, _): return text(of: inner).map { "(" + $0 + ")" }
        case .atomic(let inner): return text(of: inner).map { "(?>" + $0 + ")" }
        // the group separates the number from digits that follow
        case .reference(let number): return "(?:\\\(number))"
        case .repetition(let inner, let least, let most, let greed):
            let bounds = most.map { "{\(least),\($0)}" } ?? "{\(least),}"
            let mark =
                switch greed {
                case .greedy: ""
                case .lazy: "?"
                case .possessive: "+"
                }
            return text(of: inner).map { "(?:" + $0 + ")" + bounds + mark }
        }
    }

    /// The texts of nodes with a separator; nil if they are too long.
    private static func joined(_ nodes: [PatternNode], _ separator: String) -> String? {
        var parts: [String] = []
        var length = 0
        for node in nodes {
            guard let part = text(of: node) else { return nil }
            length += part.utf8.count
            guard length <= lengthLimit else { return nil }
            parts.append(part)
        }
        return parts.joined(separator: separator)
    }

    /// The text of a character set.
    private static func text(of set: CharacterSet) -> String {
        if set.isEmpty { return "(?!)" }
        func number(_ value: UInt32) -> String { "\\x{" + String(value, radix: 16) + "}" }
        return "["
            + set.ranges.map { $0.count == 1 ? number($0.lowerBound) : number($0.lowerBound) + "-" + number($0.upperBound) }.joined() + "]"
    }
}
