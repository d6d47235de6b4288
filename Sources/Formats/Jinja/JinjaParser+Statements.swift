extension JinjaParser {
    /// Parses a whole template.
    mutating func template() throws -> [JinjaStatement] {
        let statements = try body(until: [])
        guard current.kind == .end else { throw fault("unexpected \(current.kind.shown)") }
        return statements
    }

    /// Parses statements until a tag whose name is in `ends`. That name is then the current token.
    private mutating func body(until ends: [String]) throws -> [JinjaStatement] {
        var statements: [JinjaStatement] = []
        while true {
            let line = line
            switch current.kind {
            case .end:
                guard let end = ends.last else { return statements }
                throw fault("the template ends where \"\(end)\" should be")
            case .text(let text):
                next()
                statements.append(JinjaStatement(kind: .text(text), line: line))
            case .outputBegin:
                next()
                statements.append(JinjaStatement(kind: .output(try tuple()), line: line))
                try expect(.outputEnd)
            case .blockBegin:
                next()
                guard case .name(let name) = current.kind else {
                    throw fault("expected the name of a statement, found \(current.kind.shown)")
                }
                if ends.contains(name) { return statements }
                next()
                statements.append(JinjaStatement(kind: try nested { try $0.statement(name, line: line) }, line: line))
                try expect(.blockEnd)
            default:
                throw fault("unexpected \(current.kind.shown)")
            }
        }
    }

    /// Parses the rest of a block: the end of its opening tag, its body, and the name of the tag that ends it.
    private mutating func block(until ends: String...) throws -> (body: [JinjaStatement], end: String) {
        _ = skip(":")
        try expect(.blockEnd)
        let statements = try body(until: ends)
        return (statements, try expectName())
    }

    private mutating func statement(_ name: String, line: Int) throws -> JinjaStatement.Kind {
        switch name {
        case "if": return try branches()
        case "for": return try loop()
        case "set": return try set()
        case "macro":
            let name = try expectName()
            let signature = try signature()
            return .macro(try macro(name, signature, until: "endmacro"))
        case "call":
            let signature = isSymbol("(") ? try signature() : JinjaSignature()
            let call = try expression()
            guard case .call(let callee, let arguments) = call.kind else { throw fault("expected a call after \"call\"", line: line) }
            return .callBlock(callee: callee, arguments, try macro("caller", signature, until: "endcall"))
        case "filter":
            let filter = try filter(nil, startsInline: true)
            return .filterBlock(filter, try block(until: "endfilter").body)
        case "with":
            var values: [(target: JinjaTarget, value: JinjaExpression)] = []
            while current.kind != .blockEnd {
                if !values.isEmpty { try expect(",") }
                let target = try target(until: nil)
                try expect("=")
                values.append((target, try expression()))
            }
            return .with(values, try block(until: "endwith").body)
        case "generation":
            marksGenerations = true
            return .generation(try macro("generation", JinjaSignature(), until: "endgeneration").body)
        case "break", "continue":
            guard loops > 0 else { throw fault("\"\(name)\" outside of a loop", line: line) }
            return name == "break" ? .breakLoop : .continueLoop
        case "autoescape", "block", "do", "extends", "from", "import", "include", "print", "debug", "trans":
            throw JinjaError(.unsupported, line: line, "the statement \"\(name)\" is not supported in chat templates")
        default:
            throw fault("unknown statement \(OneLine.quoted(name, limit: 40))", line: line)
        }
    }

    private mutating func branches() throws -> JinjaStatement.Kind {
        var branches: [(test: JinjaExpression, body: [JinjaStatement])] = []
        while true {
            let test = try tuple(withCondition: false)
            let (body, end) = try block(until: "elif", "else", "endif")
            branches.append((test, body))
            if end == "elif" { continue }
            return .branches(branches, otherwise: end == "else" ? try block(until: "endif").body : [])
        }
    }

    private mutating func loop() throws -> JinjaStatement.Kind {
        let line = line
        let target = try target(until: "in", allowsNamespace: false)
        guard skip(name: "in") else { throw fault("expected \"in\", found \(current.kind.shown)") }
        let sequence = try tuple(withCondition: false, until: "recursive")
        let test = skip(name: "if") ? try expression() : nil
        if isName("recursive") { throw JinjaError(.unsupported, line: line, "recursive loops are not supported in chat templates") }
        loops += 1
        let (body, end) = try block(until: "endfor", "else")
        loops -= 1
        let otherwise = end == "else" ? try block(until: "endfor").body : []
        return .loop(JinjaStatement.Loop(target: target, sequence: sequence, test: test, body: body, otherwise: otherwise))
    }

    private mutating func set() throws -> JinjaStatement.Kind {
        let target = try target(until: nil, allowsNamespace: true)
        if skip("=") { return .set(target, try tuple()) }
        let filter = isSymbol("|") ? try filter(nil) : nil
        return .setBlock(target, filter: filter, try block(until: "endset").body)
    }

    /// Parses the rest of a macro's opening tag, and its body.
    private mutating func macro(_ name: String, _ signature: JinjaSignature, until end: String) throws -> JinjaStatement.Macro {
        let (outerLoops, outerNames) = (loops, namesUsed)
        loops = 0
        namesUsed = []
        let body = try block(until: end).body
        let asksFor = namesUsed.intersection(["caller", "varargs", "kwargs"])
        loops = outerLoops
        namesUsed.formUnion(outerNames)
        return JinjaStatement.Macro(name: name, signature: signature, body: body, asksFor: asksFor)
    }

    private mutating func signature() throws -> JinjaSignature {
        var signature = JinjaSignature()
        try expect("(")
        while !isSymbol(")") {
            if !signature.names.isEmpty { try expect(",") }
            signature.names.append(try expectName())
            if skip("=") {
                signature.defaults.append(try expression())
            } else if !signature.defaults.isEmpty {
                throw fault("a parameter without a default follows one with a default")
            }
        }
        try expect(")")
        return signature
    }

    // MARK: Targets

    private mutating func target(until end: String?, allowsNamespace: Bool = false) throws -> JinjaTarget {
        var targets: [JinjaTarget] = []
        var isTuple = false
        while true {
            if !targets.isEmpty { try expect(",") }
            if isTupleEnd(until: end) || (!targets.isEmpty && isSymbol("=")) { break }
            targets.append(try singleTarget(allowsNamespace: allowsNamespace))
            guard isSymbol(",") else { break }
            isTuple = true
        }
        guard let first = targets.first else { throw fault("expected a name, found \(current.kind.shown)") }
        return isTuple ? .tuple(targets) : first
    }

    private mutating func singleTarget(allowsNamespace: Bool) throws -> JinjaTarget {
        if skip("(") {
            let inner = try nested { try $0.target(until: nil, allowsNamespace: false) }
            try expect(")")
            return inner
        }
        let line = line
        let name = try expectName()
        if allowsNamespace, skip(".") { return .attribute(name, try expectName()) }
        guard !["true", "false", "True", "False", "none", "None"].contains(name) else {
            throw fault("\(name) cannot be assigned", line: line)
        }
        return .name(name)
    }
}
