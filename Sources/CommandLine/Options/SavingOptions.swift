public import ArgumentParser
public import Study

/// Options of the finished model's files. Checkpoints are not affected: they hold weights in the formats of the run.
public struct SavingOptions: SettingsOptions {
    public typealias Values = SavingSettings

    @Option(
        help: """
            Data type of saved weights: f32, bf16 or f16. It applies to the finished model. The 16-bit types take half the space and round \
            the weights.
            """)
    public var saveDtype = Self.defaults.saveDtype
    @Option(
        help: """
            Maximum size of a weight file, such as 5GB. A larger finished model is split into several files. KB, MB, GB and TB are \
            powers of 1000, KiB, MiB, GiB and TiB powers of 1024.
            """)
    public var maxShardSize = Self.defaults.maxShardSize
    @Option(
        help: """
            Format: safetensors or gguf. With gguf, a model.gguf is added, for llama.cpp and compatible programs, beside the other files \
            of the finished model.
            """)
    public var saveFormat = Self.defaults.saveFormat
    @Option(
        help: """
            Metric that selects the final model. For example validation_loss: the model of the best evaluation is kept in best/ and becomes \
            final/. Takes validation_ or ood_validation_ with loss, accuracy or score, as the program measures it. Default: the model of the \
            last step. With --rounds it selects in the last round only.
            """)
    public var keepBest: String?
    @Option(help: "Type of matrices in model.gguf. One of f32, f16, bf16 or q8_0.")
    public var ggufType = Self.defaults.ggufType

    public init() {}
}
