/// A value during rendering. The cases are the Python types that templates use.
indirect enum JinjaValue {
    /// The value of a missing name or attribute, with the error message for its use.
    case undefined(String)
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case list(JinjaSequence)
    case tuple(JinjaSequence)
    case dict(JinjaDict)
    case range(start: Int, stop: Int, count: Int, step: Int)
    /// The result of a dictionary's `keys`, `values` or `items`.
    case view(String, JinjaSequence)
    /// An iterator, which can be read only once.
    case generator(JinjaGenerator)
    case namespace(JinjaNamespace)
    case loop(JinjaLoop)
    case cycler(JinjaCycler)
    case macro(JinjaMacro)
    case function(JinjaFunction)
    /// A method bound to its receiver.
    case method(JinjaValue, String)
}

/// An ordered sequence of values, with its nesting depth.
struct JinjaSequence {
    let values: [JinjaValue]
    let depth: Int

    init(_ values: [JinjaValue]) {
        self.values = values
        depth = 1 + (values.lazy.map(\.depth).max() ?? 0)
    }
}

/// The global functions of every template.
enum JinjaFunction: String, CaseIterable {
    case range, dict, namespace, cycler, joiner
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
}

/// A dictionary that keeps insertion order.
struct JinjaDict {
    private(set) var members: [(key: JinjaValue, value: JinjaValue)] = []
    private var index: [JinjaKey: Int] = [:]
    private(set) var depth = 1

    var count: Int { members.count }

    subscript(key: JinjaKey) -> JinjaValue? { index[key].map { members[$0].value } }

    subscript(name: String) -> JinjaValue? { self[.string(Array(name.utf8))] }

    mutating func set(_ key: JinjaValue, _ value: JinjaValue, hash: JinjaKey) {
        depth = max(depth, 1 + max(key.depth, value.depth))
        if let place = index[hash] {
            members[place].value = value
        } else {
            index[hash] = members.count
            members.append((key, value))
        }
    }

    mutating func set(_ name: String, _ value: JinjaValue) { set(.string(name), value, hash: .string(Array(name.utf8))) }
}

/// A hashable dictionary key. Equal numbers of different types give the same key.
enum JinjaKey: Hashable {
    case none
    case undefined
    case int(Int)
    case float(Double)
    case string([UInt8])
    case tuple([JinjaKey])
    case object(ObjectIdentifier)
}

/// Values that are computed when the first one is requested. They can be read only once.
final class JinjaGenerator {
    private var make: (() throws -> [JinjaValue])?
    private var rest: ArraySlice<JinjaValue> = []
    let depth: Int

    /// - Parameter depth: The maximum nesting depth of the values.
    init(depth: Int, _ make: @escaping () throws -> [JinjaValue]) {
        self.make = make
        self.depth = depth
    }

    private func fill() throws {
        guard let make else { return }
        self.make = nil
        rest = try make()[...]
    }

    /// The next value, or nil at the end.
    func next() throws -> JinjaValue? {
        try fill()
        return rest.popFirst()
    }

    /// All remaining values.
    func all() throws -> [JinjaValue] {
        try fill()
        defer { rest = [] }
        return Array(rest)
    }
}

/// The result of `namespace()`: an object whose attributes can be assigned.
final class JinjaNamespace {
    var attributes = JinjaDict()
}

/// The `loop` variable inside a `for` loop.
final class JinjaLoop {
    let items: [JinjaValue]
    let depth: Int
    var index = 0
    /// The arguments of the last call of `loop.changed`.
    var seen: [JinjaValue]?

    init(_ items: [JinjaValue], depth: Int) {
        self.items = items
        self.depth = depth
    }
}

/// The result of `cycler()` or `joiner()`.
final class JinjaCycler {
    let items: [JinjaValue]
    let isJoiner: Bool
    var position = 0

    init(_ items: [JinjaValue], isJoiner: Bool) {
        self.items = items
        self.isJoiner = isJoiner
    }
}

/// A macro with the scope in which it is defined.
final class JinjaMacro {
    let definition: JinjaStatement.Macro
    let scope: JinjaScope

    init(_ definition: JinjaStatement.Macro, _ scope: JinjaScope) {
        self.definition = definition
        self.scope = scope
    }
}

/// The variables of a block, with the enclosing scope.
final class JinjaScope {
    private var variables: [String: JinjaValue] = [:]
    let parent: JinjaScope?

    init(_ parent: JinjaScope?) { self.parent = parent }

    subscript(name: String) -> JinjaValue? {
        get { variables[name] ?? parent?[name] }
        set { variables[name] = newValue }
    }
}

extension JinjaValue {
    /// The template value of a JSON value.
    init(_ json: JSONValue) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .number(let text):
            if let whole = Int(text) {
                self = .int(whole)
            } else {
                self = .float(Double(text) ?? .nan)
            }
        case .string(let text): self = .string(text)
        case .array(let values): self = .list(JinjaSequence(values.map { JinjaValue($0) }))
        case .object(let members):
            var dict = JinjaDict()
            for member in members { dict.set(member.key, JinjaValue(member.value)) }
            self = .dict(dict)
        }
    }

    /// The nesting depth of containers. Values that may refer to others count as too deep to be stored in a container.
    var depth: Int {
        switch self {
        case .list(let sequence), .tuple(let sequence), .view(_, let sequence): sequence.depth
        case .dict(let dict): dict.depth
        case .generator(let generator): generator.depth
        case .method(let receiver, _): 1 + receiver.depth
        case .namespace, .loop, .cycler, .macro: Self.unbounded
        case .undefined, .none, .bool, .int, .float, .string, .range, .function: 0
        }
    }

    /// The depth given to values that could come to refer to themselves.
    private static let unbounded = 1000
    /// Maximum nesting depth of containers.
    static let depthLimit = 200

    /// The name of the value's Python type.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int: "int"
        case .float: "float"
        case .string: "str"
        case .list: "list"
        case .tuple: "tuple"
        case .dict: "dict"
        case .range: "range"
        case .view(let name, _): name
        case .generator: "generator"
        case .namespace: "Namespace"
        case .loop: "LoopContext"
        case .cycler: "Cycler"
        case .macro: "Macro"
        case .function: "function"
        case .method: "method"
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }

    /// Whether the value is true in Python's sense.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .float(let value): value != 0
        case .string(let text): !text.isEmpty
        case .list(let sequence), .tuple(let sequence), .view(_, let sequence): !sequence.values.isEmpty
        case .dict(let dict): dict.count > 0
        case .range(_, _, let count, _): count > 0
        case .loop(let loop): !loop.items.isEmpty
        case .generator, .namespace, .cycler, .macro, .function, .method: true
        }
    }

    /// The value as an integer, if it is an integer or a Boolean.
    var wholeNumber: Int? {
        switch self {
        case .int(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    /// The value as a floating-point number, if it is a number or a Boolean.
    var number: Double? { if case .float(let value) = self { value } else { wholeNumber.map(Double.init) } }

    var text: String? { if case .string(let text) = self { text } else { nil } }

    /// The elements of a value that can be iterated repeatedly; nil for other values.
    var elements: [JinjaValue]? {
        switch self {
        case .list(let sequence), .tuple(let sequence), .view(_, let sequence): sequence.values
        case .range(let start, _, let count, let step): (0..<count).map { .int(start + $0 * step) }
        case .string(let text): text.unicodeScalars.map { .string(String($0)) }
        case .dict(let dict): dict.members.map(\.key)
        case .undefined: []
        default: nil
        }
    }
}
