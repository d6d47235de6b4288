/// Executes the statements of a template.
final class JinjaRenderer {
    let limits: JinjaLimits
    let clock: JinjaClock
    /// The line of the template that is being executed.
    var line = 1
    /// The ranges of the output that `{% generation %}` blocks wrote, in code points.
    private(set) var generations: [Range<Int>] = []
    private let root = JinjaScope(nil)
    private var buffers = [""]
    /// The number of code points in the outermost buffer.
    private var rootCount = 0
    private var steps = 0
    private var work = 0
    private var written = 0
    private var calls = 0
    private var macros = 0
    private var loopDepth = 0
    private var depth = 0

    init(_ variables: [String: JSONValue], clock: JinjaClock, limits: JinjaLimits) {
        self.limits = limits
        self.clock = clock
        for function in JinjaFunction.allCases { root[function.rawValue] = .function(function) }
        for (name, value) in variables { root[name] = JinjaValue(value) }
    }

    /// The output so far.
    var output: String { buffers[0] }

    /// Executes a whole template.
    func run(_ statements: [JinjaStatement]) throws { _ = try run(statements, JinjaScope(root)) }

    // MARK: Faults and limits

    func fault(_ reason: String) -> JinjaError { JinjaError(.runtime, line: line, reason) }
    func unsupported(_ reason: String) -> JinjaError { JinjaError(.unsupported, line: line, reason) }

    func step() throws {
        steps += 1
        if steps > limits.steps { throw JinjaError(.limit, line: line, "the template takes more than \(limits.steps) steps") }
    }

    /// Enters a nested expression or statement; throws beyond the maximum depth, because nesting uses the stack.
    func enter() throws {
        depth += 1
        if depth > JinjaLimits.evaluation {
            throw JinjaError(.limit, line: line, "more than \(JinjaLimits.evaluation) nested steps")
        }
    }

    func leave() { depth -= 1 }

    /// Counts bytes or elements towards the work limit. Call it before allocating them.
    func charge(_ count: Int) throws {
        let (sum, isOver) = work.addingReportingOverflow(count)
        if isOver || sum > limits.work {
            throw JinjaError(.limit, line: line, "the template needs more than \(limits.work) bytes of intermediate text")
        }
        work = sum
    }

    /// Counts a character-by-character scan of a text, which costs more than copying it.
    func chargeScan(_ text: String) throws { try charge(text.utf8.count > Int.max / 8 ? .max : text.utf8.count * 4) }

    private func write(_ text: String) throws {
        let count = text.utf8.count
        written += count
        if written > limits.output { throw JinjaError(.limit, line: line, "the template writes more than \(limits.output) bytes") }
        buffers[buffers.count - 1] += text
        if buffers.count == 1 { rootCount += PythonText.count(text) }
    }

    /// The output of `body`, captured instead of written.
    private func captured(_ body: () throws -> Flow) throws -> (text: String, flow: Flow) {
        buffers.append("")
        do {
            let flow = try body()
            return (buffers.removeLast(), flow)
        } catch {
            buffers.removeLast()
            throw error
        }
    }

    // MARK: Statements

    /// How a statement ended: normally, or with `break` or `continue`.
    enum Flow { case normal, broken, continued }

    private func run(_ statements: [JinjaStatement], _ scope: JinjaScope) throws -> Flow {
        for statement in statements {
            let flow = try run(statement, scope)
            if flow != .normal { return flow }
        }
        return .normal
    }

    private func run(_ statement: JinjaStatement, _ scope: JinjaScope) throws -> Flow {
        line = statement.line
        try step()
        try enter()
        defer { leave() }
        switch statement.kind {
        case .text(let text): try write(text)
        case .output(let expression): try write(string(evaluate(expression, scope)))
        case .branches(let branches, let otherwise):
            for branch in branches where try isTrue(evaluate(branch.test, scope)) { return try run(branch.body, scope) }
            return try run(otherwise, scope)
        case .loop(let loop): return try run(loop, scope)
        case .set(let target, let expression): try assign(evaluate(expression, scope), to: target, scope)
        case .setBlock(let target, let filter, let body):
            let inner = JinjaScope(scope)
            let (text, flow) = try captured { try run(body, inner) }
            if flow != .normal { return flow }
            try charge(text.utf8.count)
            let value = try filter.map { try self.filter($0, on: .string(text), inner) } ?? .string(text)
            try assign(value, to: target, scope)
        case .with(let values, let body):
            let inner = JinjaScope(scope)
            // evaluate all values before assigning the first name
            let found = try values.map { try evaluate($0.value, scope) }
            for (value, entry) in zip(found, values) { try assign(value, to: entry.target, inner) }
            return try run(body, inner)
        case .filterBlock(let filter, let body):
            let inner = JinjaScope(scope)
            let (text, flow) = try captured { try run(body, inner) }
            if flow != .normal { return flow }
            try write(string(self.filter(filter, on: .string(text), inner)))
        case .macro(let macro): scope[macro.name] = .macro(try self.macro(macro, scope))
        case .callBlock(let callee, let arguments, let body):
            let caller = JinjaValue.macro(try macro(body, scope))
            let function = try evaluate(callee, scope)
            var found = try self.arguments(arguments, scope)
            found.keywords.append(("caller", caller))
            line = statement.line
            try write(string(call(function, found)))
        case .generation(let body):
            let start = rootCount
            let (text, _) = try captured { try run(body, JinjaScope(scope)) }
            generations.append(start..<(start + PythonText.count(text)))
            try write(text)
        case .breakLoop: return .broken
        case .continueLoop: return .continued
        }
        return .normal
    }

    private func run(_ statement: JinjaStatement.Loop, _ scope: JinjaScope) throws -> Flow {
        var items = try iterate(evaluate(statement.sequence, scope))
        if let test = statement.test {
            items = try items.filter { item in
                let inner = JinjaScope(scope)
                try assign(item, to: statement.target, inner)
                return try isTrue(evaluate(test, inner))
            }
        }
        if items.isEmpty { return try run(statement.otherwise, JinjaScope(scope)) }
        loopDepth += 1
        defer { loopDepth -= 1 }
        let loop = JinjaLoop(items, depth: loopDepth)
        for (index, item) in items.enumerated() {
            try step()
            loop.index = index
            let inner = JinjaScope(scope)
            inner["loop"] = .loop(loop)
            try assign(item, to: statement.target, inner)
            if try run(statement.body, inner) == .broken { break }
        }
        return .normal
    }

    private func assign(_ value: JinjaValue, to target: JinjaTarget, _ scope: JinjaScope) throws {
        switch target {
        case .name(let name): scope[name] = value
        case .attribute(let name, let attribute):
            guard case .namespace(let namespace) = scope[name] else {
                throw fault("cannot assign attribute \(OneLine.quoted(attribute)) of an object that is not a namespace")
            }
            try set(attribute, of: namespace, to: value)
        case .tuple(let targets):
            let values = try iterate(value)
            guard values.count == targets.count else {
                throw fault("cannot assign \(Counted(values.count, "value")) to \(Counted(targets.count, "name"))")
            }
            for (value, target) in zip(values, targets) { try assign(value, to: target, scope) }
        }
    }

    func set(_ attribute: String, of namespace: JinjaNamespace, to value: JinjaValue) throws {
        guard !attribute.hasPrefix("_") else {
            throw fault("attributes of a namespace cannot begin with an underscore (\"\(attribute)\")")
        }
        _ = try kept(value)
        namespace.attributes.set(attribute, value)
    }

    // MARK: Macros

    private func macro(_ definition: JinjaStatement.Macro, _ scope: JinjaScope) throws -> JinjaMacro {
        macros += 1
        if macros > 2000 { throw JinjaError(.limit, line: line, "more than 2000 macros and call blocks") }
        return JinjaMacro(definition, scope)
    }

    /// Calls a macro and returns its output.
    func call(_ macro: JinjaMacro, _ given: JinjaCallArguments) throws -> JinjaValue {
        let definition = macro.definition
        let names = definition.signature.names
        let inner = JinjaScope(macro.scope)
        var keywords = given.keywords
        func take(_ name: String) -> JinjaValue? {
            guard let index = keywords.firstIndex(where: { $0.name == name }) else { return nil }
            return keywords.remove(at: index).value
        }
        calls += 1
        defer { calls -= 1 }
        if calls > limits.calls { throw JinjaError(.limit, line: line, "more than \(limits.calls) nested macro calls") }
        let callLine = line
        var missing: [Int] = []
        for (index, name) in names.enumerated() {
            if index < given.positional.count {
                inner[name] = given.positional[index]
            } else if let value = take(name) {
                inner[name] = value
            } else {
                missing.append(index)
            }
        }
        if definition.asksFor.contains("caller"), !names.contains("caller") {
            inner["caller"] = take("caller") ?? .undefined("no caller is defined")
        }
        if definition.asksFor.contains("kwargs") {
            var dict = JinjaDict()
            for keyword in keywords { dict.set(keyword.name, try kept(keyword.value)) }
            inner["kwargs"] = .dict(dict)
        } else if let keyword = keywords.first {
            throw fault("the macro \(OneLine.quoted(definition.name)) takes no keyword argument \(OneLine.quoted(keyword.name))")
        }
        if definition.asksFor.contains("varargs") {
            inner["varargs"] = try tuple(Array(given.positional.dropFirst(names.count)))
        } else if given.positional.count > names.count {
            throw fault("the macro \(OneLine.quoted(definition.name)) takes at most \(Counted(names.count, "argument"))")
        }
        let firstDefault = names.count - definition.signature.defaults.count
        for index in missing {
            inner[names[index]] =
                index < firstDefault
                ? .undefined("the parameter \"\(names[index])\" was not provided")
                : try evaluate(definition.signature.defaults[index - firstDefault], inner)
        }
        let (text, _) = try captured { try run(definition.body, inner) }
        try charge(text.utf8.count)
        line = callLine
        return .string(text)
    }
}
