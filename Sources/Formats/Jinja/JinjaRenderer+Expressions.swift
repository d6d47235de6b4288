/// The evaluated arguments of a call.
struct JinjaCallArguments {
    var positional: [JinjaValue] = []
    var keywords: [(name: String, value: JinjaValue)] = []
}

extension JinjaRenderer {
    // MARK: Making values

    /// Checks that a value may be stored in a list, dictionary or namespace, and returns it.
    func kept(_ value: JinjaValue) throws -> JinjaValue {
        guard value.depth < JinjaValue.depthLimit else {
            throw unsupported(
                "unsupported: a \(value.typeName) in a list, dictionary or namespace, or more than \(JinjaValue.depthLimit) nested lists")
        }
        return value
    }

    private func sequence(_ values: [JinjaValue]) throws -> JinjaSequence {
        try charge(values.count * 16)
        let sequence = JinjaSequence(values)
        guard sequence.depth <= JinjaValue.depthLimit else {
            for value in values { _ = try kept(value) }
            throw unsupported("more than \(JinjaValue.depthLimit) nested lists are not supported")
        }
        return sequence
    }

    func list(_ values: [JinjaValue]) throws -> JinjaValue { .list(try sequence(values)) }
    func tuple(_ values: [JinjaValue]) throws -> JinjaValue { .tuple(try sequence(values)) }
    func view(_ name: String, _ values: [JinjaValue]) throws -> JinjaValue { .view(name, try sequence(values)) }

    /// A generator over the results of a filter. The filter runs when the first element is requested.
    func generator(of source: JinjaValue, _ make: @escaping () throws -> [JinjaValue]) throws -> JinjaValue {
        guard source.depth + 2 <= JinjaValue.depthLimit else { return try list(make()) }
        let start = line
        return .generator(
            JinjaGenerator(depth: source.depth + 2) { [unowned self] in
                line = start
                return try sequence(make()).values
            })
    }

    /// A new string; its size counts towards the work limit.
    func made(_ text: String) throws -> JinjaValue {
        try charge(text.utf8.count)
        return .string(text)
    }

    func isTrue(_ value: JinjaValue) throws -> Bool { value.isTrue }

    /// The dictionary key for a value, as Python's `hash` and equality define it.
    func key(_ value: JinjaValue) throws -> JinjaKey {
        switch value {
        case .none: return .none
        case .undefined: return .undefined
        case .bool, .int: return .int(value.wholeNumber ?? 0)
        case .float(let number):
            if let whole = Int(exactly: number) { return .int(whole) }
            return .float(number)
        case .string(let text): return .string(Array(text.utf8))
        case .tuple(let sequence): return .tuple(try sequence.values.map { try key($0) })
        case .namespace(let object): return .object(ObjectIdentifier(object))
        default: throw fault("a \(value.typeName) cannot be the key of a dictionary")
        }
    }

    // MARK: Expressions

    func evaluate(_ expression: JinjaExpression, _ scope: JinjaScope) throws -> JinjaValue {
        try step()
        try enter()
        defer { leave() }
        switch expression.kind {
        case .none: return .none
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(value)
        case .float(let value): return .float(value)
        case .string(let text): return .string(text)
        case .name(let name):
            return scope[name] ?? .undefined("\(OneLine.quoted(name, limit: 60)) is undefined")
        case .list(let elements): return try list(elements.map { try evaluate($0, scope) })
        case .tuple(let elements): return try tuple(elements.map { try evaluate($0, scope) })
        case .dict(let members): return try dict(members, scope)
        case .and(let left, let right):
            let value = try evaluate(left, scope)
            return value.isTrue ? try evaluate(right, scope) : value
        case .or(let left, let right):
            let value = try evaluate(left, scope)
            return value.isTrue ? value : try evaluate(right, scope)
        case .not(let operand): return .bool(!(try evaluate(operand, scope).isTrue))
        case .conditional(let test, let then, let otherwise):
            if try evaluate(test, scope).isTrue { return try evaluate(then, scope) }
            guard let otherwise else { return .undefined("the inline if-expression evaluated to false and no else section was defined") }
            return try evaluate(otherwise, scope)
        case .unary(let operation, let operand):
            let value = try evaluate(operand, scope)
            line = expression.line
            return try signed(value, operation)
        case .binary(let operation, let left, let right):
            let (first, second) = (try evaluate(left, scope), try evaluate(right, scope))
            line = expression.line
            return try binary(operation, first, second)
        case .concat(let parts):
            var text = ""
            for part in parts {
                text += try string(evaluate(part, scope))
                try charge(text.utf8.count / 8)
            }
            return try made(text)
        case .compare(let first, let operands): return try compare(first, operands, scope)
        case .attribute, .item, .slice: return try access(expression, scope)
        case .call(let callee, let arguments):
            let function = try evaluate(callee, scope)
            let found = try self.arguments(arguments, scope)
            line = expression.line
            return try call(function, found)
        case .filter(let operand, _, _):
            guard let operand else { throw fault("a filter without a value") }
            return try filter(expression, on: evaluate(operand, scope), scope)
        case .test(let operand, let name, let arguments):
            let value = try evaluate(operand, scope)
            let found = try self.arguments(arguments, scope)
            line = expression.line
            return .bool(try test(name, value, found))
        }
    }

    private func dict(
        _ members: [(key: JinjaExpression, value: JinjaExpression)], _ scope: JinjaScope
    ) throws -> JinjaValue {
        var dict = JinjaDict()
        for member in members {
            let name = try evaluate(member.key, scope)
            dict.set(name, try kept(evaluate(member.value, scope)), hash: try key(name))
        }
        return try checked(dict)
    }

    func checked(_ dict: JinjaDict) throws -> JinjaValue {
        try charge(dict.count * 48)
        return try kept(.dict(dict))
    }

    private func compare(
        _ first: JinjaExpression, _ operands: [(comparison: JinjaOperator, operand: JinjaExpression)], _ scope: JinjaScope
    ) throws -> JinjaValue {
        var left = try evaluate(first, scope)
        for (comparison, operand) in operands {
            let right = try evaluate(operand, scope)
            line = operand.line
            guard try compare(comparison, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func access(_ expression: JinjaExpression, _ scope: JinjaScope) throws -> JinjaValue {
        switch expression.kind {
        case .attribute(let operand, let name):
            let value = try evaluate(operand, scope)
            line = expression.line
            return try attribute(name, of: value)
        case .item(let operand, let keyExpression):
            let (value, key) = (try evaluate(operand, scope), try evaluate(keyExpression, scope))
            line = expression.line
            return try item(key, of: value)
        case .slice(let operand, let start, let stop, let step):
            let value = try evaluate(operand, scope)
            let bounds = try [start, stop, step].map { try $0.map { try evaluate($0, scope) } }
            line = expression.line
            return try slice(value, bounds)
        default: return .none
        }
    }

    func arguments(_ arguments: JinjaArguments, _ scope: JinjaScope) throws -> JinjaCallArguments {
        var found = JinjaCallArguments()
        found.positional = try arguments.positional.map { try evaluate($0, scope) }
        found.keywords = try arguments.keywords.map { ($0.name, try evaluate($0.value, scope)) }
        if let sequence = arguments.sequence { found.positional += try iterate(evaluate(sequence, scope)) }
        if let mapping = arguments.mapping {
            guard case .dict(let dict) = try evaluate(mapping, scope) else { throw fault("the value after ** must be a dictionary") }
            for member in dict.members {
                guard let name = member.key.text else { throw fault("keyword names must be strings") }
                found.keywords.append((name, member.value))
            }
        }
        for (index, keyword) in found.keywords.enumerated() where found.keywords[..<index].contains(where: { $0.name == keyword.name }) {
            throw fault("the keyword argument \(OneLine.quoted(keyword.name)) is repeated")
        }
        return found
    }

    /// Applies one filter to a value. If the filter's operand is itself a chain of filters on a block's text, applies that chain
    /// first.
    func filter(_ expression: JinjaExpression, on value: JinjaValue, _ scope: JinjaScope) throws -> JinjaValue {
        guard case .filter(let operand, let name, let arguments) = expression.kind else { return try evaluate(expression, scope) }
        var value = value
        // in a chain of filters on a block, only the innermost filter has no operand
        if let operand, case .filter = operand.kind, operand.startsWithBlock { value = try filter(operand, on: value, scope) }
        let found = try self.arguments(arguments, scope)
        line = expression.line
        return try filter(name, value, found)
    }

    // MARK: Iterating

    /// The elements that a loop over a value visits.
    func iterate(_ value: JinjaValue) throws -> [JinjaValue] {
        if case .generator(let generator) = value { return try generator.all() }
        if case .loop(let loop) = value { return loop.items }
        switch value {
        case .string(let text): try charge(text.utf8.count * 16)
        case .range(_, _, let count, _): try charge(count * 16)
        case .dict(let dict): try charge(dict.count * 16)
        default: break
        }
        guard let elements = value.elements else { throw fault("a \(value.typeName) cannot be iterated over") }
        return elements
    }
}

extension JinjaExpression {
    /// Whether this is a chain of filters whose innermost operand is a block's text.
    fileprivate var startsWithBlock: Bool {
        guard case .filter(let operand, _, _) = kind else { return false }
        return operand?.startsWithBlock ?? true
    }
}
