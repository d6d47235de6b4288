/// The names of the filters.
enum JinjaFilters {
    static let names: Set<String> = [
        "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "filesizeformat", "first",
        "float",
        "forceescape", "format", "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min",
        "pprint",
        "random", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr", "slice", "sort", "string",
        "striptags", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode", "urlize", "wordcount", "wordwrap",
        "xmlattr",
    ]
}

extension JinjaRenderer {
    /// Applies the filter `name` to a value.
    func filter(_ name: String, _ value: JinjaValue, _ arguments: JinjaCallArguments) throws -> JinjaValue {
        try step()
        func bind(_ names: String...) throws -> JinjaBinding { try JinjaBinding("the filter \"\(name)\"", arguments, names, self) }
        switch name {
        case "default", "d":
            let given = try bind("default_value", "boolean")
            guard value.isUndefined || (given.flag("boolean") && !value.isTrue) else { return value }
            return given["default_value"] ?? .string("")
        case "length", "count":
            _ = try bind()
            return .int(try length(value))
        case "tojson": return try tojson(value, bind("ensure_ascii", "indent", "separators", "sort_keys"))
        case "string", "safe":
            _ = try bind()
            return .string(try string(value))
        case "e", "escape", "forceescape":
            _ = try bind()
            return try made(escaped(string(value)))
        case "trim": return .string(try stripped(string(value), try bind("chars").given("chars")))
        case "upper", "lower", "capitalize":
            _ = try bind()
            let text = try string(value)
            try chargeScan(text)
            return try made(cased(text, name))
        case "title":
            _ = try bind()
            return try made(titled(string(value)))
        case "replace":
            let given = try bind("old", "new", "count")
            let (old, new) = (try string(given.required("old")), try string(given.required("new")))
            return try made(replaced(string(value), old, new, limit: given.whole("count", default: -1)))
        case "indent": return try indented(value, bind("width", "first", "blank"))
        case "format":
            guard arguments.keywords.isEmpty else { throw unsupported("the filter \"format\" with keyword arguments is not supported") }
            return try made(formatted(string(value), tuple(arguments.positional)))
        case "center":
            return try stringMethod(
                "center", of: string(value), JinjaCallArguments(positional: [.int(try bind("width").whole("width", default: 80))]))
        case "truncate": return try truncated(value, bind("length", "killwords", "end", "leeway"))
        case "wordcount":
            _ = try bind()
            let text = try string(value)
            try chargeScan(text)
            return .int(text.unicodeScalars.split { !PythonText.isWord($0) }.count)
        case "abs", "int", "float", "round": return try numberFilter(name, value, arguments)
        case "attr":
            let key = try bind("name").required("name")
            if case .undefined(let reason) = value { throw fault(reason) }
            guard let name = key.text else { throw fault("the filter \"attr\" needs a string") }
            if case .dict(let dict) = value, dict[name] != nil, !JinjaMethods.dicts.contains(name), !JinjaMethods.dictChanges.contains(name)
            {
                return .undefined("a dict has no attribute \(OneLine.quoted(name, limit: 60))")
            }
            return try attribute(name, of: value)
        default:
            guard JinjaFilters.names.contains(name) else { throw unsupported("unknown filter \(OneLine.quoted(name, limit: 40))") }
            return try sequenceFilter(name, value, arguments)
        }
    }

    /// The length of a value, as Python's `len`.
    func length(_ value: JinjaValue) throws -> Int {
        switch value {
        case .string(let text):
            try charge(text.utf8.count / 8)
            return PythonText.count(text)
        case .list(let sequence), .tuple(let sequence), .view(_, let sequence): return sequence.values.count
        case .dict(let dict): return dict.count
        case .range(_, _, let count, _): return count
        case .loop(let loop): return loop.items.count
        case .undefined: return 0
        default: throw fault("a \(value.typeName) has no length")
        }
    }

    private func tojson(_ value: JinjaValue, _ given: JinjaBinding) throws -> JinjaValue {
        var style = JSONStyle(itemSeparator: ", ")
        style.escapesNonASCII = given.flag("ensure_ascii")
        style.sortsKeys = given.flag("sort_keys")
        if let indent = given.given("indent") {
            style.itemSeparator = ","
            if let text = indent.text {
                style.indent = text
            } else {
                let width = try given.whole("indent", default: 0)
                guard width <= 1000 else { throw JinjaError(.limit, line: line, "the JSON indentation has more than 1000 spaces") }
                style.indent = String(repeating: " ", count: max(0, width))
            }
        }
        if let separators = given.given("separators") {
            let pair = try iterate(separators).map { try $0.text ?? { throw fault("JSON separators must be strings") }() }
            guard pair.count == 2 else { throw fault("expected two JSON separators") }
            (style.itemSeparator, style.keySeparator) = (pair[0], pair[1])
        }
        return .string(try json(value, style))
    }

    private func escaped(_ text: String) throws -> String {
        try chargeScan(text)
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            case "\"": result.append(contentsOf: "&#34;".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// Capitalises every word. Words start after whitespace, hyphens and opening brackets.
    private func titled(_ text: String) throws -> String {
        try chargeScan(text)
        var result = ""
        var word = String.UnicodeScalarView()
        func flush() {
            if let first = word.first {
                result += PythonText.upper(String(first)) + PythonText.lower(String(String.UnicodeScalarView(word.dropFirst())))
            }
            word = String.UnicodeScalarView()
        }
        for scalar in text.unicodeScalars {
            if PythonText.isSpace(scalar) || "-({[<".unicodeScalars.contains(scalar) {
                flush()
                result.unicodeScalars.append(scalar)
            } else {
                word.append(scalar)
            }
        }
        flush()
        return result
    }

    private func indented(_ value: JinjaValue, _ given: JinjaBinding) throws -> JinjaValue {
        guard let text = value.text else {
            if case .undefined(let reason) = value { throw fault(reason) }
            throw fault("the filter \"indent\" needs a string, not a \(value.typeName)")
        }
        let indent: String
        if let width = given["width"]?.text {
            indent = width
        } else {
            let width = try given.whole("width", default: 4)
            guard width <= 100_000 else { throw JinjaError(.limit, line: line, "the indentation has more than 100000 spaces") }
            indent = String(repeating: " ", count: max(0, width))
        }
        var lines = try lines(of: text + "\n")
        try charge(text.utf8.count + lines.count * indent.utf8.count)
        for index in lines.indices.dropFirst() where given.flag("blank") || !lines[index].isEmpty { lines[index] = indent + lines[index] }
        return .string((given.flag("first") ? indent : "") + lines.joined(separator: "\n"))
    }

    private func truncated(_ value: JinjaValue, _ given: JinjaBinding) throws -> JinjaValue {
        let length = try given.whole("length", default: 255)
        let end = try given.text("end", default: "...")
        let leeway = try given.whole("leeway", default: 5)
        guard length >= PythonText.count(end), leeway >= 0 else {
            throw fault("the length for the filter \"truncate\" is too small")
        }
        // Jinja checks the length first, which also works for lists
        if try self.length(value) <= length + leeway { return value }
        guard let text = value.text else { throw fault("the filter \"truncate\" needs a string, not a \(value.typeName)") }
        try chargeScan(text)
        let scalars = Array(text.unicodeScalars)
        var kept = scalars[..<(length - PythonText.count(end))]
        if !given.flag("killwords"), let space = kept.lastIndex(of: " ") { kept = kept[..<space] }
        return .string(PythonText.string(kept) + end)
    }
}
