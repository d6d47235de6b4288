/// An interpreter for the part of Python's pickle language that describes plain containers and the types of its `Rules`.
///
/// A pickle is a program, which Python runs with every function that it can import. This machine cannot call functions. It
/// implements the opcodes for dictionaries, lists, tuples, strings and numbers, and recognises a short list of names
/// (`PickleRules`), which it treats as constants. Anything else in a pickle is rejected with an error that names it.
///
/// Objects are numbered nodes in one flat array. A pickle can neither nest them so deeply that freeing them overflows the stack,
/// nor create cycles that are never freed, and their number is limited. Source: the descriptions of the opcodes in Python's
/// pickletools module.
struct PickleMachine<Rules: PickleRules> {
    /// An object. Containers refer to other objects by node number.
    enum Node {
        case none
        case bool(Bool)
        case integer(Int)
        case real(Double)
        case text(String)
        case bytes([UInt8])
        case tuple([Int32])
        case list([Int32])
        case dictionary([(key: Int32, value: Int32)])
        case global(Rules.Global)
        /// An object that the rules have built: an index into `values`.
        case value(Int32)
    }

    private(set) var nodes: [Node] = [.none, .bool(false), .bool(true), .tuple([])]
    /// The objects that the rules have built.
    var values: [Rules.Value] = []
    var stack: [Int32] = []
    var marks: [Int] = []
    var memo: [Int: Int32] = [:]
    var position = 0
    var opcodeOffset = 0
    let bytes: UnsafeRawBufferPointer
    /// The number of elements and bytes that may still be created by expanding existing objects.
    private var budget: Int

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        budget = 2 * bytes.count
    }

    /// Runs a pickle. Returns the machine and the number of the root object.
    static func run(_ bytes: UnsafeRawBufferPointer) throws(PickleFault) -> (machine: PickleMachine, root: Int32) {
        guard bytes.count <= Rules.limits.bytes else {
            throw .tooLarge(part: "the pickle", size: bytes.count, limit: Rules.limits.bytes)
        }
        var machine = PickleMachine(bytes)
        while true {
            if let root = try machine.step() { return (machine, root) }
        }
    }

    // MARK: Errors and operands

    func refused(_ what: String) -> PickleFault { .refused(what, offset: opcodeOffset) }

    mutating func take(_ count: Int) throws(PickleFault) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - position else {
            let (need, overflow) = position.addingReportingOverflow(max(0, count))
            throw .truncated(need: overflow ? .max : need, have: bytes.count)
        }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func number<Value: FixedWidthInteger>(_: Value.Type) throws(PickleFault) -> Value {
        Value(littleEndian: try take(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
    }

    mutating func text(_ count: Int) throws(PickleFault) -> String {
        guard let text = String(validating: try take(count), as: UTF8.self) else {
            throw refused("a string that is not valid UTF-8")
        }
        return text
    }

    /// Reads a line of text, without its newline.
    mutating func line() throws(PickleFault) -> String {
        guard let end = bytes[position...].prefix(1024).firstIndex(of: UInt8(ascii: "\n")) else {
            throw .endlessName(offset: opcodeOffset)
        }
        let line = try text(end - position)
        position += 1
        return line
    }

    // MARK: Stack, memo and objects

    /// The node with a number.
    subscript(number: Int32) -> Node {
        get { nodes[Int(number)] }
        set { nodes[Int(number)] = newValue }
    }

    /// The object that the rules have built for a node; nil for other nodes.
    func value(_ number: Int32) -> Rules.Value? {
        guard case .value(let index) = self[number] else { return nil }
        return values[Int(index)]
    }

    mutating func push(_ node: Node) throws(PickleFault) {
        guard nodes.count < Rules.limits.nodes else {
            throw .tooLarge(part: "the number of objects in the pickle", size: nodes.count + 1, limit: Rules.limits.nodes)
        }
        stack.append(Int32(nodes.count))
        nodes.append(node)
    }

    /// Pushes an object that the rules have built.
    mutating func push(_ value: Rules.Value) throws(PickleFault) {
        try push(.value(Int32(values.count)))
        values.append(value)
    }

    /// Charges the expansion of an object to the budget, so that a pickle that refers to its parts repeatedly cannot exhaust
    /// memory.
    mutating func pay(_ count: Int) throws(PickleFault) {
        budget -= count
        guard budget >= 0 else { throw .unpacksTooFar }
    }

    mutating func pop() throws(PickleFault) -> Int32 {
        // an object below the mark belongs to an enclosing container
        guard stack.count > (marks.last ?? 0), let top = stack.popLast() else {
            throw refused("an opcode with an empty stack")
        }
        return top
    }

    mutating func popToMark() throws(PickleFault) -> [Int32] {
        guard let mark = marks.popLast() else { throw refused("an opcode without a mark on the stack") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    func top() throws(PickleFault) -> Int32 {
        guard stack.count > (marks.last ?? 0), let top = stack.last else {
            throw refused("an opcode with an empty stack")
        }
        return top
    }

    mutating func memorise(_ key: Int) throws(PickleFault) {
        guard memo.count < Rules.limits.nodes else {
            throw .tooLarge(part: "the memo of the pickle", size: memo.count + 1, limit: Rules.limits.nodes)
        }
        memo[key] = try top()
    }

    mutating func recall(_ key: Int) throws(PickleFault) {
        guard let number = memo[key] else { throw refused("the undefined memo entry \(key)") }
        stack.append(number)
    }

    mutating func pushGlobal(module: String, name: String) throws(PickleFault) {
        guard let global = Rules.global(module: module, name: name) else {
            throw refused("the global \(module.prefix(120)).\(name.prefix(120))")
        }
        try push(.global(global))
    }
}
