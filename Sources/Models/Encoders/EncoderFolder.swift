import Formats
public import Foundation
import Tensor

/// A folder with an encoder, whose configuration and weights are opened and whose family is identified.
public struct EncoderFolder {
    let configuration: ConfigurationReader
    let family: EncoderFamily
    let weights: EncoderWeights
    private let path: String

    /// Opens the folder of an encoder.
    /// - Parameters:
    ///   - url: the folder.
    ///   - families: the supported families; the last one with the folder's `model_type` applies.
    /// - Throws: `CheckpointError`; ``ModelError/unknownFamily(_:known:)``.
    public init(_ url: URL, families: [EncoderFamily] = EncoderFamily.builtIn) throws {
        let folder = ModelFolder(url)
        path = url.path
        configuration = ConfigurationReader(try folder.configuration())
        let configuration = configuration
        family = try ModelError.naming(path) {
            let type = try configuration.string("model_type")
            guard let family = families.last(where: { $0.modelType == type }) else {
                throw ModelError.unknownFamily(type, known: Set(families.map(\.modelType)).sorted())
            }
            return family
        }
        weights = EncoderWeights(try folder.weights(), family: family)
    }

    /// Creates the encoder.
    /// - Throws: `CheckpointError` or ``ModelError`` for anything that is missing, invalid or not supported.
    func encoder() throws -> any Encoder { try naming { try family.build($0, weights) } }

    /// Adds the path of config.json to configuration errors that `body` throws.
    func naming<Result>(_ body: (ConfigurationReader) throws -> Result) throws -> Result {
        try ModelError.naming(path) { try body(configuration) }
    }

    /// Loads the encoder in a folder. Heads of other tasks are ignored.
    /// - Parameters:
    ///   - url: the folder.
    ///   - families: the supported encoders.
    ///   - decoders: the supported decoders, which can be used as encoders.
    /// - Throws: `CheckpointError` or ``ModelError``.
    public static func load(
        _ url: URL, families: [EncoderFamily] = EncoderFamily.builtIn, decoders: [ModelFamily] = []
    ) throws -> any Encoder {
        if try isDecoder(url, families: families, decoders: decoders) {
            return DecoderEncoder(try LanguageModel.loadStates(url, families: decoders).decoder)
        }
        let folder = try EncoderFolder(url, families: families)
        let encoder = try folder.encoder()
        try folder.weights.checkSurplus()
        return encoder
    }

    /// Whether a folder contains one of the decoders, and none of the encoders.
    static func isDecoder(_ url: URL, families: [EncoderFamily], decoders: [ModelFamily]) throws -> Bool {
        let type = try ModelFolder(url).configuration()["model_type"]?.string
        return decoders.contains { $0.modelType == type } && !families.contains { $0.modelType == type }
    }
}
