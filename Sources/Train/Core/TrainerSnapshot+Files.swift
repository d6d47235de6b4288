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
        /// The optimiser. Snapshots of earlier versions do not name it.
        var optimizer: OptimizerKind?
    }
    private static let numbersName = "trainer.json"
    private static let tensorsName = "optimizer.safetensors"
    /// What the user can do about a file whose content is wrong although its checksum is right.
    private static let advice = "remove this checkpoint, and the run resumes from the one before it"

    /// The name of the scales of 8-bit codes.
    private static func scales(of name: String) -> String { "\(name).scales" }

    /// Writes `trainer.json` and `optimizer.safetensors` into a folder. Every number reads back with the same bits.
    ///
    /// Moments in 8 bits are two tensors each: the codes, as bytes of the parameter's shape, and `NAME.scales`, a float per block.
    /// - Throws: `CheckpointError`, or an error of Foundation when a file cannot be written.
    public func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let numbers = Numbers(
            step: step, optimizerSteps: optimizerSteps, tokens: tokens, order: order, numbers: numbers, optimizer: optimizer.kind)
        try encoder.encode(numbers).write(to: folder.appendingPathComponent(Self.numbersName))
        let floats = optimizer.tensors.sorted { $0.key < $1.key }.map { name, tensor in
            WritableTensor(name, shape: tensor.shape.dimensions) { body in try tensor.withUnsafeBufferPointer(body) }
        }
        let codes = optimizer.codes.sorted { $0.key < $1.key }.flatMap { name, codes in
            [
                WritableTensor(name, shape: codes.shape.dimensions, elementType: .uint8) { body in try codes.withCodes(body) },
                WritableTensor(Self.scales(of: name), shape: [codes.blockCount]) { body in try codes.withScales(body) },
            ]
        }
        try SafetensorsWriter().write(floats + codes, toFile: folder.appendingPathComponent(Self.tensorsName))
    }

    /// Reads a snapshot that ``write(to:)`` wrote.
    /// - Throws: `CheckpointError`, `DataError` or `FileError` for a file that is missing or damaged; the error names it.
    public static func read(from folder: URL) throws -> TrainerSnapshot {
        let numbers = try Self.numbers(in: folder.appendingPathComponent(numbersName).path)
        let store = try WeightStore(file: folder.appendingPathComponent(tensorsName))
        let coded = try store.names.filter { try store.elementType(of: $0) == .uint8 }
        let codes = Dictionary(uniqueKeysWithValues: try coded.map { ($0, try self.codes($0, in: store)) })
        var tensors: [String: Tensor] = [:]
        for name in Set(store.names).subtracting(coded).subtracting(coded.map(scales)) {
            tensors[name] = Tensor(try moments(name, in: store), shape: Shape(try store.shape(of: name)))
        }
        let kind = numbers.optimizer ?? OptimizerState.kind(ofNames: tensors.keys)
        return TrainerSnapshot(
            step: numbers.step, optimizerSteps: numbers.optimizerSteps, tokens: numbers.tokens, order: numbers.order,
            numbers: numbers.numbers, optimizer: OptimizerState(kind: kind, tensors: tensors, codes: codes))
    }

    private static func numbers(in path: String) throws -> Numbers {
        let content = try Descriptor.content(of: path, limit: 64 << 20, followingLinks: false)
        do {
            return try JSONDecoder().decode(Numbers.self, from: Foundation.Data(content))
        } catch is DecodingError {
            throw FileError.damaged(path: path, problem: "it does not hold the state of a trainer; \(advice)")
        }
    }

    /// Floats of the optimiser: moments, or the scales of 8-bit codes.
    private static func moments(_ name: String, in store: WeightStore) throws -> [Float] {
        let stored = try store.tensor(name)
        do {
            return try store.floats(of: name)
        } catch CheckpointError.notFinite(_, _, let index, let value) {
            throw CheckpointError.badTensor(
                file: stored.path, name: name,
                reason: "it has the value \(value) at element \(index), but the optimiser's state must be finite; \(advice)")
        } catch CheckpointError.wrongElementType(_, let type, _) {
            throw CheckpointError.badTensor(
                file: stored.path, name: name,
                reason: "it has elements of type \(type), expected F32, or U8 for 8-bit codes; \(advice)")
        }
    }

    /// The moment in 8 bits of a name.
    private static func codes(_ name: String, in store: WeightStore) throws -> MomentCodes {
        let stored = try store.tensor(name)
        let scales = try moments(scales(of: name), in: store)
        let codes = stored.withUnsafeBytes { MomentCodes(shape: Shape(stored.shape), codes: $0, scales: scales) }
        if let (file, range) = stored.mapped { file.releasePages(in: range) }
        guard let codes else {
            throw CheckpointError.badTensor(
                file: stored.path, name: name, reason: "its scales do not fit its codes, or one is below 0; \(advice)")
        }
        return codes
    }
}
