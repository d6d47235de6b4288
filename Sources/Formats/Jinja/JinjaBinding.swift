/// The arguments of a call, bound to the parameter names of the called function.
struct JinjaBinding {
    private let values: [String: JinjaValue]

    /// Binds the arguments of a call to parameter names.
    /// - Parameters:
    ///   - what: The called function, as error messages name it.
    ///   - arguments: The evaluated arguments.
    ///   - names: The parameter names in order.
    ///   - renderer: The renderer that reports errors.
    /// - Throws: `JinjaError` if there are too many arguments, or one is unknown or given twice.
    init(_ what: String, _ arguments: JinjaCallArguments, _ names: [String], _ renderer: JinjaRenderer) throws {
        var values: [String: JinjaValue] = [:]
        guard arguments.positional.count <= names.count else {
            throw renderer.fault("\(what) takes at most \(Counted(names.count, "argument"))")
        }
        for (name, value) in zip(names, arguments.positional) { values[name] = value }
        for keyword in arguments.keywords {
            guard names.contains(keyword.name) else {
                throw renderer.fault("\(what) takes no argument \(OneLine.quoted(keyword.name, limit: 40))")
            }
            guard values.updateValue(keyword.value, forKey: keyword.name) == nil else {
                throw renderer.fault("\(what) is given \(OneLine.quoted(keyword.name, limit: 40)) twice")
            }
        }
        self.values = values
        self.what = what
        self.renderer = renderer
    }

    private let what: String
    private let renderer: JinjaRenderer

    /// The argument for a parameter, or nil if the call does not give it.
    subscript(name: String) -> JinjaValue? { values[name] }

    /// The argument for a parameter, or nil if it is missing or `None`.
    func given(_ name: String) -> JinjaValue? {
        guard let value = values[name] else { return nil }
        if case .none = value { return nil }
        return value
    }

    /// The argument for a parameter; throws if the call does not give it.
    func required(_ name: String) throws -> JinjaValue {
        guard let value = values[name] else { throw renderer.fault("\(what) needs an argument \"\(name)\"") }
        return value
    }

    /// Whether the argument for a parameter is true in Python's sense; false if the call does not give it.
    func flag(_ name: String) -> Bool { values[name]?.isTrue ?? false }

    /// An integer argument, or the default if it is missing or `None`.
    func whole(_ name: String, default value: Int) throws -> Int {
        guard let given = given(name) else { return value }
        guard let whole = given.wholeNumber else {
            if case .undefined(let reason) = given { throw renderer.fault(reason) }
            throw renderer.fault("\(what) needs a whole number as \"\(name)\", not a \(given.typeName)")
        }
        return whole
    }

    /// A string argument, or the default if it is missing or `None`.
    func text(_ name: String, default value: String? = nil) throws -> String {
        if given(name) == nil, let value { return value }
        let given = try required(name)
        guard let text = given.text else {
            if case .undefined(let reason) = given { throw renderer.fault(reason) }
            throw renderer.fault("\(what) needs a string as \"\(name)\", not a \(given.typeName)")
        }
        return text
    }
}
