import Foundation

/// A file of Tests/Fixtures, decoded.
func fixture<Value: Decodable>(_ path: String, as type: Value.Type) throws -> Value {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let data = try Foundation.Data(contentsOf: tests.appendingPathComponent("Fixtures").appendingPathComponent(path))
    return try JSONDecoder().decode(type, from: data)
}

/// Equal to 1e-9 of the larger of the two, or of 1.
func isClose(_ actual: Double, _ expected: Double, _ tolerance: Double = 1e-9) -> Bool {
    abs(actual - expected) <= tolerance * max(1, abs(actual), abs(expected))
}
