public import Formats
public import Foundation
public import Testing

/// The error that `body` throws; fails when it throws none or one of another type.
public func checkpointError<Result>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Result
) -> CheckpointError? {
    do {
        _ = try body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as CheckpointError {
        #expect(!error.description.contains("\n"), "one line for people", sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("unexpected \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

/// Opens bytes as a file of the given name.
public func opening<Result>(_ bytes: [UInt8], as name: String, _ open: (URL) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
        let file = folder.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return try open(file)
    }
}

public func bytes(of file: URL) throws -> [UInt8] {
    try Array(Data(contentsOf: file))
}

/// A safetensors file with any header.
public func safetensors(header: String, data: [UInt8], announcing length: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    return littleEndian(length ?? UInt64(text.count)) + text + data
}

public func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
}

public func littleEndianBytes(_ values: [Float]) -> [UInt8] {
    values.flatMap { littleEndian($0.bitPattern) }
}

/// A zip archive of stored members, with the freedom to lie.
public struct TestArchive {
    public var members: [(name: String, bytes: [UInt8])]
    public var method: UInt16 = 0
    public var flags: UInt16 = 0
    /// Changes the entries of the directory.
    public var offsetOfMember: (Int, Int) -> Int = { $1 }
    public var localNameOfMember: (String) -> String = { $0 }

    /// An archive of members that are what they say.
    public init(members: [(name: String, bytes: [UInt8])]) { self.members = members }

    /// The whole file.
    public var bytes: [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for (index, member) in members.enumerated() {
            let size = UInt32(member.bytes.count)
            let offset = UInt32(offsetOfMember(index, file.count))
            let localName = Array(localNameOfMember(member.name).utf8)
            let name = Array(member.name.utf8)
            file +=
                littleEndian(UInt32(0x0403_4B50)) + littleEndian(UInt16(20)) + littleEndian(flags)
                + littleEndian(method)
            file += [UInt8](repeating: 0, count: 8) + littleEndian(size) + littleEndian(size)
            file += littleEndian(UInt16(localName.count)) + littleEndian(UInt16(0)) + localName + member.bytes
            directory += littleEndian(UInt32(0x0201_4B50)) + littleEndian(UInt16(20)) + littleEndian(UInt16(20))
            directory += littleEndian(flags) + littleEndian(method) + [UInt8](repeating: 0, count: 8)
            directory += littleEndian(size) + littleEndian(size) + littleEndian(UInt16(name.count))
            directory += [UInt8](repeating: 0, count: 12) + littleEndian(offset) + name
        }
        let count = littleEndian(UInt16(members.count))
        let end =
            littleEndian(UInt32(0x0605_4B50)) + [0, 0, 0, 0] + count + count + littleEndian(UInt32(directory.count))
            + littleEndian(UInt32(file.count)) + [0, 0]
        return file + directory + end
    }

    /// An archive of torch.save with one storage of floats.
    public static func torch(pickle: [UInt8], storage: [Float] = [1, 2, 3, 4, 5, 6]) -> TestArchive {
        TestArchive(members: [("archive/data.pkl", pickle), ("archive/data/0", littleEndianBytes(storage))])
    }
}

/// Pickles written by hand.
public enum TestPickle {
    public static func text(_ text: String) -> [UInt8] { [0x58] + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8) }
    public static func int(_ value: Int) -> [UInt8] { [0x8A, 8] + littleEndian(Int64(value)) }
    public static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    public static func tuple(_ parts: [[UInt8]]) -> [UInt8] { [0x28] + parts.joined() + [0x74] }
    public static func ints(_ values: [Int]) -> [UInt8] { tuple(values.map(int)) }

    public static func tensor(
        shape: [Int], strides: [Int], offset: Int = 0, count: Int = 6, key: String = "0",
        storage: String = "FloatStorage"
    ) -> [UInt8] {
        let identifier =
            tuple([text("storage"), global("torch", storage), text(key), text("cpu"), int(count)]) + [0x51]
        let hooks = global("collections", "OrderedDict") + [0x29, 0x52]
        let arguments = tuple([identifier, int(offset), ints(shape), ints(strides), [0x89], hooks])
        return global("torch._utils", "_rebuild_tensor_v2") + arguments + [0x52]
    }

    /// A whole pickle of a dictionary.
    public static func dictionary(_ items: [(key: String, value: [UInt8])]) -> [UInt8] {
        [0x80, 2, 0x7D, 0x28] + items.flatMap { text($0.key) + $0.value } + [0x75, 0x2E]
    }
}

/// Damages a file in one to eight places: flips, overwrites with telling values, cuts, repeats.
public func mutated(_ original: [UInt8], using generator: inout SplitMix) -> [UInt8] {
    var bytes = original
    for _ in 0..<Int.random(in: 1...8, using: &generator) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[place] = [0, 0xFF, 0x7F, 0x80, 0x28, 0x2E, 0x52, 0x39][Int.random(in: 0..<8, using: &generator)]
        case 2: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...16, using: &generator)))
        case 4:
            let end = min(bytes.count, place + Int.random(in: 1...32, using: &generator))
            bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 5:
            for index in place..<min(bytes.count, place + [2, 4, 8].randomElement(using: &generator)!) {
                bytes[index] = 0xFF
            }
        default:
            if Int.random(in: 0..<4, using: &generator) == 0 { bytes.removeSubrange(place...) }
        }
    }
    return bytes
}

/// expected.json of a fixture: tensors by name.
public struct ExpectedTensor: Decodable {
    public var shape: [Int]
    public var type: String
    public var values: [Float]

    public static func all(of name: String) throws -> [String: ExpectedTensor] {
        let all = try JSONValue(contentsOf: Fixtures.url("checkpoints/expected.json"))
        let part = try #require(all[name], "no \(name) in expected.json")
        return try JSONDecoder().decode([String: ExpectedTensor].self, from: Data(part.text.utf8))
    }
}

/// Expects stored tensors to be those of expected.json, bit for bit.
public func expectTensors(_ tensors: [StoredTensor], toBe name: String) throws {
    let expected = try ExpectedTensor.all(of: name)
    #expect(Set(tensors.map(\.name)) == Set(expected.keys))
    for tensor in tensors {
        let wanted = try #require(expected[tensor.name])
        #expect(tensor.shape == wanted.shape, "\(tensor.name)")
        #expect(tensor.elementType.rawValue == wanted.type, "\(tensor.name)")
        let values = tensor.elementType.isReadableAsFloat ? try tensor.floats() : integers(tensor)
        #expect(values.map(\.bitPattern) == wanted.values.map(\.bitPattern), "\(tensor.name)")
    }
}

/// The elements of an integer tensor, as floats for comparison.
public func integers(_ tensor: StoredTensor) -> [Float] {
    tensor.withUnsafeBytes { bytes in
        (0..<tensor.count).map { index in
            switch tensor.elementType {
            case .int64: Float(bytes.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self))
            case .int32: Float(bytes.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self))
            case .int16: Float(bytes.loadUnaligned(fromByteOffset: 2 * index, as: Int16.self))
            case .int8: Float(bytes.loadUnaligned(fromByteOffset: index, as: Int8.self))
            default: Float(bytes[index])
            }
        }
    }
}
