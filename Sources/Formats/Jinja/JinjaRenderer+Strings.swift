/// String methods.
extension JinjaRenderer {
    func stringMethod(_ name: String, of text: String, _ arguments: JinjaCallArguments) throws -> JinjaValue {
        try chargeScan(text)
        func bind(_ names: String...) throws -> JinjaBinding { try JinjaBinding("the method \"\(name)\"", arguments, names, self) }
        switch name {
        case "strip", "lstrip", "rstrip":
            return .string(try stripped(text, try bind("chars").given("chars"), start: name != "rstrip", end: name != "lstrip"))
        case "upper", "lower", "title", "capitalize", "swapcase", "casefold":
            _ = try bind()
            return try made(cased(text, name))
        case "split", "rsplit":
            let given = try bind("sep", "maxsplit")
            let separator = given.given("sep") == nil ? nil : try given.text("sep")
            return try list(
                split(text, separator, limit: given.whole("maxsplit", default: -1), fromEnd: name == "rsplit").map { .string($0) })
        case "splitlines": return try list(lines(of: text, keepingEnds: bind("keepends").flag("keepends")).map { .string($0) })
        case "partition", "rpartition": return try partition(text, try bind("sep").text("sep"), fromEnd: name == "rpartition")
        case "startswith", "endswith": return .bool(try hasAffix(text, bind("affix", "start", "end"), atEnd: name == "endswith"))
        case "removeprefix", "removesuffix":
            let affix = try bind("affix").text("affix")
            let (bytes, part) = (Array(text.utf8), Array(affix.utf8))
            guard part.count <= bytes.count else { return .string(text) }
            let isPrefix = name == "removeprefix"
            guard isPrefix ? bytes.starts(with: part) : bytes.suffix(part.count).elementsEqual(part) else { return .string(text) }
            return .string(String(decoding: isPrefix ? bytes.dropFirst(part.count) : bytes.dropLast(part.count), as: UTF8.self))
        case "replace":
            let given = try bind("old", "new", "count")
            return try made(replaced(text, try given.text("old"), try given.text("new"), limit: given.whole("count", default: -1)))
        case "join": return try made(joined(iterate(try bind("iterable").required("iterable")), separator: text))
        case "find", "rfind", "index", "rindex", "count": return try search(name, in: text, bind("sub", "start", "end"))
        case "ljust", "rjust", "center", "zfill": return try padded(text, name, bind("width", "fillchar"))
        case "format": return try made(braced(text, arguments))
        default:
            if let test = Self.characterTests[name] {
                _ = try bind()
                return .bool(test(text))
            }
            throw unsupported("the method \"\(name)\" of strings is not supported")
        }
    }

    func cased(_ text: String, _ name: String) -> String {
        switch name {
        case "upper": PythonText.upper(text)
        case "title": PythonText.titled(text)
        case "capitalize": PythonText.capitalized(text)
        case "swapcase": PythonText.swappedCase(text)
        case "casefold": PythonText.folded(text)
        default: PythonText.lower(text)
        }
    }

    /// `str.strip`. Strips whitespace if `characters` is nil or `None`; `start` and `end` select the sides.
    func stripped(_ text: String, _ characters: JinjaValue?, start: Bool = true, end: Bool = true) throws -> String {
        try charge(text.utf8.count)
        var goes = PythonText.isSpace
        if let characters {
            guard let set = characters.text else {
                if case .undefined(let reason) = characters { throw fault(reason) }
                throw fault("strip needs a string, not a \(characters.typeName)")
            }
            let scalars = Set(set.unicodeScalars)
            goes = { scalars.contains($0) }
        }
        var rest = text.unicodeScalars[...]
        if start { while let first = rest.first, goes(first) { rest.removeFirst() } }
        if end { while let last = rest.last, goes(last) { rest.removeLast() } }
        return String(rest)
    }

    private func split(_ text: String, _ separator: String?, limit: Int, fromEnd: Bool) throws -> [String] {
        let limit = limit < 0 ? Int.max : limit
        guard let separator else { return try splitAtSpace(text, limit: limit, fromEnd: fromEnd) }
        if separator.isEmpty { throw fault("the separator is empty") }
        let (bytes, part) = fromEnd ? (text.utf8.reversed(), separator.utf8.reversed()) : (Array(text.utf8), Array(separator.utf8))
        var pieces: [[UInt8]] = []
        var start = 0
        let places = PythonSearch.places(of: part, in: bytes, limit: limit)
        try charge(places.count * 64)
        for place in places {
            pieces.append(Array(bytes[start..<place]))
            start = place + part.count
        }
        pieces.append(Array(bytes[start...]))
        if fromEnd { pieces = pieces.reversed().map { $0.reversed() } }
        return pieces.map { String(decoding: $0, as: UTF8.self) }
    }

    private func splitAtSpace(_ text: String, limit: Int, fromEnd: Bool) throws -> [String] {
        var rest: [Unicode.Scalar] = Array(text.unicodeScalars)
        if fromEnd { rest.reverse() }
        var words: [[Unicode.Scalar]] = []
        var index = 0
        while true {
            while index < rest.count, PythonText.isSpace(rest[index]) { index += 1 }
            guard index < rest.count else { break }
            try charge(64)
            var end = index
            if words.count == limit {
                end = rest.count
                while PythonText.isSpace(rest[end - 1]) { end -= 1 }
                words.append(Array(rest[index..<end]))
                break
            }
            while end < rest.count, !PythonText.isSpace(rest[end]) { end += 1 }
            words.append(Array(rest[index..<end]))
            index = end
        }
        if fromEnd { words = words.reversed().map { $0.reversed() } }
        return words.map { PythonText.string($0) }
    }

    func lines(of text: String, keepingEnds: Bool = false) throws -> [String] {
        try chargeScan(text)
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard PythonText.endsLine(scalar) else {
                line.append(scalar)
                continue
            }
            try charge(64)
            if keepingEnds { line.append(scalar) }
            if scalar == "\r", rest.first == "\n" {
                rest.removeFirst()
                if keepingEnds { line.append("\n") }
            }
            lines.append(String(line))
            line = String.UnicodeScalarView()
        }
        if !line.isEmpty { lines.append(String(line)) }
        return lines
    }

    private func partition(_ text: String, _ separator: String, fromEnd: Bool) throws -> JinjaValue {
        if separator.isEmpty { throw fault("the separator is empty") }
        let (bytes, part) = (Array(text.utf8), Array(separator.utf8))
        guard let place = fromEnd ? PythonSearch.last(of: part, in: bytes) : PythonSearch.first(of: part, in: bytes) else {
            return try tuple(fromEnd ? [.string(""), .string(""), .string(text)] : [.string(text), .string(""), .string("")])
        }
        let (before, after) = (bytes[..<place], bytes[(place + part.count)...])
        return try tuple([
            .string(String(decoding: before, as: UTF8.self)), .string(separator), .string(String(decoding: after, as: UTF8.self)),
        ])
    }

    /// The substring between the arguments `start` and `end` with Python's rules for negative indices, and its start in code
    /// points; nil if the start is after the end.
    private func bounded(_ text: String, _ given: JinjaBinding) throws -> (text: [UInt8], start: Int)? {
        guard given.given("start") != nil || given.given("end") != nil else { return (Array(text.utf8), 0) }
        let scalars = Array(text.unicodeScalars)
        func place(_ bound: Int) -> Int { bound < 0 ? max(0, bound + scalars.count) : bound }
        let start = place(try given.whole("start", default: 0))
        let end = min(place(try given.whole("end", default: scalars.count)), scalars.count)
        guard start <= end else { return nil }
        return (Array(PythonText.string(scalars[start..<end]).utf8), start)
    }

    private func hasAffix(_ text: String, _ given: JinjaBinding, atEnd: Bool) throws -> Bool {
        let affix = try given.required("affix")
        var affixes = [affix]
        if case .tuple(let sequence) = affix { affixes = sequence.values }
        let texts = try affixes.map { value -> [UInt8] in
            guard let text = value.text else {
                if case .undefined(let reason) = value { throw fault(reason) }
                throw fault("\(atEnd ? "endswith" : "startswith") needs a string or a tuple of strings, not a \(value.typeName)")
            }
            return Array(text.utf8)
        }
        guard let part = try bounded(text, given)?.text else { return false }
        return texts.contains { atEnd ? $0.count <= part.count && part.suffix($0.count).elementsEqual($0) : part.starts(with: $0) }
    }

    /// `str.replace`.
    func replaced(_ text: String, _ old: String, _ new: String, limit: Int) throws -> String {
        try charge(text.utf8.count)
        let limit = limit < 0 ? Int.max : limit
        let (bytes, replacement) = (Array(text.utf8), Array(new.utf8))
        var result: [UInt8] = []
        if old.isEmpty {
            try chargeScan(text)
            let scalars = Array(text.unicodeScalars)
            try charge(min(limit, scalars.count + 1) * replacement.count)
            for (index, scalar) in scalars.enumerated() {
                if index < limit { result += replacement }
                result += UTF8.encode(scalar).map { Array($0) } ?? []
            }
            if scalars.count < limit { result += replacement }
            return String(decoding: result, as: UTF8.self)
        }
        let part = Array(old.utf8)
        let places = PythonSearch.places(of: part, in: bytes, limit: limit)
        if places.isEmpty { return text }
        try charge(places.count * replacement.count)
        var start = 0
        for place in places {
            result += bytes[start..<place]
            result += replacement
            start = place + part.count
        }
        result += bytes[start...]
        return String(decoding: result, as: UTF8.self)
    }

    /// `str.join`, which accepts only strings.
    private func joined(_ values: [JinjaValue], separator: String) throws -> String {
        let texts = try values.map { value -> String in
            guard let text = value.text else {
                if case .undefined(let reason) = value { throw fault(reason) }
                throw fault("join needs strings, not a \(value.typeName)")
            }
            return text
        }
        try charge(texts.reduce(separator.utf8.count * texts.count) { $0 + $1.utf8.count })
        return texts.joined(separator: separator)
    }

    private func search(_ name: String, in text: String, _ given: JinjaBinding) throws -> JinjaValue {
        let part = Array(try given.text("sub").utf8)
        guard let (bytes, start) = try bounded(text, given) else {
            if name == "index" || name == "rindex" { throw fault("the substring is not found") }
            return .int(name == "count" ? 0 : -1)
        }
        func points(_ bytes: ArraySlice<UInt8>) -> Int { bytes.count { $0 & 0xC0 != 0x80 } }
        if name == "count" {
            return .int(part.isEmpty ? points(bytes[...]) + 1 : PythonSearch.places(of: part, in: bytes).count)
        }
        let found = name.hasPrefix("r") ? PythonSearch.last(of: part, in: bytes) : PythonSearch.first(of: part, in: bytes)
        if let found { return .int(start + points(bytes[..<found])) }
        if name.hasSuffix("index") { throw fault("the substring is not found") }
        return .int(-1)
    }

    private func padded(_ text: String, _ name: String, _ given: JinjaBinding) throws -> JinjaValue {
        let width = try given.whole("width", default: 0)
        let fill = try name == "zfill" ? "0" : given.text("fillchar", default: " ")
        guard PythonText.count(fill) == 1 else { throw fault("the fill character must be one character") }
        let count = PythonText.count(text)
        let missing = width - count
        guard missing > 0 else { return .string(text) }
        try charge(missing * fill.utf8.count)
        func filling(_ count: Int) -> String { String(repeating: fill, count: count) }
        switch name {
        case "ljust": return .string(text + filling(missing))
        case "rjust": return .string(filling(missing) + text)
        case "zfill":
            let sign = text.first.map { "+-".contains($0) } ?? false
            return .string(text.prefix(sign ? 1 : 0) + filling(missing) + text.dropFirst(sign ? 1 : 0))
        default:
            let left = missing / 2 + (missing & width & 1)
            return .string(filling(left) + text + filling(missing - left))
        }
    }

    private static let characterTests: [String: @Sendable (String) -> Bool] = {
        func all(_ test: @escaping @Sendable (Unicode.Scalar) -> Bool) -> @Sendable (String) -> Bool {
            { !$0.isEmpty && $0.unicodeScalars.allSatisfy(test) }
        }
        return [
            "isspace": all(PythonText.isSpace), "isalpha": all(PythonText.isLetter), "isdigit": all(PythonText.isDigit),
            "isnumeric": all(PythonText.isNumeric), "isdecimal": all { $0.properties.numericType == .decimal },
            "isalnum": all { PythonText.isLetter($0) || PythonText.isNumeric($0) },
            "isascii": { $0.utf8.allSatisfy { $0 < 0x80 } },
            "islower": {
                isCased($0)
                    && !$0.unicodeScalars.contains { $0.properties.isUppercase || $0.properties.generalCategory == .titlecaseLetter }
            },
            "isupper": {
                isCased($0)
                    && !$0.unicodeScalars.contains { $0.properties.isLowercase || $0.properties.generalCategory == .titlecaseLetter }
            },
        ]
    }()

    static func isCased(_ text: String) -> Bool {
        text.unicodeScalars.contains {
            $0.properties.isUppercase || $0.properties.isLowercase || $0.properties.generalCategory == .titlecaseLetter
        }
    }

    /// `str.islower` or `str.isupper`.
    func characterTest(_ name: String, _ text: String) -> Bool { Self.characterTests[name]?(text) ?? false }
}
