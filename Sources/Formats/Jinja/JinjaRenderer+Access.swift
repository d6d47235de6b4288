extension JinjaRenderer {
    /// The value of `value.name`: a method or attribute, else an item.
    func attribute(_ name: String, of value: JinjaValue) throws -> JinjaValue {
        if case .undefined(let reason) = value { throw fault(reason) }
        if let found = try ownAttribute(name, of: value) { return found }
        if case .dict(let dict) = value, let found = dict[name] { return found }
        return missing(name, of: value)
    }

    /// The value of `value[key]`: an item, else a method or attribute.
    func item(_ key: JinjaValue, of value: JinjaValue) throws -> JinjaValue {
        switch value {
        case .undefined(let reason): throw fault(reason)
        case .dict(let dict):
            if let key = try? self.key(key), let found = dict[key] { return found }
        case .list(let sequence), .tuple(let sequence):
            if let index = key.wholeNumber {
                let place = index < 0 ? index + sequence.values.count : index
                if sequence.values.indices.contains(place) { return sequence.values[place] }
            }
        case .range(let start, _, let count, let step):
            if let index = key.wholeNumber {
                let place = index < 0 ? index + count : index
                if (0..<count).contains(place) { return .int(start + place * step) }
            }
        case .string(let text):
            if let index = key.wholeNumber, let scalar = try scalar(index, of: text) { return .string(String(scalar)) }
        default: break
        }
        if let name = key.text { return try ownAttribute(name, of: value) ?? missing(name, of: value) }
        return .undefined("\(value.typeName) has no element \((try? representation(key)) ?? key.typeName)")
    }

    private func scalar(_ index: Int, of text: String) throws -> Unicode.Scalar? {
        try charge(text.utf8.count / 8)
        let scalars = text.unicodeScalars
        if index >= 0 { return scalars.dropFirst(index).first }
        // a negative index counts from the end; out of range gives nil
        let tail = scalars.suffix(-max(index, -scalars.count - 1))
        return tail.count == -index ? tail.first : nil
    }

    private func missing(_ name: String, of value: JinjaValue) -> JinjaValue {
        let shown = OneLine.quoted(name, limit: 60)
        return .undefined(value.typeName == "dict" ? "a dict has no attribute \(shown)" : "\(value.typeName) has no attribute \(shown)")
    }

    /// A method or attribute of a value; nil if Python's type has none of that name.
    private func ownAttribute(_ name: String, of value: JinjaValue) throws -> JinjaValue? {
        if name.hasPrefix("_") { return nil }
        switch value {
        case .string: return JinjaMethods.strings.contains(name) ? .method(value, name) : nil
        case .dict:
            if JinjaMethods.dictChanges.contains(name) { return changing(name, value) }
            return JinjaMethods.dicts.contains(name) ? .method(value, name) : nil
        case .list:
            if JinjaMethods.listChanges.contains(name) { return changing(name, value) }
            return JinjaMethods.lists.contains(name) ? .method(value, name) : nil
        case .tuple, .range: return ["count", "index"].contains(name) ? .method(value, name) : nil
        case .namespace(let namespace): return namespace.attributes[name]
        case .loop(let loop): return try attribute(name, of: loop)
        case .cycler(let cycler) where !cycler.isJoiner:
            if name == "current" { return cycler.items[cycler.position] }
            return ["next", "reset"].contains(name) ? .method(value, name) : nil
        case .macro(let macro):
            switch name {
            case "name": return .string(macro.definition.name)
            case "arguments": return try tuple(macro.definition.signature.names.map { .string($0) })
            case "caller", "catch_kwargs", "catch_varargs":
                let asked = ["caller": "caller", "catch_kwargs": "kwargs", "catch_varargs": "varargs"][name] ?? ""
                return .bool(macro.definition.asksFor.contains(asked))
            default: return nil
            }
        case .int, .float, .bool:
            guard JinjaMethods.numbers.contains(name) else { return nil }
            if name == "real" { return value.wholeNumber.map { .int($0) } ?? value }
            throw unsupported("the attribute \"\(name)\" of numbers is not supported")
        default: return nil
        }
    }

    /// The undefined value for a method that would modify a list or dictionary. Transformers' sandbox forbids such methods.
    private func changing(_ name: String, _ value: JinjaValue) -> JinjaValue {
        .undefined("the method \"\(name)\" modifies a \(value.typeName), which chat templates cannot do; use + or a namespace")
    }

    private func attribute(_ name: String, of loop: JinjaLoop) throws -> JinjaValue? {
        switch name {
        case "index": return .int(loop.index + 1)
        case "index0": return .int(loop.index)
        case "revindex": return .int(loop.items.count - loop.index)
        case "revindex0": return .int(loop.items.count - loop.index - 1)
        case "first": return .bool(loop.index == 0)
        case "last": return .bool(loop.index == loop.items.count - 1)
        case "length": return .int(loop.items.count)
        case "depth": return .int(1)
        case "depth0": return .int(0)
        case "previtem": return loop.index > 0 ? loop.items[loop.index - 1] : .undefined("there is no previous item")
        case "nextitem":
            return loop.index + 1 < loop.items.count ? loop.items[loop.index + 1] : .undefined("there is no next item")
        case "cycle", "changed": return .method(.loop(loop), name)
        default: return nil
        }
    }

    // MARK: Slices

    func slice(_ value: JinjaValue, _ bounds: [JinjaValue?]) throws -> JinjaValue {
        if case .undefined(let reason) = value { throw fault(reason) }
        let numbers = try bounds.map { bound -> Int? in
            guard let bound else { return nil }
            if case .none = bound { return nil }
            guard let whole = bound.wholeNumber else {
                if case .undefined(let reason) = bound { throw fault(reason) }
                throw fault("a slice needs whole numbers, not a \(bound.typeName)")
            }
            return whole
        }
        if numbers[2] == 0 { throw fault("the step of a slice is zero") }
        func cut<Element>(_ elements: [Element]) -> [Element] {
            Self.places(elements.count, numbers[0], numbers[1], numbers[2] ?? 1).all.map { elements[$0] }
        }
        switch value {
        case .string(let text):
            try chargeScan(text)
            return .string(PythonText.string(cut(Array(text.unicodeScalars))))
        case .list(let sequence): return try list(cut(sequence.values))
        case .tuple(let sequence): return try tuple(cut(sequence.values))
        case .range(let start, _, let count, let step):
            let stride = max(min(numbers[2] ?? 1, JinjaLimits.range), -JinjaLimits.range)
            let places = Self.places(count, numbers[0], numbers[1], stride)
            let (newStep, isOver) = step.multipliedReportingOverflow(by: stride)
            let (first, isOverToo) = start.addingReportingOverflow(places.start &* step)
            if isOver || isOverToo { throw unsupported("whole numbers that do not fit into 64 bits are not supported") }
            return .range(start: first, stop: start &+ places.end &* step, count: places.all.count, step: newStep)
        default: throw fault("a \(value.typeName) cannot be sliced")
        }
    }

    /// The start and end of a Python slice, and the indices that it selects.
    private static func places(_ count: Int, _ start: Int?, _ stop: Int?, _ step: Int) -> (start: Int, end: Int, all: [Int]) {
        func clamped(_ bound: Int, _ low: Int, _ high: Int) -> Int {
            let place = bound < 0 ? max(bound, -count - 1) + count : bound
            return min(max(place, low), high)
        }
        if step > 0 {
            let first = clamped(start ?? 0, 0, count)
            let end = clamped(stop ?? count, 0, count)
            return (first, end, first < end ? Array(stride(from: first, to: end, by: min(step, count + 1))) : [])
        }
        let first = start.map { clamped($0, -1, count - 1) } ?? count - 1
        let end = stop.map { clamped($0, -1, count - 1) } ?? -1
        return (first, end, first > end ? Array(stride(from: first, to: end, by: max(step, -count - 1))) : [])
    }
}

/// The names of Python's methods, including those that are not implemented: calling one of these gives an error that names it,
/// instead of an undefined value.
enum JinjaMethods {
    static let strings: Set<String> = [
        "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format", "format_map", "index", "isalnum",
        "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle",
        "isupper",
        "join", "ljust", "lower", "lstrip", "maketrans", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust",
        "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "translate", "upper", "zfill",
    ]
    static let dicts: Set<String> = ["copy", "fromkeys", "get", "items", "keys", "values"]
    static let dictChanges: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]
    static let lists: Set<String> = ["copy", "count", "index"]
    static let listChanges: Set<String> = ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"]
    static let numbers: Set<String> = [
        "real", "imag", "numerator", "denominator", "bit_length", "bit_count", "conjugate", "to_bytes", "from_bytes", "as_integer_ratio",
        "is_integer", "hex", "fromhex",
    ]
}
