/// The opcodes the machine knows, and the names of those it refuses.
extension PickleMachine {
    /// Executes one opcode; returns the result at the end of the program.
    mutating func step() throws -> Int32? {
        opcodeOffset = position
        guard stack.count <= Self.nodeLimit, marks.count <= Self.markLimit else {
            throw refused("a stack deeper than any tensor needs")
        }
        let opcode = try number(UInt8.self)
        switch UnicodeScalar(opcode) {
        case "\u{80}":
            let version = try number(UInt8.self)
            guard (2...5).contains(version) else { throw refused("pickle protocol \(version)") }
        case "\u{95}": _ = try number(UInt64.self)  // FRAME: a hint for readers of streams
        case ".":
            let root = try pop()
            guard stack.isEmpty, marks.isEmpty else { throw refused("an end with objects left over") }
            return root

        case "N": stack.append(0)
        case "\u{89}": stack.append(1)
        case "\u{88}": stack.append(2)
        case ")": stack.append(3)
        case "J": try push(.integer(Int(number(Int32.self))))
        case "K": try push(.integer(Int(number(UInt8.self))))
        case "M": try push(.integer(Int(number(UInt16.self))))
        case "\u{8A}": try push(.integer(longInteger()))
        case "G": try push(.real(Double(bitPattern: UInt64(bigEndian: take(8).loadUnaligned(as: UInt64.self)))))
        case "X": try push(.text(text(Int(number(UInt32.self)))))
        case "\u{8C}": try push(.text(text(Int(number(UInt8.self)))))
        case "\u{8D}": try push(.text(text(Int(clamping: number(UInt64.self)))))

        case "(": marks.append(stack.count)
        case "}": try push(.dictionary([]))
        case "]": try push(.list([]))
        case "t": try push(.tuple(popToMark()))
        case "\u{85}": try pushTuple(1)
        case "\u{86}": try pushTuple(2)
        case "\u{87}": try pushTuple(3)
        case "a":
            let element = try pop()
            try append([element])
        case "e": try append(popToMark())
        case "s":
            let value = try pop()
            let key = try pop()
            try set([key, value])
        case "u": try set(popToMark())

        case "q": try memorise(Int(number(UInt8.self)))
        case "r": try memorise(Int(number(UInt32.self)))
        case "\u{94}": try memorise(memo.count)
        case "h": try recall(Int(number(UInt8.self)))
        case "j": try recall(Int(number(UInt32.self)))

        case "c":
            let module = try line()
            try pushGlobal(module: module, name: line())
        case "\u{93}":
            let (name, module) = (try pop(), try pop())
            guard case .text(let nameText) = nodes[Int(name)], case .text(let moduleText) = nodes[Int(module)] else {
                throw refused("a global whose name is not a string")
            }
            try pushGlobal(module: moduleText, name: nameText)
        case "Q": try pushStorage()
        case "R": try reduce()
        case "b": try build()
        default:
            throw refused("the opcode \(Self.opcodeNames[opcode] ?? "0x\(String(opcode, radix: 16))")")
        }
        return nil
    }

    private mutating func longInteger() throws -> Int {
        let length = Int(try number(UInt8.self))
        let digits = try take(length)
        guard length <= 8 else { throw refused("an integer of \(length) bytes") }
        var value: UInt64 = digits.last.map { $0 >= 0x80 ? .max : 0 } ?? 0  // two's complement
        for digit in digits.reversed() { value = value << 8 | UInt64(digit) }
        return Int(truncatingIfNeeded: value)
    }

    private mutating func pushTuple(_ count: Int) throws {
        var elements: [Int32] = []
        for _ in 0..<count { elements.append(try pop()) }
        try push(.tuple(elements.reversed()))
    }

    private mutating func append(_ elements: [Int32]) throws {
        let list = Int(try top())
        guard case .list(var present) = nodes[list] else { throw refused("appending to something that is no list") }
        nodes[list] = .none  // the only owner, so that appending does not copy
        present += elements
        nodes[list] = .list(present)
    }

    private mutating func set(_ pairs: [Int32]) throws {
        let dictionary = Int(try top())
        guard case .dictionary(var present) = nodes[dictionary], pairs.count % 2 == 0 else {
            throw refused("setting items of something that is no dictionary")
        }
        nodes[dictionary] = .none
        for index in stride(from: 0, to: pairs.count, by: 2) { present.append((pairs[index], pairs[index + 1])) }
        nodes[dictionary] = .dictionary(present)
    }

    // MARK: Tensors

    /// A persistent identifier: ("storage", type, key, device, number of elements).
    private mutating func pushStorage() throws {
        let identifier = try pop()
        guard case .tuple(let parts) = nodes[Int(identifier)], parts.count == 5,
            case .text("storage") = nodes[Int(parts[0])], case .global(.storage(let type)) = nodes[Int(parts[1])],
            case .text(let key) = nodes[Int(parts[2])], case .text = nodes[Int(parts[3])],
            case .integer(let count) = nodes[Int(parts[4])], count >= 0
        else { throw refused("a persistent identifier that describes no storage") }
        try push(.storage(Storage(key: key, elementType: type, count: count)))
    }

    /// A call. There are four that only arrange what is already there.
    private mutating func reduce() throws {
        let (arguments, callable) = (try pop(), try pop())
        guard case .tuple(let parts) = nodes[Int(arguments)], case .global(let global) = nodes[Int(callable)] else {
            throw refused("a call of something that is no known global")
        }
        switch global {
        case .orderedDictionary:
            guard parts.isEmpty else { throw refused("collections.OrderedDict with arguments") }
            try push(.dictionary([]))
        case .rebuildTensor:
            // (storage, offset, size, stride, requires_grad, backward_hooks, metadata)
            guard parts.count >= 6, parts.count <= 7, case .storage(let storage) = nodes[Int(parts[0])],
                case .integer(let offset) = nodes[Int(parts[1])], let shape = integers(parts[2]),
                let strides = integers(parts[3])
            else { throw refused("torch._utils._rebuild_tensor_v2 with unknown arguments") }
            try push(.tensor(Int32(tensors.count)))
            tensors.append(TensorClaim(storage: storage, offset: offset, shape: shape, strides: strides))
        case .rebuildParameter:
            // (tensor, requires_grad, backward_hooks)
            guard parts.count == 3, case .tensor = nodes[Int(parts[0])] else {
                throw refused("torch._utils._rebuild_parameter with unknown arguments")
            }
            stack.append(parts[0])
        case .size:
            guard parts.count == 1, integers(parts[0]) != nil else {
                throw refused("torch.Size with unknown arguments")
            }
            stack.append(parts[0])
        case .storage:
            throw refused("a call of a storage type")
        }
    }

    /// State of an object. PyTorch gives its dictionaries a `_metadata` that way, which is of no use here.
    private mutating func build() throws {
        let state = try pop()
        guard case .dictionary = nodes[Int(state)], case .dictionary = nodes[Int(try top())] else {
            throw refused("the opcode BUILD on something that is no dictionary")
        }
    }

    private func integers(_ number: Int32) -> [Int]? {
        let parts: [Int32]
        switch nodes[Int(number)] {
        case .tuple(let elements), .list(let elements): parts = elements
        default: return nil
        }
        guard parts.count <= SafetensorsHeader.rankLimit else { return nil }
        var values: [Int] = []
        for part in parts {
            guard case .integer(let value) = nodes[Int(part)] else { return nil }
            values.append(value)
        }
        return values
    }

    /// The opcodes that are refused, by name.
    private static let opcodeNames: [UInt8: String] = {
        let names: [(Unicode.Scalar, String)] = [
            ("0", "POP"), ("1", "POP_MARK"), ("2", "DUP"), ("F", "FLOAT"), ("I", "INT"), ("L", "LONG"), ("P", "PERSID"),
            ("S", "STRING"), ("T", "BINSTRING"), ("U", "SHORT_BINSTRING"), ("V", "UNICODE"), ("d", "DICT"),
            ("l", "LIST"), ("g", "GET"), ("p", "PUT"), ("i", "INST"), ("o", "OBJ"), ("B", "BINBYTES"),
            ("C", "SHORT_BINBYTES"), ("\u{81}", "NEWOBJ"), ("\u{82}", "EXT1"), ("\u{83}", "EXT2"), ("\u{84}", "EXT4"),
            ("\u{8B}", "LONG4"), ("\u{8E}", "BINBYTES8"), ("\u{8F}", "EMPTY_SET"), ("\u{90}", "ADDITEMS"),
            ("\u{91}", "FROZENSET"), ("\u{92}", "NEWOBJ_EX"), ("\u{96}", "BYTEARRAY8"), ("\u{97}", "NEXT_BUFFER"),
            ("\u{98}", "READONLY_BUFFER"),
        ]
        return Dictionary(uniqueKeysWithValues: names.map { (UInt8(truncatingIfNeeded: $0.0.value), $0.1) })
    }()
}
