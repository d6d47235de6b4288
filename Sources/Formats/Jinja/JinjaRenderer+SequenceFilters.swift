/// Filters on lists and dictionaries.
extension JinjaRenderer {
    func sequenceFilter(_ name: String, _ value: JinjaValue, _ arguments: JinjaCallArguments) throws -> JinjaValue {
        func bind(_ names: String...) throws -> JinjaBinding { try JinjaBinding("the filter \"\(name)\"", arguments, names, self) }
        switch name {
        case "list":
            _ = try bind()
            return try list(iterate(value))
        case "first":
            _ = try bind()
            if case .generator(let generator) = value { return try generator.next() ?? .undefined("there is no first item") }
            return try iterate(value).first ?? .undefined("there is no first item")
        case "last":
            _ = try bind()
            if case .generator = value { throw fault("a generator has no last item; apply the filter list first") }
            return try iterate(value).last ?? .undefined("there is no last item")
        case "join":
            let given = try bind("d", "attribute")
            let separator = try given["d"].map { try string($0) } ?? ""
            let getter = try self.getter(given.given("attribute"))
            let texts = try iterate(value).map { try string(getter($0)) }
            try charge(texts.reduce(separator.utf8.count * texts.count) { $0 + $1.utf8.count })
            return .string(texts.joined(separator: separator))
        case "reverse":
            _ = try bind()
            if case .string(let text) = value {
                try chargeScan(text)
                return try made(PythonText.string(text.unicodeScalars.reversed()))
            }
            let values = try iterate(value)
            if case .generator = value { return try list(values.reversed()) }
            return try generator(of: value) { values.reversed() }
        case "items":
            _ = try bind()
            return try generator(of: value) { [self] in
                if value.isUndefined { return [] }
                guard case .dict(let dict) = value else { throw fault("the filter \"items\" needs a dictionary, not a \(value.typeName)") }
                return try dict.members.map { try tuple([$0.key, $0.value]) }
            }
        case "dictsort": return try dictsort(value, bind("case_sensitive", "by", "reverse"))
        case "sort":
            let given = try bind("reverse", "case_sensitive", "attribute")
            return try list(sorted(iterate(value), given, attributes: true))
        case "unique": return try unique(value, bind("case_sensitive", "attribute"))
        case "min", "max": return try extremum(value, bind("case_sensitive", "attribute"), isMaximum: name == "max")
        case "sum":
            let given = try bind("attribute", "start")
            let getter = try self.getter(given.given("attribute"))
            return try iterate(value).reduce(given["start"] ?? .int(0)) { try binary(.add, $0, getter($1)) }
        case "map": return try map(value, arguments)
        case "select", "reject", "selectattr", "rejectattr":
            return try select(value, arguments, rejects: name.hasPrefix("reject"), byAttribute: name.hasSuffix("attr"))
        case "batch":
            let given = try bind("linecount", "fill_with")
            let size = try given.whole("linecount", default: 0)
            guard given["linecount"] != nil else { throw fault("the filter \"batch\" needs a number") }
            return try generator(of: value) { [self] in try batches(iterate(value), size, given.given("fill_with")) }
        case "slice":
            let given = try bind("slices", "fill_with")
            let count = try given.whole("slices", default: 0)
            return try generator(of: value) { [self] in try slices(iterate(value), count, given.given("fill_with")) }
        case "groupby": return try groups(value, bind("attribute", "default", "case_sensitive"))
        default: throw unsupported("the filter \"\(name)\" is not supported in chat templates")
        }
    }

    // MARK: Attributes

    /// A function that looks up an attribute path such as `a.b.0` in a value. Without an attribute it returns the value itself.
    private func getter(_ attribute: JinjaValue?, default other: JinjaValue? = nil) throws -> (JinjaValue) throws -> JinjaValue {
        guard let attribute else { return { $0 } }
        let parts: [JinjaValue]
        if let text = attribute.text {
            parts = text.split(separator: ".", omittingEmptySubsequences: false).map { part in
                Int(part).flatMap { part.allSatisfy(\.isNumber) ? .int($0) : nil } ?? .string(String(part))
            }
        } else if case .int = attribute {
            parts = [attribute]
        } else {
            throw fault("an attribute must be a string or a whole number, not a \(attribute.typeName)")
        }
        return { value in
            var value = value
            for part in parts {
                value = try self.item(part, of: value)
                if let other, value.isUndefined { value = other }
            }
            return value
        }
    }

    private func folded(_ value: JinjaValue, _ caseSensitive: Bool) throws -> JinjaValue {
        guard !caseSensitive, let text = value.text else { return value }
        try charge(text.utf8.count)
        return .string(PythonText.lower(text))
    }

    // MARK: Order

    private func sorted(_ values: [JinjaValue], _ given: JinjaBinding, attributes: Bool) throws -> [JinjaValue] {
        var getters: [(JinjaValue) throws -> JinjaValue] = []
        if let names = given.given("attribute")?.text {
            getters = try names.split(separator: ",", omittingEmptySubsequences: false).map { try getter(.string(String($0))) }
        } else {
            getters = [try getter(given.given("attribute"))]
        }
        let caseSensitive = given.flag("case_sensitive")
        let keyed = try values.map { value in
            (value, JinjaSequence(try getters.map { try folded($0(value), caseSensitive) }))
        }
        return try reversible(keyed, given.flag("reverse")) { try isOrdered(.list($0.1), .list($1.1), "<") }.map(\.0)
    }

    /// Sorts in ascending or descending order. The sort is stable in both directions.
    private func reversible<Element>(
        _ elements: [Element], _ isReversed: Bool, _ isBefore: (Element, Element) throws -> Bool
    ) throws -> [Element] {
        isReversed ? try sorted(elements) { try isBefore($1, $0) } : try sorted(elements, by: isBefore)
    }

    private func dictsort(_ value: JinjaValue, _ given: JinjaBinding) throws -> JinjaValue {
        let by = try given.text("by", default: "key")
        guard by == "key" || by == "value" else { throw fault("dictionaries can be sorted by key or by value only") }
        guard case .dict(let dict) = value else {
            if case .undefined(let reason) = value { throw fault(reason) }
            throw fault("the filter \"dictsort\" needs a dictionary, not a \(value.typeName)")
        }
        let caseSensitive = given.flag("case_sensitive")
        let keyed = try dict.members.map { ($0, try folded(by == "key" ? $0.key : $0.value, caseSensitive)) }
        let order = try reversible(keyed, given.flag("reverse")) { try isOrdered($0.1, $1.1, "<") }
        return try list(order.map { try tuple([$0.0.key, $0.0.value]) })
    }

    private func unique(_ value: JinjaValue, _ given: JinjaBinding) throws -> JinjaValue {
        let caseSensitive = given.flag("case_sensitive")
        return try generator(of: value) { [self] in
            let getter = try self.getter(given.given("attribute"))
            var seen: Set<JinjaKey> = []
            return try iterate(value).filter { try seen.insert(key(folded(getter($0), caseSensitive))).inserted }
        }
    }

    private func extremum(_ value: JinjaValue, _ given: JinjaBinding, isMaximum: Bool) throws -> JinjaValue {
        let getter = try self.getter(given.given("attribute"))
        var best: (value: JinjaValue, key: JinjaValue)?
        for value in try iterate(value) {
            let key = try folded(getter(value), given.flag("case_sensitive"))
            if let old = best?.key, !(try isMaximum ? isOrdered(old, key, ">") : isOrdered(key, old, "<")) { continue }
            best = (value, key)
        }
        return best?.value ?? .undefined("there is no item to compare")
    }

    // MARK: Choosing

    private func map(_ value: JinjaValue, _ arguments: JinjaCallArguments) throws -> JinjaValue {
        try generator(of: value) { [self] in try mapped(value, arguments) }
    }

    private func mapped(_ value: JinjaValue, _ arguments: JinjaCallArguments) throws -> [JinjaValue] {
        if !value.isTrue { return [] }
        if arguments.positional.isEmpty, arguments.keywords.contains(where: { $0.name == "attribute" }) {
            let given = try JinjaBinding("the filter \"map\"", arguments, ["attribute", "default"], self)
            let getter = try self.getter(given.required("attribute"), default: given.given("default"))
            return try iterate(value).map { try getter($0) }
        }
        guard let name = arguments.positional.first?.text else {
            throw fault("the filter \"map\" needs the name of a filter, or an attribute")
        }
        let rest = JinjaCallArguments(positional: Array(arguments.positional.dropFirst()), keywords: arguments.keywords)
        return try iterate(value).map { try filter(name, $0, rest) }
    }

    private func select(
        _ value: JinjaValue, _ arguments: JinjaCallArguments, rejects: Bool, byAttribute: Bool
    ) throws -> JinjaValue {
        try generator(of: value) { [self] in try selected(value, arguments, rejects: rejects, byAttribute: byAttribute) }
    }

    private func selected(
        _ value: JinjaValue, _ arguments: JinjaCallArguments, rejects: Bool, byAttribute: Bool
    ) throws -> [JinjaValue] {
        if !value.isTrue { return [] }
        var rest = arguments
        var getter: (JinjaValue) throws -> JinjaValue = { $0 }
        if byAttribute {
            guard !rest.positional.isEmpty else { throw fault("the filter needs the name of an attribute") }
            getter = try self.getter(rest.positional.removeFirst())
        }
        guard !rest.positional.isEmpty else { return try iterate(value).filter { try getter($0).isTrue != rejects } }
        guard let name = rest.positional.removeFirst().text else { throw fault("the filter needs the name of a test") }
        return try iterate(value).filter { try test(name, getter($0), rest) != rejects }
    }

    // MARK: Grouping

    private func batches(_ values: [JinjaValue], _ size: Int, _ fill: JinjaValue?) throws -> [JinjaValue] {
        var batches: [[JinjaValue]] = []
        var batch: [JinjaValue] = []
        for value in values {
            if batch.count == size {
                batches.append(batch)
                batch = []
            }
            batch.append(value)
        }
        if !batch.isEmpty {
            if let fill, batch.count < size {
                try charge(min(size, Int.max / 32) * 16)
                batch += Array(repeating: fill, count: size - batch.count)
            }
            batches.append(batch)
        }
        return try batches.map { try list($0) }
    }

    private func slices(_ values: [JinjaValue], _ count: Int, _ fill: JinjaValue?) throws -> [JinjaValue] {
        if count == 0 { throw fault("the filter \"slice\" needs at least one slice") }
        guard count > 0 else { return [] }
        try charge(min(count, Int.max / 64) * 32)
        let (size, extra) = (values.count / count, values.count % count)
        var start = 0
        return try (0..<count).map { index in
            let end = start + size + (index < extra ? 1 : 0)
            defer { start = end }
            var slice = Array(values[start..<end])
            if let fill, index >= extra { slice.append(fill) }
            return try list(slice)
        }
    }

    private func groups(_ value: JinjaValue, _ given: JinjaBinding) throws -> JinjaValue {
        let getter = try self.getter(given.required("attribute"), default: given.given("default"))
        let caseSensitive = given.flag("case_sensitive")
        let keyed = try iterate(value).map { (value: $0, key: try folded(getter($0), caseSensitive)) }
        var groups: [(key: JinjaValue, values: [JinjaValue])] = []
        for entry in try sorted(keyed, by: { try isOrdered($0.key, $1.key, "<") }) {
            if let last = groups.last, try isEqual(last.key, entry.key) {
                groups[groups.count - 1].values.append(entry.value)
            } else {
                groups.append((entry.key, [entry.value]))
            }
        }
        return try list(
            groups.map { group in
                let shown = try caseSensitive ? group.key : getter(group.values[0])
                return try tuple([shown, list(group.values)])
            })
    }
}
