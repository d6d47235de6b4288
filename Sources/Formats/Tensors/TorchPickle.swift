/// The rules for a pickle written by `torch.save`: tensors as views of storages, in plain containers.
enum TorchPickle: PickleRules {
    /// The Python names that the pickle may mention.
    enum Global: Equatable {
        case orderedDictionary
        case rebuildTensor
        case rebuildParameter
        case size
        case storage(ElementType)
    }

    /// A storage: a sequence of elements in one member of the archive.
    struct Storage: Equatable {
        var key: String
        var elementType: ElementType
        var count: Int
    }

    /// A view of a storage as the pickle describes it, not yet validated.
    struct TensorClaim: Equatable {
        var storage: Storage
        var offset: Int
        var shape: [Int]
        var strides: [Int]
    }

    enum Value {
        case storage(Storage)
        case tensor(TensorClaim)
    }

    /// A model with ten thousand tensors needs about a tenth of these objects.
    static let limits = PickleLimits(bytes: 64 << 20, nodes: 2_000_000)
    static let opcodes: PickleOpcodes = .persistentIdentifiers

    static func global(module: String, name: String) -> Global? {
        switch (module, name) {
        case ("collections", "OrderedDict"): return .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): return .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): return .rebuildParameter
        case ("torch", "Size"): return .size
        case ("torch", _): return storages[name].map { .storage($0) }
        default: return nil
        }
    }

    private static let storages: [String: ElementType] = [
        "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
        "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8,
        "BoolStorage": .bool,
    ]

    /// Resolves a persistent identifier: `("storage", type, key, device, number of elements)`.
    static func resolve(_ identifier: Int32, in machine: inout PickleMachine<Self>) throws(PickleFault) {
        guard case .tuple(let parts) = machine[identifier], parts.count == 5,
            case .text("storage") = machine[parts[0]], case .global(.storage(let type)) = machine[parts[1]],
            case .text(let key) = machine[parts[2]], case .text = machine[parts[3]],
            case .integer(let count) = machine[parts[4]], count >= 0
        else { throw machine.refused("a persistent identifier that does not describe a storage") }
        try machine.push(.storage(Storage(key: key, elementType: type, count: count)))
    }

    /// Handles a call. The four allowed functions only arrange objects that already exist.
    static func call(_ global: Global, _ parts: [Int32], in machine: inout PickleMachine<Self>) throws(PickleFault) {
        switch global {
        case .orderedDictionary:
            guard parts.isEmpty else { throw machine.refused("collections.OrderedDict with arguments") }
            try machine.push(.dictionary([]))
        case .rebuildTensor:
            // (storage, offset, size, stride, requires_grad, backward_hooks, metadata)
            guard parts.count >= 6, parts.count <= 7, case .storage(let storage)? = machine.value(parts[0]),
                case .integer(let offset) = machine[parts[1]], let shape = integers(parts[2], in: machine),
                let strides = integers(parts[3], in: machine)
            else { throw machine.refused("torch._utils._rebuild_tensor_v2 with unknown arguments") }
            try machine.push(.tensor(TensorClaim(storage: storage, offset: offset, shape: shape, strides: strides)))
        case .rebuildParameter:
            // (tensor, requires_grad, backward_hooks)
            guard parts.count == 3, case .tensor? = machine.value(parts[0]) else {
                throw machine.refused("torch._utils._rebuild_parameter with unknown arguments")
            }
            machine.stack.append(parts[0])
        case .size:
            guard parts.count == 1, integers(parts[0], in: machine) != nil else {
                throw machine.refused("torch.Size with unknown arguments")
            }
            machine.stack.append(parts[0])
        case .storage:
            throw machine.refused("a call of a storage type")
        }
    }

    /// Handles the state of an object. PyTorch sets `_metadata` on its dictionaries this way; it is ignored.
    static func build(_ object: Int32, from state: Int32, in machine: inout PickleMachine<Self>) throws(PickleFault) {
        guard case .dictionary = machine[state], case .dictionary = machine[object] else {
            throw machine.refused("the opcode BUILD on an object that is not a dictionary")
        }
    }

    private static func integers(_ number: Int32, in machine: PickleMachine<Self>) -> [Int]? {
        let parts: [Int32]
        switch machine[number] {
        case .tuple(let elements), .list(let elements): parts = elements
        default: return nil
        }
        guard parts.count <= SafetensorsHeader.rankLimit else { return nil }
        var values: [Int] = []
        for part in parts {
            guard case .integer(let value) = machine[part] else { return nil }
            values.append(value)
        }
        return values
    }
}

extension CheckpointError {
    /// Converts an error in the pickle of a file.
    init(_ fault: PickleFault, file: String) {
        self =
            switch fault {
            case .refused(let what, let offset): .refusedPickle(file: file, offset: offset, what: what)
            case .truncated(let need, let have): .truncated(file: file, part: "the pickle", need: need, have: have)
            case .endlessName(let offset): .refusedPickle(file: file, offset: offset, what: "an unterminated name")
            case .tooLarge(let part, let size, let limit): .tooLarge(file: file, part: part, size: size, limit: limit)
            case .unpacksTooFar: .badFormat(file: file, reason: "the pickle expands to many times its size through repeated references")
            case .unsuitable(let what): .badFormat(file: file, reason: what)
            }
    }
}
