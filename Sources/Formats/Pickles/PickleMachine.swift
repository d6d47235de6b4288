/// A machine for the part of Python's pickle language that describes tensors in plain containers.
///
/// A pickle is a program. Python runs it with every function it can import; this machine has no functions at all. It
/// knows the opcodes in which torch.save writes tensors, dictionaries, lists, tuples, strings and numbers, and the
/// handful of globals in `Global`, which it treats as words; whatever else a pickle asks for is refused by name.
///
/// Objects are numbered nodes in one flat array: a pickle can neither nest them so deep that freeing them overflows the
/// stack, nor make cycles that are never freed, and their number is limited.
/// Source: the opcodes' descriptions in Python's pickletools module.
struct PickleMachine {
    /// The names a pickle may mention.
    enum Global: Equatable {
        case orderedDictionary
        case rebuildTensor
        case rebuildParameter
        case size
        case storage(ElementType)

        init?(module: String, name: String) {
            switch (module, name) {
            case ("collections", "OrderedDict"): self = .orderedDictionary
            case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
            case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
            case ("torch", "Size"): self = .size
            case ("torch", _):
                let types: [String: ElementType] = [
                    "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
                    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16,
                    "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
                ]
                guard let type = types[name] else { return nil }
                self = .storage(type)
            default: return nil
            }
        }
    }

    /// A run of elements in a member of the archive.
    struct Storage: Equatable {
        var key: String
        var elementType: ElementType
        var count: Int
    }

    /// A view of a storage, as the pickle claims it.
    struct TensorClaim: Equatable {
        var storage: Storage
        var offset: Int
        var shape: [Int]
        var strides: [Int]
    }

    /// An object; others are named by their number.
    enum Node {
        case none
        case bool(Bool)
        case integer(Int)
        case real(Double)
        case text(String)
        case tuple([Int32])
        case list([Int32])
        case dictionary([(key: Int32, value: Int32)])
        case global(Global)
        case storage(Storage)
        case tensor(Int32)  // an index of `tensors`
    }

    /// The pickle of a model with ten thousand tensors has about a tenth of this.
    static let nodeLimit = 2_000_000
    /// Containers that are open at the same time.
    static let markLimit = 1000
    /// Bytes.
    static let sizeLimit = 64 << 20

    var nodes: [Node] = [.none, .bool(false), .bool(true), .tuple([])]
    var tensors: [TensorClaim] = []
    var stack: [Int32] = []
    var marks: [Int] = []
    var memo: [Int: Int32] = [:]
    var position = 0
    var opcodeOffset = 0
    let bytes: UnsafeRawBufferPointer
    let file: String

    private init(_ bytes: UnsafeRawBufferPointer, file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// Runs a pickle and returns the machine with the number of the object it describes.
    static func run(_ bytes: UnsafeRawBufferPointer, file: String) throws -> (machine: PickleMachine, root: Int32) {
        guard bytes.count <= sizeLimit else {
            throw CheckpointError.tooLarge(file: file, part: "the pickle", size: bytes.count, limit: sizeLimit)
        }
        var machine = PickleMachine(bytes, file: file)
        while true {
            if let root = try machine.step() { return (machine, root) }
        }
    }

    // MARK: Errors and operands

    func refused(_ what: String) -> CheckpointError {
        .refusedPickle(file: file, offset: opcodeOffset, what: what)
    }

    mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - position else {
            let (need, overflow) = position.addingReportingOverflow(max(0, count))
            throw CheckpointError.truncated(
                file: file, part: "the pickle", need: overflow ? .max : need, have: bytes.count)
        }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func number<Value: FixedWidthInteger>(_: Value.Type) throws -> Value {
        Value(littleEndian: try take(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
    }

    mutating func text(_ count: Int) throws -> String {
        guard let text = String(validating: try take(count), as: UTF8.self) else {
            throw refused("a string that is not valid UTF-8")
        }
        return text
    }

    /// A line of text without its end.
    mutating func line() throws -> String {
        guard let end = bytes[position...].prefix(1024).firstIndex(of: UInt8(ascii: "\n")) else {
            throw refused("a name without an end")
        }
        let line = try text(end - position)
        position += 1
        return line
    }

    // MARK: Stack, memo and objects

    mutating func push(_ node: Node) throws {
        guard nodes.count < Self.nodeLimit else {
            throw CheckpointError.tooLarge(
                file: file, part: "the number of objects in the pickle", size: nodes.count + 1, limit: Self.nodeLimit)
        }
        stack.append(Int32(nodes.count))
        nodes.append(node)
    }

    mutating func pop() throws -> Int32 {
        // An object below the mark belongs to what was begun before it.
        guard stack.count > (marks.last ?? 0), let top = stack.popLast() else {
            throw refused("an opcode that finds nothing on the stack")
        }
        return top
    }

    mutating func popToMark() throws -> [Int32] {
        guard let mark = marks.popLast() else { throw refused("an opcode that finds no mark on the stack") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    func top() throws -> Int32 {
        guard stack.count > (marks.last ?? 0), let top = stack.last else {
            throw refused("an opcode that finds nothing on the stack")
        }
        return top
    }

    mutating func memorise(_ key: Int) throws {
        guard memo.count < Self.nodeLimit else {
            throw CheckpointError.tooLarge(
                file: file, part: "the memo of the pickle", size: memo.count + 1, limit: Self.nodeLimit)
        }
        memo[key] = try top()
    }

    mutating func recall(_ key: Int) throws {
        guard let number = memo[key] else { throw refused("a memo entry \(key) that was never made") }
        stack.append(number)
    }

    mutating func pushGlobal(module: String, name: String) throws {
        guard let global = Global(module: module, name: name) else {
            throw refused("the global \(module.prefix(120)).\(name.prefix(120))")
        }
        try push(.global(global))
    }
}
