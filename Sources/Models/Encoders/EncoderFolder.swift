import Formats
public import Foundation
import Tensor

/// A folder with an encoder: its configuration and weights, opened and matched with a family.
public struct EncoderFolder {
    let configuration: ConfigurationReader
    let family: EncoderFamily
    let weights: EncoderWeights
    private let path: String

    /// Opens a folder of one of the families.
    /// - Throws: ``CheckpointError``; ``ModelError/unknownFamily(_:known:)``.
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

    /// Makes the encoder.
    /// - Throws: ``CheckpointError`` or ``ModelError`` for what is missing, impossible or not supported.
    func encoder() throws -> any Encoder { try naming { try family.build($0, weights) } }

    /// Puts the file to a fault of the configuration.
    func naming<Result>(_ body: (ConfigurationReader) throws -> Result) throws -> Result {
        try ModelError.naming(path) { try body(configuration) }
    }

    /// Loads the encoder of a folder; heads of other tasks are left where they are.
    /// - Parameters:
    ///   - families: the encoders that the folder may hold.
    ///   - decoders: the decoders that may stand in an encoder's place.
    /// - Throws: ``CheckpointError`` or ``ModelError``.
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

    /// Whether a folder holds one of the decoders, and none of the encoders.
    static func isDecoder(_ url: URL, families: [EncoderFamily], decoders: [ModelFamily]) throws -> Bool {
        let type = try ModelFolder(url).configuration()["model_type"]?.string
        return decoders.contains { $0.modelType == type } && !families.contains { $0.modelType == type }
    }
}
