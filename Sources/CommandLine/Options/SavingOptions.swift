public import ArgumentParser
public import Study

/// How the finished model of a run is stored. Checkpoints that a run goes on from are always 32-bit floats: they hold the masters of
/// what is trained.
public struct SavingOptions: SettingsOptions {
    public typealias Values = SavingSettings

    @Option(
        help:
            "How weights of the finished model are stored: f32, or rounded to bf16 or f16, which takes half the space.")
    public var saveDtype = Self.defaults.saveDtype
    @Option(
        help:
            "What one weight file of the finished model holds at most, such as 500MB or 5GB; a larger model gets several."
    )
    public var maxShardSize = Self.defaults.maxShardSize
    @Option(
        help:
            "safetensors; or gguf, to put a model.gguf for llama.cpp and its relatives beside the other files of the finished model.")
    public var saveFormat = Self.defaults.saveFormat
    @Option(
        help: """
            Metric that chooses the result, such as validation_loss. The model of the best evaluation is kept in best/ and becomes final/. \
            Takes validation_ or ood_validation_ with loss, accuracy or score, as the program measures it. Default: the model of the last step.
            """)
    public var keepBest: String?
    @Option(help: "How matrices in model.gguf are stored: f32, f16, bf16 or q8_0.")
    public var ggufType = Self.defaults.ggufType

    public init() {}
}
