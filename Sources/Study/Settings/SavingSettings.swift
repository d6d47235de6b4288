import Data
import Formats
import Foundation
import Models
import TextGeneration

/// How the finished model of a run is stored. Checkpoints that a run goes on from are always 32-bit floats: they hold the masters of
/// what is trained.
public struct SavingSettings: Settings {
    /// How weights of the finished model are stored: f32, or rounded to bf16 or f16, which takes half the space.
    public var saveDtype = "f32"
    /// What one weight file of the finished model holds at most, such as 500MB or 5GB; a larger model gets several.
    public var maxShardSize = "5GB"
    /// safetensors; or gguf, to put a `model.gguf` for llama.cpp and its relatives beside the other files of the finished model.
    public var saveFormat = "safetensors"
    /// The number of evaluations by which the finished model is chosen, such as validation_loss or validation_accuracy: the model of the best
    /// evaluation is kept in `best/` and becomes the result. Unless given, the result is the model of the last step.
    public var keepBest: String?
    /// How matrices in `model.gguf` are stored: f32, f16, bf16 or q8_0.
    public var ggufType = "f16"

    /// The defaults.
    public init() {}

    private static let types: KeyValuePairs<String, ElementType> = [
        "f32": .float32, "bf16": .bfloat16, "f16": .float16,
    ]

    public func validate() throws {
        guard Self.types.contains(where: { $0.key == saveDtype }) else {
            throw InvalidSetting(
                "--save-dtype is '\(saveDtype)'; it takes \(Self.types.map(\.key).joined(separator: ", "))")
        }
        guard ["safetensors", "gguf"].contains(saveFormat) else {
            throw InvalidSetting("--save-format is '\(saveFormat)'; it takes safetensors, gguf")
        }
        guard let type = LanguageModel.GGUFType(rawValue: ggufType) else {
            let types = LanguageModel.GGUFType.allCases.map(\.rawValue).joined(separator: ", ")
            throw InvalidSetting("--gguf-type is '\(ggufType)'; it takes \(types)")
        }
        guard writesGGUF || type == .f16 else {
            throw InvalidSetting("--gguf-type says how a GGUF file is stored; it needs --save-format gguf")
        }
        guard Self.bytes(maxShardSize) != nil else {
            throw InvalidSetting(
                "--max-shard-size is '\(maxShardSize)'; it takes bytes, or a number with KB, MB or GB")
        }
    }

    private var writesGGUF: Bool { saveFormat == "gguf" }

    /// Refuses, before any training, a model that cannot be written as asked for.
    func check(_ model: LanguageModel, tokenizer: any Tokenizer) throws {
        guard writesGGUF else { return }
        _ = try ggufMetadata(of: model, tokenizer: tokenizer)
        try model.checkGGUF()
    }

    /// Writes `model.gguf` into a model's folder, where it is asked for.
    func writeGGUF(_ model: LanguageModel, tokenizer: any Tokenizer, to folder: URL) throws {
        guard writesGGUF, let type = LanguageModel.GGUFType(rawValue: ggufType) else { return }
        try model.saveGGUF(
            to: folder.appendingPathComponent("model.gguf"), tokens: SpecialTokens(of: tokenizer), as: type,
            tokenizer: ggufMetadata(of: model, tokenizer: tokenizer))
    }

    private func ggufMetadata(of model: LanguageModel, tokenizer: any Tokenizer) throws -> [(key: String, value: GGUFValue)] {
        guard let architecture = model.ggufArchitecture else {
            throw InvalidSetting("--save-format gguf: this family of models has no form as GGUF here; leave the option out")
        }
        guard let tokenizer = tokenizer as? PipelineTokenizer else {
            throw InvalidSetting("--save-format gguf: a tokenizer that comes from no file has no form as GGUF")
        }
        return try tokenizer.ggufMetadata(rows: model.decoder.shape.vocabularySize, architecture: architecture)
    }

    /// The type of the stored weights.
    var elementType: ElementType { Self.types.first { $0.key == saveDtype }?.value ?? .float32 }

    /// Bytes of tensors in one file.
    var shardLimit: Int { Self.bytes(maxShardSize) ?? 5_000_000_000 }

    /// Bytes of `5GB`, `500 MB`, `2GiB` or `1000000`; nil for what is none of them or below a byte.
    package static func bytes(_ text: String) -> Int? {
        let units: KeyValuePairs<String, Double> = [
            "kib": 0x1p10, "mib": 0x1p20, "gib": 0x1p30, "kb": 1e3, "mb": 1e6, "gb": 1e9, "b": 1, "": 1,
        ]
        let text = text.lowercased()
        guard let unit = units.first(where: { text.hasSuffix($0.key) }) else { return nil }
        let digits = text.dropLast(unit.key.count).filter { $0 != " " }
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "." }), let number = Double(digits) else {
            return nil
        }
        let bytes = number * unit.value
        return bytes >= 1 && bytes < 0x1p62 ? Int(bytes) : nil
    }
}
