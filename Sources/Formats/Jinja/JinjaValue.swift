/// A value while a template is rendered; Python's types as far as templates meet them.
indirect enum JinjaValue {
    /// What a name or attribute stands for that is not there, and what is said when it is used.
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
    /// What `keys`, `values` and `items` of a dictionary give.
    case view(String, JinjaSequence)
    /// What is read once from its start.
    case generator(JinjaGenerator)
    case namespace(JinjaNamespace)
    case loop(JinjaLoop)
    case cycler(JinjaCycler)
    case macro(JinjaMacro)
    case function(JinjaFunction)
    /// A method together with the value that it belongs to.
    case method(JinjaValue, String)
}

/// Values in order, and how deep they are nested.
struct JinjaSequence {
    let values: [JinjaValue]
    let depth: Int

    init(_ values: [JinjaValue]) {
        self.values = values
        depth = 1 + (values.lazy.map(\.depth).max() ?? 0)
    }
}

/// The functions that every template has.
enum JinjaFunction: String, CaseIterable {
    case range, dict, namespace, cycler, joiner
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
}

/// A dictionary that keeps its order.
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

/// What values are found by in a dictionary: equal numbers of different types are the same key.
enum JinjaKey: Hashable {
    case none
    case undefined
    case int(Int)
    case float(Double)
    case string([UInt8])
    case tuple([JinjaKey])
    case object(ObjectIdentifier)
}

/// Values that are made when the first of them is asked for, and read once.
final class JinjaGenerator {
    private var make: (() throws -> [JinjaValue])?
    private var rest: ArraySlice<JinjaValue> = []
    let depth: Int

    /// - Parameter depth: How deep the values may be nested.
    init(depth: Int, _ make: @escaping () throws -> [JinjaValue]) {
        self.make = make
        self.depth = depth
    }

    private func fill() throws {
        guard let make else { return }
        self.make = nil
        rest = try make()[...]
    }

    /// The next value.
    func next() throws -> JinjaValue? {
        try fill()
        return rest.popFirst()
    }

    /// All values that are left.
    func all() throws -> [JinjaValue] {
        try fill()
        defer { rest = [] }
        return Array(rest)
    }
}

/// A value with attributes that can be set.
final class JinjaNamespace {
    var attributes = JinjaDict()
}

/// The variable `loop`.
final class JinjaLoop {
    let items: [JinjaValue]
    let depth: Int
    var index = 0
    /// What `changed` was last called with.
    var seen: [JinjaValue]?

    init(_ items: [JinjaValue], depth: Int) {
        self.items = items
        self.depth = depth
    }
}

/// What `cycler` and `joiner` make.
final class JinjaCycler {
    let items: [JinjaValue]
    let isJoiner: Bool
    var position = 0

    init(_ items: [JinjaValue], isJoiner: Bool) {
        self.items = items
        self.isJoiner = isJoiner
    }
}

/// A macro and the variables around its definition.
final class JinjaMacro {
    let definition: JinjaStatement.Macro
    let scope: JinjaScope

    init(_ definition: JinjaStatement.Macro, _ scope: JinjaScope) {
        self.definition = definition
        self.scope = scope
    }
}

/// The variables of a block, and those around it.
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
    /// The value of a JSON value.
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

    /// How many containers are within each other. What refers to others can be in none.
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

    /// The depth of what may come to refer to itself.
    private static let unbounded = 1000
    /// Containers may be nested this deep.
    static let depthLimit = 200

    /// What Python calls its type.
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

    /// Whether Python takes it for true.
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

    /// The whole number, if this is one or a Boolean.
    var wholeNumber: Int? {
        switch self {
        case .int(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    /// The number, if this is one or a Boolean.
    var number: Double? { if case .float(let value) = self { value } else { wholeNumber.map(Double.init) } }

    var text: String? { if case .string(let text) = self { text } else { nil } }

    /// The elements of what can be read more than once; nil for anything else.
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
