/// The implementation of the supported opcodes, and the names of the others.
extension PickleMachine {
    /// Executes one opcode. Returns the root object at the end of the program.
    mutating func step() throws(PickleFault) -> Int32? {
        opcodeOffset = position
        guard stack.count <= Rules.limits.nodes, marks.count <= Rules.limits.marks else {
            throw refused("a stack that is too deep")
        }
        let opcode = try number(UInt8.self)
        switch opcode {
        case 0x80:
            let version = try number(UInt8.self)
            guard (2...5).contains(version) else { throw refused("pickle protocol \(version)") }
        case 0x95: _ = try number(UInt64.self)  // FRAME: a hint for stream readers
        case UInt8(ascii: "."):
            let root = try pop()
            guard stack.isEmpty, marks.isEmpty else { throw refused("an end with objects left on the stack") }
            return root

        case UInt8(ascii: "N"): stack.append(0)
        case 0x89: stack.append(1)
        case 0x88: stack.append(2)
        case UInt8(ascii: ")"): stack.append(3)
        case UInt8(ascii: "J"): try push(.integer(Int(number(Int32.self))))
        case UInt8(ascii: "K"): try push(.integer(Int(number(UInt8.self))))
        case UInt8(ascii: "M"): try push(.integer(Int(number(UInt16.self))))
        case 0x8A: try push(.integer(longInteger()))
        case UInt8(ascii: "G"): try push(.real(Double(bitPattern: UInt64(bigEndian: take(8).loadUnaligned(as: UInt64.self)))))
        case UInt8(ascii: "X"): try push(.text(text(Int(number(UInt32.self)))))
        case 0x8C: try push(.text(text(Int(number(UInt8.self)))))
        case 0x8D: try push(.text(text(Int(clamping: number(UInt64.self)))))
        case UInt8(ascii: "C") where Rules.opcodes.contains(.bytes): try push(.bytes(Array(take(Int(number(UInt8.self))))))
        case UInt8(ascii: "B") where Rules.opcodes.contains(.bytes): try push(.bytes(Array(take(Int(number(UInt32.self))))))
        case 0x8E where Rules.opcodes.contains(.bytes), 0x96 where Rules.opcodes.contains(.bytes):
            try push(.bytes(Array(take(Int(clamping: number(UInt64.self))))))

        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "}"): try push(.dictionary([]))
        case UInt8(ascii: "]"): try push(.list([]))
        case UInt8(ascii: "t"): try push(.tuple(popToMark()))
        case 0x85: try pushTuple(1)
        case 0x86: try pushTuple(2)
        case 0x87: try pushTuple(3)
        case UInt8(ascii: "a"):
            let element = try pop()
            try append([element])
        case UInt8(ascii: "e"): try append(popToMark())
        case UInt8(ascii: "s"):
            let value = try pop()
            let key = try pop()
            try set([key, value])
        case UInt8(ascii: "u"): try set(popToMark())
        case UInt8(ascii: "0") where Rules.opcodes.contains(.pop): _ = try pop()

        case UInt8(ascii: "q"): try memorise(Int(number(UInt8.self)))
        case UInt8(ascii: "r"): try memorise(Int(number(UInt32.self)))
        case 0x94: try memorise(memo.count)
        case UInt8(ascii: "h"): try recall(Int(number(UInt8.self)))
        case UInt8(ascii: "j"): try recall(Int(number(UInt32.self)))

        case UInt8(ascii: "c"):
            let module = try line()
            try pushGlobal(module: module, name: line())
        case 0x93:
            let (name, module) = (try pop(), try pop())
            guard case .text(let nameText) = self[name], case .text(let moduleText) = self[module] else {
                throw refused("a global whose name is not a string")
            }
            try pushGlobal(module: moduleText, name: nameText)
        case UInt8(ascii: "Q") where Rules.opcodes.contains(.persistentIdentifiers): try Rules.resolve(pop(), in: &self)
        case UInt8(ascii: "R"):
            let (arguments, callable) = (try pop(), try pop())
            guard case .tuple(let parts) = self[arguments], case .global(let global) = self[callable] else {
                throw refused("a call of an unknown object")
            }
            try Rules.call(global, parts, in: &self)
        case UInt8(ascii: "b"):
            let state = try pop()
            try Rules.build(top(), from: state, in: &self)
        default:
            throw refused("the opcode \(pickleOpcodeNames[opcode] ?? "0x\(String(opcode, radix: 16))")")
        }
        return nil
    }

    private mutating func longInteger() throws(PickleFault) -> Int {
        let length = Int(try number(UInt8.self))
        let digits = try take(length)
        guard length <= 8 else { throw refused("an integer of \(length) bytes") }
        var value: UInt64 = digits.last.map { $0 >= 0x80 ? .max : 0 } ?? 0  // two's complement
        for digit in digits.reversed() { value = value << 8 | UInt64(digit) }
        return Int(truncatingIfNeeded: value)
    }

    private mutating func pushTuple(_ count: Int) throws(PickleFault) {
        var elements: [Int32] = []
        for _ in 0..<count { elements.append(try pop()) }
        try push(.tuple(elements.reversed()))
    }

    private mutating func append(_ elements: [Int32]) throws(PickleFault) {
        let list = try top()
        guard case .list(var present) = self[list] else { throw refused("an append to an object that is not a list") }
        self[list] = .none  // the only owner, so that appending does not copy
        present += elements
        self[list] = .list(present)
    }

    private mutating func set(_ pairs: [Int32]) throws(PickleFault) {
        let dictionary = try top()
        guard case .dictionary(var present) = self[dictionary], pairs.count % 2 == 0 else {
            throw refused("setting items of an object that is not a dictionary")
        }
        self[dictionary] = .none
        for index in stride(from: 0, to: pairs.count, by: 2) { present.append((pairs[index], pairs[index + 1])) }
        self[dictionary] = .dictionary(present)
    }
}

/// The names of the opcodes that are rejected.
private let pickleOpcodeNames: [UInt8: String] = {
    let names: [(Unicode.Scalar, String)] = [
        ("0", "POP"), ("1", "POP_MARK"), ("2", "DUP"), ("F", "FLOAT"), ("I", "INT"), ("L", "LONG"), ("P", "PERSID"),
        ("Q", "BINPERSID"), ("S", "STRING"), ("T", "BINSTRING"), ("U", "SHORT_BINSTRING"), ("V", "UNICODE"), ("d", "DICT"),
        ("l", "LIST"), ("g", "GET"), ("p", "PUT"), ("i", "INST"), ("o", "OBJ"), ("B", "BINBYTES"),
        ("C", "SHORT_BINBYTES"), ("\u{81}", "NEWOBJ"), ("\u{82}", "EXT1"), ("\u{83}", "EXT2"), ("\u{84}", "EXT4"),
        ("\u{8B}", "LONG4"), ("\u{8E}", "BINBYTES8"), ("\u{8F}", "EMPTY_SET"), ("\u{90}", "ADDITEMS"),
        ("\u{91}", "FROZENSET"), ("\u{92}", "NEWOBJ_EX"), ("\u{96}", "BYTEARRAY8"), ("\u{97}", "NEXT_BUFFER"),
        ("\u{98}", "READONLY_BUFFER"),
    ]
    return Dictionary(uniqueKeysWithValues: names.map { (UInt8(truncatingIfNeeded: $0.0.value), $0.1) })
}()
