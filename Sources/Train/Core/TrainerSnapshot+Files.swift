internal import Formats
public import Foundation
import Data
import Models
import Tensor

extension TrainerSnapshot {
    private struct Numbers: Codable {
        var step: Int
        var optimizerSteps: Int
        var tokens: Int
        var order: BatchOrder
        var numbers: [String: Double]
    }
    private static let numbersName = "trainer.json"
    private static let tensorsName = "optimizer.safetensors"

    /// Writes `trainer.json` and `optimizer.safetensors` into a folder. Every number reads back with the same bits.
    /// - Throws: `CheckpointError`, or an error of Foundation when a file cannot be written.
    public func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let numbers = Numbers(step: step, optimizerSteps: optimizerSteps, tokens: tokens, order: order, numbers: numbers)
        try encoder.encode(numbers).write(to: folder.appendingPathComponent(Self.numbersName))
        let tensors = self.tensors.sorted { $0.key < $1.key }.map { name, tensor in
            WritableTensor(name, shape: tensor.shape.dimensions) { body in try tensor.withUnsafeBufferPointer(body) }
        }
        try SafetensorsWriter().write(tensors, toFile: folder.appendingPathComponent(Self.tensorsName))
    }

    /// Reads a snapshot that ``write(to:)`` wrote.
    /// - Throws: `CheckpointError`, `DataError`, `FileError` or `DecodingError` for a file that is missing or damaged.
    public static func read(from folder: URL) throws -> TrainerSnapshot {
        let content = try Descriptor.content(
            of: folder.appendingPathComponent(numbersName).path, limit: 64 << 20, followingLinks: false)
        let numbers = try JSONDecoder().decode(Numbers.self, from: Foundation.Data(content))
        let store = try WeightStore(file: folder.appendingPathComponent(tensorsName))
        var tensors: [String: Tensor] = [:]
        for name in store.names {
            tensors[name] = Tensor(try store.floats(of: name), shape: Shape(try store.shape(of: name)))
        }
        return TrainerSnapshot(
            step: numbers.step, optimizerSteps: numbers.optimizerSteps, tokens: numbers.tokens, order: numbers.order,
            numbers: numbers.numbers, tensors: tensors)
    }
}
