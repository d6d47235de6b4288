import Foundation
import Models
import Tensor

/// A folder with `model/`, `reward_head.json` and `workload.json`: the same input for every engine.
struct Workload {
    /// The content of `workload.json`.
    private struct File: Decodable {
        var prompts: [[Int32]]
        var responses: [[Int32]]
        var rejected: [[Int32]]
        var max_new_tokens: Int
        var eos: Int32
    }
    /// The content of `reward_head.json`.
    private struct Head: Decodable {
        var weight: [Float]
        var bias: Float
    }

    private let folder: URL
    private let head: Head
    /// Token IDs, including the begin-of-sequence token.
    let prompts: [[Int32]]
    /// One answer to every prompt, including the end-of-sequence token.
    let responses: [[Int32]]
    /// Another answer to every prompt.
    let rejected: [[Int32]]
    let newTokens: Int
    let endOfSequence: Int32

    /// - Parameter padded: whether prompts and answers are padded to the longest, to measure the cost of padding.
    init(_ path: String, padded: Bool = false) throws {
        folder = URL(fileURLWithPath: path, isDirectory: true)
        let file: File = try Self.read(folder.appendingPathComponent("workload.json"))
        head = try Self.read(folder.appendingPathComponent("reward_head.json"))
        func rows(_ rows: [[Int32]]) -> [[Int32]] {
            let longest = padded ? rows.map(\.count).max() ?? 0 : 0
            return rows.map { Array(repeating: 5, count: max(0, longest - $0.count)) + $0 }
        }
        (prompts, responses, rejected) = (rows(file.prompts), rows(file.responses), rows(file.rejected))
        (newTokens, endOfSequence) = (file.max_new_tokens, file.eos)
        guard prompts.count == responses.count, prompts.count == rejected.count, !prompts.isEmpty else {
            throw BenchmarkError(
                "\(path)/workload.json must have as many responses and rejected answers as prompts, and at least one prompt")
        }
    }

    private static func read<Value: Decodable>(_ file: URL) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(contentsOf: file))
        } catch {
            throw BenchmarkError("\(file.path) cannot be read: \(error); create the folder with make_workload.py")
        }
    }

    /// Loads the model. Calls share nothing.
    func decoder() throws -> any TransformerDecoder {
        try LanguageModel.load(folder.appendingPathComponent("model", isDirectory: true)).decoder
    }

    /// Loads the model with the adapter in the folder `adapter`, in PEFT's format.
    func adaptedDecoder() throws -> any TransformerDecoder {
        let adapter = folder.appendingPathComponent("adapter", isDirectory: true)
        return try LanguageModel.load(adapter, base: folder.appendingPathComponent("model", isDirectory: true)).decoder
    }

    func valueHead() -> ValueHead {
        ValueHead(weight: Tensor(head.weight, shape: [1, head.weight.count]), bias: head.bias)
    }
}
