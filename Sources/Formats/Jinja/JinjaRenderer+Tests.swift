/// The tests that may follow `is`.
extension JinjaRenderer {
    func test(_ name: String, _ value: JinjaValue, _ arguments: JinjaCallArguments) throws -> Bool {
        if let comparison = Self.comparisons[name] {
            let other = try JinjaBinding("the test \"\(name)\"", arguments, ["other"], self).required("other")
            return try compare(comparison, value, other)
        }
        switch name {
        case "divisibleby", "sameas", "in":
            let other = try JinjaBinding("the test \"\(name)\"", arguments, ["other"], self).required("other")
            if name == "in" { return try contains(other, value) }
            if name == "sameas" { return try isSame(value, other) }
            guard case .int(0) = try binary(.modulo, value, other) else { return try isEqual(binary(.modulo, value, other), .int(0)) }
            return true
        default: _ = try JinjaBinding("the test \"\(name)\"", arguments, [], self)
        }
        switch name {
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "none": if case .none = value { return true } else { return false }
        case "boolean": if case .bool = value { return true } else { return false }
        case "true": if case .bool(true) = value { return true } else { return false }
        case "false": if case .bool(false) = value { return true } else { return false }
        case "integer": if case .int = value { return true } else { return false }
        case "float": if case .float = value { return true } else { return false }
        case "number": return value.number != nil
        case "string": return value.text != nil
        case "mapping": if case .dict = value { return true } else { return false }
        case "sequence":
            switch value {
            case .list, .tuple, .string, .dict, .range, .undefined: return true
            default: return false
            }
        case "iterable":
            switch value {
            case .generator, .loop: return true
            default: return value.elements != nil
            }
        case "callable":
            switch value {
            case .macro, .function, .method, .undefined, .loop: return true
            case .cycler(let cycler): return cycler.isJoiner
            default: return false
            }
        case "odd", "even":
            return try isEqual(binary(.modulo, value, .int(2)), .int(name == "odd" ? 1 : 0))
        case "lower", "upper": return characterTest(name == "lower" ? "islower" : "isupper", try string(value))
        case "filter": return try JinjaFilters.names.contains(string(value))
        case "test": return try Self.testNames.contains(string(value)) || Self.comparisons[string(value)] != nil
        case "escaped": return false
        default: throw unsupported("unknown test \(OneLine.quoted(name, limit: 40))")
        }
    }

    private func isSame(_ left: JinjaValue, _ right: JinjaValue) throws -> Bool {
        switch (left, right) {
        case (.none, .none): true
        case (.bool(let first), .bool(let second)): first == second
        case (.none, _), (_, .none), (.bool, _), (_, .bool): false
        case (.namespace(let first), .namespace(let second)): first === second
        case _ where left.typeName != right.typeName: false
        default: throw unsupported("the test \"sameas\" of a \(left.typeName) and a \(right.typeName) is not supported")
        }
    }

    private static let comparisons: [String: JinjaOperator] = [
        "==": .equal, "eq": .equal, "equalto": .equal, "!=": .unequal, "ne": .unequal, "<": .less, "lt": .less, "lessthan": .less,
        "<=": .lessOrEqual, "le": .lessOrEqual, ">": .greater, "gt": .greater, "greaterthan": .greater, ">=": .greaterOrEqual,
        "ge": .greaterOrEqual,
    ]

    private static let testNames: Set<String> = [
        "divisibleby", "sameas", "in", "defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string",
        "mapping", "sequence", "iterable", "callable", "odd", "even", "lower", "upper", "filter", "test", "escaped",
    ]
}
