/// The rules for the pickle of a map saved by numpy: lists, dictionaries, strings, numbers, and numpy arrays of integers.
enum NumpyPickle: PickleRules {
    /// The Python names that the pickle may mention.
    enum Global {
        /// Creates an empty array, whose state is set later.
        case reconstruct
        /// An element type (`numpy.dtype`).
        case elementType
        /// A numpy scalar.
        case scalar
        /// An array from a buffer of bytes, as pickle protocol 5 writes it.
        case fromBuffer
        /// Bytes encoded as a string, as pickle protocol 2 writes them.
        case encode
        /// The array class (`numpy.ndarray`), which is only mentioned and never called.
        case arrayClass
    }

    enum Value {
        /// An element type: the byte order, and a kind with a size.
        case elementType(order: String, name: String)
        /// An array of Python objects, as node numbers.
        case array([Int32])
        /// An array of integers.
        case numbers([Int])
    }

    /// Enough for lists with millions of row numbers; each number is an object.
    static let limits = PickleLimits(bytes: 1 << 28, nodes: 5_000_000)
    static let opcodes: PickleOpcodes = [.bytes, .pop]

    static func global(module: String, name: String) -> Global? {
        switch (module, name) {
        case ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"): .reconstruct
        case ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"): .scalar
        case ("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer"): .fromBuffer
        case ("numpy", "dtype"): .elementType
        case ("numpy", "ndarray"): .arrayClass
        case ("_codecs", "encode"): .encode
        default: nil
        }
    }

    static func call(_ global: Global, _ parts: [Int32], in machine: inout PickleMachine<Self>) throws(PickleFault) {
        switch global {
        case .reconstruct: try machine.push(.numbers([]))
        case .elementType:
            guard let first = parts.first, case .text(let name) = machine[first] else { throw machine.refused("a type without a name") }
            try machine.push(.elementType(order: "|", name: name))
        case .scalar:
            guard parts.count == 2, case .bytes(let bytes) = machine[parts[1]], bytes.count <= 8,
                let number = try integers(bytes, parts[0], in: &machine).first
            else { throw machine.refused("an invalid number") }
            try machine.push(.integer(number))
        case .fromBuffer:
            // (bytes, element type, shape, order)
            guard parts.count == 4, case .bytes(let bytes) = machine[parts[0]] else { throw machine.refused("an array without bytes") }
            try machine.push(.numbers(integers(bytes, parts[1], in: &machine)))
        case .encode:
            // a Latin-1 string: code points below 256
            guard let first = parts.first, case .text(let text) = machine[first] else {
                throw machine.refused("bytes that are not encoded as text")
            }
            try machine.pay(text.utf8.count)
            guard text.unicodeScalars.allSatisfy({ $0.value < 256 }) else { throw machine.refused("bytes with characters outside Latin-1") }
            try machine.push(.bytes(text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }))
        case .arrayClass: throw machine.refused("a call of a class")
        }
    }

    /// Sets the state of an element type or an array.
    static func build(_ object: Int32, from state: Int32, in machine: inout PickleMachine<Self>) throws(PickleFault) {
        guard case .value(let index) = machine[object], let parts = machine.elements(state), parts.count >= 5 else {
            throw machine.refused("a state for an object without state")
        }
        switch machine.values[Int(index)] {
        case .elementType(_, let name):
            guard case .text(let order) = machine[parts[1]] else { throw machine.refused("a type without a byte order") }
            machine.values[Int(index)] = .elementType(order: order, name: name)
        case .numbers, .array:
            if case .bytes(let bytes) = machine[parts[4]] {
                machine.values[Int(index)] = .numbers(try integers(bytes, parts[2], in: &machine))
            } else if case .list(let objects) = machine[parts[4]] {
                try machine.pay(objects.count)
                machine.values[Int(index)] = .array(objects)
            } else {
                throw machine.refused("an array of neither bytes nor objects")
            }
        }
    }

    static func resolve(_ identifier: Int32, in machine: inout PickleMachine<Self>) throws(PickleFault) {
        throw machine.refused("a persistent identifier")
    }

    /// Decodes bytes as integers of an element type.
    private static func integers(
        _ bytes: [UInt8], _ type: Int32, in machine: inout PickleMachine<Self>
    ) throws(PickleFault) -> [Int] {
        try machine.pay(bytes.count)
        guard case .elementType(let order, let name)? = machine.value(type) else { throw machine.refused("elements without a type") }
        do throws(NumpyArray.Problem) {
            let element = try NumpyArray.ElementType((["<", ">"].contains(order) ? order : "|") + name)
            if bytes.count % element.size == 0, case .integers(let numbers) = try element.read(bytes[...]) { return numbers }
        } catch {
            throw .unsuitable(error.reason)
        }
        throw machine.refused("elements that are not whole numbers")
    }
}

extension PickleMachine<NumpyPickle> {
    /// The elements of a list, a tuple or an array of objects.
    func elements(_ number: Int32) -> [Int32]? {
        switch self[number] {
        case .list(let elements), .tuple(let elements): return elements
        case .value:
            guard case .array(let elements)? = value(number) else { return nil }
            return elements
        default: return nil
        }
    }
}
