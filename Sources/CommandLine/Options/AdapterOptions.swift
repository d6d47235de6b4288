public import ArgumentParser
public import Study

/// A low-rank adapter that is trained in place of a model's weights.
public struct AdapterOptions: SettingsOptions {
    public typealias Values = AdapterSettings

    @Option(
        help:
            "The rank of a low-rank adapter (LoRA) that is trained while the weights stay as they are; unless given, the weights are trained."
    )
    public var loraRank: Int?
    @Option(help: "The adapter counts times this by the rank; as much as the rank unless given.")
    public var loraAlpha: Double?
    @Option(help: "The share of the adapter's inputs that training drops.")
    public var loraDropout = Self.defaults.loraDropout
    @Option(help: "The projections that get one: names, or ends of names, such as q_proj,v_proj; or all-linear.")
    public var loraTargets = Self.defaults.loraTargets
    @Option(help: "The layers that get one, from 0, such as 12,13,14; those that --freeze-layers leaves unless given.")
    public var loraLayers = ArgumentList(Self.defaults.loraLayers)
    @Option(help: .yesNo("Whether the adapter counts times alpha by the root of the rank (rsLoRA)."))
    public var useRslora = Self.defaults.useRslora
    @Option(help: .yesNo("Whether the lengths of rows are trained apart from their directions (DoRA)."))
    public var useDora = Self.defaults.useDora
    @Option(
        help: .yesNo(
            """
            Whether the finished model is a whole one, with the adapter merged into it; else it is the adapter alone, in PEFT's files. With \
            --do-train false an adapter that is there is merged as it is.
            """))
    public var mergeAdapter = Self.defaults.mergeAdapter

    public init() {}

    /// Other names of options.
    public static let aliases = ["lora-r": "lora-rank"]
}
