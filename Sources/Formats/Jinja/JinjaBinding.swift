/// The arguments of a function by the names of its parameters.
struct JinjaBinding {
    private let values: [String: JinjaValue]

    /// - Parameters:
    ///   - what: What is called, for messages.
    ///   - names: Its parameters in order.
    init(_ what: String, _ arguments: JinjaCallArguments, _ names: [String], _ renderer: JinjaRenderer) throws {
        var values: [String: JinjaValue] = [:]
        guard arguments.positional.count <= names.count else {
            throw renderer.fault("\(what) takes at most \(names.count) argument\(names.count == 1 ? "" : "s")")
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

    /// An argument that may be absent.
    subscript(name: String) -> JinjaValue? { values[name] }

    /// An argument that is neither absent nor None.
    func given(_ name: String) -> JinjaValue? {
        guard let value = values[name] else { return nil }
        if case .none = value { return nil }
        return value
    }

    func required(_ name: String) throws -> JinjaValue {
        guard let value = values[name] else { throw renderer.fault("\(what) needs an argument \"\(name)\"") }
        return value
    }

    func flag(_ name: String) -> Bool { values[name]?.isTrue ?? false }

    /// A whole number; the default where it is absent or None.
    func whole(_ name: String, default value: Int) throws -> Int {
        guard let given = given(name) else { return value }
        guard let whole = given.wholeNumber else {
            if case .undefined(let reason) = given { throw renderer.fault(reason) }
            throw renderer.fault("\(what) needs a whole number as \"\(name)\", not a \(given.typeName)")
        }
        return whole
    }

    /// A text; the default where it is absent or None.
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
