public import ArgumentParser
public import Study

/// A low-rank adapter that is trained in place of a model's weights.
public struct AdapterOptions: SettingsOptions {
    public typealias Values = AdapterSettings

    @Option(
        help: """
            Rank of a low-rank adapter (LoRA). The adapter is trained, and the model's own weights are frozen. Default: no adapter; the \
            weights are trained.
            """)
    public var loraRank: Int?
    @Option(help: "LoRA alpha. The adapter's output is scaled by alpha divided by the rank. Default: the rank, so that the scale is 1.")
    public var loraAlpha: Double?
    @Option(help: "Dropout rate on the adapter's inputs.")
    public var loraDropout = Self.defaults.loraDropout
    @Option(help: "Projections that get an adapter. Names or name endings, such as q_proj,v_proj, or all-linear.")
    public var loraTargets = Self.defaults.loraTargets
    @Option(
        help: """
            Layers that get an adapter, such as 12,13,14. They are numbered from 0. Default: the layers that --freeze-layers leaves \
            trainable.
            """)
    public var loraLayers = ArgumentList(Self.defaults.loraLayers)
    @Option(help: .yesNo("Divide alpha by the square root of the rank. This is rsLoRA; otherwise alpha is divided by the rank."))
    public var useRslora = Self.defaults.useRslora
    @Option(help: .yesNo("Train norms and directions separately (DoRA). The norms are those of weight rows."))
    public var useDora = Self.defaults.useDora
    @Option(
        help: .yesNo(
            """
            Merge the adapter into the finished model. Otherwise the adapter alone is saved, in PEFT's format. With --do-train false, an \
            existing adapter is merged unchanged.
            """))
    public var mergeAdapter = Self.defaults.mergeAdapter

    public init() {}

    /// Other names of options.
    public static let aliases = ["lora-r": "lora-rank"]
}
