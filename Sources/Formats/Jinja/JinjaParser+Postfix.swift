/// Parsing of what follows a primary expression: attributes, items, slices, calls, filters and tests.
extension JinjaParser {
    mutating func postfix(_ value: JinjaExpression) throws -> JinjaExpression {
        var value = value
        while true {
            let line = line
            if skip(".") {
                switch next().kind {
                case .name(let name): value = try JinjaExpression(.attribute(value, name), line: line, [value])
                case .integer(let number):
                    value = try JinjaExpression(.item(value, JinjaExpression(.int(number), line: line)), line: line, [value])
                default: throw fault("expected a name or a number after '.'", line: line)
                }
            } else if skip("[") {
                value = try nested { try $0.subscripted(value, line: line) }
            } else if isSymbol("(") {
                let arguments = try arguments()
                value = try JinjaExpression(.call(value, arguments), line: line, [value] + arguments.parts)
            } else {
                return value
            }
        }
    }

    private mutating func subscripted(_ value: JinjaExpression, line: Int) throws -> JinjaExpression {
        var elements: [JinjaExpression] = []
        while !isSymbol("]") {
            if !elements.isEmpty { try expect(",") }
            if isSymbol("]") { break }
            let first = isSymbol(":") ? nil : try expression()
            if isSymbol(":") {
                guard elements.isEmpty else { throw JinjaError(.unsupported, line: line, "multidimensional slices are not supported") }
                let slice = try slice(of: value, from: first, line: line)
                try expect("]")
                return slice
            }
            if let first { elements.append(first) }
        }
        try expect("]")
        let key = elements.count == 1 ? elements[0] : try JinjaExpression(.tuple(elements), line: line, elements)
        return try JinjaExpression(.item(value, key), line: line, [value, key])
    }

    private mutating func slice(of value: JinjaExpression, from start: JinjaExpression?, line: Int) throws -> JinjaExpression {
        try expect(":")
        let stop = isSymbol(":") || isSymbol("]") ? nil : try expression()
        var step: JinjaExpression?
        if skip(":"), !isSymbol("]") { step = try expression() }
        return try JinjaExpression(.slice(value, start: start, stop: stop, step: step), line: line, [value, start, stop, step])
    }

    mutating func filters(_ value: JinjaExpression) throws -> JinjaExpression {
        var value = value
        while true {
            let line = line
            if isSymbol("|") {
                value = try filter(value)
            } else if skip(name: "is") {
                value = try test(value, line: line)
            } else if isSymbol("(") {
                let arguments = try arguments()
                value = try JinjaExpression(.call(value, arguments), line: line, [value] + arguments.parts)
            } else {
                return value
            }
        }
    }

    /// Parses filters, each after a `|`. With `startsInline`, the first filter has no `|`.
    mutating func filter(_ value: JinjaExpression?, startsInline: Bool = false) throws -> JinjaExpression {
        var value = value
        var isFirst = startsInline
        repeat {
            if !isFirst { try expect("|") }
            isFirst = false
            let line = line
            let name = try dottedName()
            let arguments = isSymbol("(") ? try arguments() : JinjaArguments()
            value = try JinjaExpression(.filter(value, name, arguments), line: line, [value] + arguments.parts)
        } while isSymbol("|")
        guard let value else { throw fault("expected a filter") }
        return value
    }

    private mutating func dottedName() throws -> String {
        var name = try expectName()
        while skip(".") { name += "." + (try expectName()) }
        return name
    }

    private mutating func test(_ value: JinjaExpression, line: Int) throws -> JinjaExpression {
        let isNegated = skip(name: "not")
        let name = try dottedName()
        var arguments = JinjaArguments()
        if isSymbol("(") {
            arguments = try self.arguments()
        } else if startsArgument {
            if isName("is") { throw fault("tests cannot be chained with \"is\"") }
            arguments.positional = [try nested { try $0.postfix($0.primary()) }]
        }
        let test = try JinjaExpression(.test(value, name, arguments), line: line, [value] + arguments.parts)
        return isNegated ? try JinjaExpression(.not(test), line: line, [test]) : test
    }

    private var startsArgument: Bool {
        switch current.kind {
        case .name(let name): !["else", "or", "and"].contains(name)
        case .string, .integer, .float, .symbol("["), .symbol("{"): true
        default: false
        }
    }

    mutating func arguments() throws -> JinjaArguments {
        let line = line
        try expect("(")
        var arguments = JinjaArguments()
        var isFirst = true
        func check(_ isRight: Bool) throws {
            if !isRight { throw JinjaError(.syntax, line: line, "the arguments of a call are in the wrong order") }
        }
        while !isSymbol(")") {
            if !isFirst {
                try expect(",")
                if isSymbol(")") { break }
            }
            isFirst = false
            if skip("*") {
                try check(arguments.sequence == nil && arguments.mapping == nil)
                arguments.sequence = try expression()
            } else if skip("**") {
                try check(arguments.mapping == nil)
                arguments.mapping = try expression()
            } else if case .name(let name) = current.kind, peek().kind == .symbol("=") {
                try check(arguments.mapping == nil)
                next()
                next()
                arguments.keywords.append((name, try expression()))
            } else {
                try check(arguments.sequence == nil && arguments.mapping == nil && arguments.keywords.isEmpty)
                arguments.positional.append(try expression())
            }
        }
        try expect(")")
        return arguments
    }
}
