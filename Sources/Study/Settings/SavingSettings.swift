import Data
import Formats
import Foundation
import Models
import TextGeneration

/// Settings of the finished model's files. Checkpoints are not affected: they hold the weights from which a run resumes, trained ones
/// as 32-bit floats and frozen matrices as the model that the run started from stores them.
public struct SavingSettings: Settings {
    /// The element type of the finished model's weights: f32, bf16 or f16. The 16-bit types take half the space and round the
    /// weights.
    public var saveDtype = "f32"
    /// The maximum size of one weight file of the finished model, such as 500MB or 5GB (powers of 1000) or 5GiB (powers of 1024).
    /// A larger model is split into several files.
    public var maxShardSize = "5GB"
    /// The format: safetensors, or gguf, which adds a `model.gguf` for llama.cpp and compatible programs to the other files.
    public var saveFormat = "safetensors"
    /// The metric that selects the final model, such as validation_loss or validation_accuracy: the model of the best evaluation is kept in
    /// `best/` and becomes the result. Default: the model of the last step.
    public var keepBest: String?
    /// The type of matrices in `model.gguf`: f32, f16, bf16 or q8_0.
    public var ggufType = "f16"

    /// The defaults.
    public init() {}

    private static let types: KeyValuePairs<String, ElementType> = [
        "f32": .float32, "bf16": .bfloat16, "f16": .float16,
    ]

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard Self.types.contains(where: { $0.key == saveDtype }) else {
            throw InvalidSetting(
                "--save-dtype is '\(saveDtype)'; expected \(Self.types.map(\.key).joined(separator: ", "))")
        }
        guard ["safetensors", "gguf"].contains(saveFormat) else {
            throw InvalidSetting("--save-format is '\(saveFormat)'; expected safetensors or gguf")
        }
        guard let type = LanguageModel.GGUFType(rawValue: ggufType) else {
            let types = LanguageModel.GGUFType.allCases.map(\.rawValue).joined(separator: ", ")
            throw InvalidSetting("--gguf-type is '\(ggufType)'; expected \(types)")
        }
        guard writesGGUF || type == .f16 else {
            throw InvalidSetting("--gguf-type has no effect without --save-format gguf")
        }
        guard ByteCount(maxShardSize) != nil else {
            throw InvalidSetting("--max-shard-size is '\(maxShardSize)'; expected \(ByteCount.expected)")
        }
    }

    private var writesGGUF: Bool { saveFormat == "gguf" }

    /// Checks before training that the model can be written in the requested format.
    /// - Throws: `InvalidSetting`; errors of the GGUF format.
    func check(_ model: LanguageModel, tokenizer: any Tokenizer) throws {
        guard writesGGUF else { return }
        _ = try ggufMetadata(of: model, tokenizer: tokenizer)
        try model.checkGGUF()
    }

    /// Writes `model.gguf` into a model's folder, if the settings ask for it.
    func writeGGUF(_ model: LanguageModel, tokenizer: any Tokenizer, to folder: URL) throws {
        guard writesGGUF, let type = LanguageModel.GGUFType(rawValue: ggufType) else { return }
        try model.saveGGUF(
            to: folder.appendingPathComponent("model.gguf"), tokens: SpecialTokens(of: tokenizer), as: type,
            tokenizer: ggufMetadata(of: model, tokenizer: tokenizer))
    }

    private func ggufMetadata(of model: LanguageModel, tokenizer: any Tokenizer) throws -> [(key: String, value: GGUFValue)] {
        guard let architecture = model.ggufArchitecture else {
            throw InvalidSetting("--save-format gguf: this model family cannot be saved as GGUF; remove the option")
        }
        guard let tokenizer = tokenizer as? PipelineTokenizer else {
            throw InvalidSetting("--save-format gguf: only a tokenizer that was read from a file can be saved as GGUF")
        }
        return try tokenizer.ggufMetadata(rows: model.decoder.shape.vocabularySize, architecture: architecture)
    }

    /// The bytes of the finished model's weight files.
    /// - Parameter isMerged: whether an adapter is merged into the weights.
    func resultBytes(of model: LanguageModel, isMerged: Bool) -> Int {
        let bytes = model.savedBytes(as: elementType, merging: isMerged)
        guard writesGGUF, let type = LanguageModel.GGUFType(rawValue: ggufType) else { return bytes }
        let floats = model.savedBytes(as: .float32, merging: true)
        switch type {
        case .f32: return bytes + floats
        case .f16, .bf16: return bytes + floats / 2
        case .q8_0: return bytes + floats / 128 * 34
        }
    }

    /// The element type of the stored weights.
    var elementType: ElementType { Self.types.first { $0.key == saveDtype }?.value ?? .float32 }

    /// The maximum bytes of tensors in one file.
    var shardLimit: Int { ByteCount(maxShardSize)?.bytes ?? 5_000_000_000 }
}
