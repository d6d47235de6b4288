public import Foundation
public import Tensor

/// The files below Tests/Fixtures. Each folder holds data and the script that made it.
public enum Fixtures {
    /// The place of a fixture, for example `Fixtures.url("operations/operations.json")`.
    public static func url(_ path: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures").appendingPathComponent(path)
    }

    /// A JSON fixture.
    public static func json<Value: Decodable>(_ type: Value.Type, from path: String) throws -> Value {
        try JSONDecoder().decode(type, from: Foundation.Data(contentsOf: url(path)))
    }

    /// The float32, bfloat16 and integer tensors of a safetensors fixture, by name. It reads well-formed files only: the package's own reader,
    /// which takes nothing for granted, is tested against it.
    public static func safetensors(_ path: String) throws -> [String: FixtureTensor] {
        struct Entry: Decodable {
            let dtype: String
            let shape: [Int]
            let data_offsets: [Int]
        }
        let bytes = [UInt8](try Foundation.Data(contentsOf: url(path)))
        let headerLength = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        let header = Foundation.Data(bytes[8..<8 + headerLength])
        let names = try JSONSerialization.jsonObject(with: header) as? [String: Any] ?? [:]
        var tensors: [String: FixtureTensor] = [:]
        for (name, value) in names where name != "__metadata__" {
            let entry = try JSONDecoder().decode(Entry.self, from: JSONSerialization.data(withJSONObject: value))
            let begin = 8 + headerLength + entry.data_offsets[0]
            let count = entry.shape.reduce(1, *)
            let values: [Double] = (0..<count).map { index in
                func bits<Bits: FixedWidthInteger>(_: Bits.Type) -> Bits {
                    let width = Bits.bitWidth / 8
                    return (0..<width).reduce(0) { $0 | Bits(truncatingIfNeeded: bytes[begin + index * width + $1]) << (8 * $1) }
                }
                switch entry.dtype {
                case "F32": return Double(Float(bitPattern: bits(UInt32.self)))
                case "BF16": return Double(Float(bitPattern: UInt32(bits(UInt16.self)) << 16))
                case "I64": return Double(bits(Int64.self))
                case "I32": return Double(bits(Int32.self))
                default: preconditionFailure("fixture \(path) holds \(entry.dtype), which this reader does not know")
                }
            }
            tensors[name] = FixtureTensor(shape: entry.shape, values: values)
        }
        return tensors
    }
}

/// A tensor as a fixture states it: `{"shape": [2, 3], "values": […]}`, row by row.
public struct FixtureTensor: Codable, Sendable, Equatable {
    /// The extents, outermost first.
    public let shape: [Int]
    /// The elements, with more digits than a Float holds.
    public let values: [Double]

    /// The same numbers as a tensor.
    public var tensor: Tensor { Tensor(values.map(Float.init), shape: Shape(shape)) }
    /// The same numbers as token ids or positions.
    public var ids: [Int32] { values.map { Int32($0) } }
}
