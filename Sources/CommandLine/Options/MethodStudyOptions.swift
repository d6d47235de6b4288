public import ArgumentParser
public import Report

/// The folder of a study of methods, how it is measured, and where methods are compared.
public struct MethodStudyOptions: SettingsOptions {
    public typealias Values = MethodStudySettings

    @Option(
        help: """
            Folder of the study. It has systems.jsonl and folders seed-…, each with the runs sft, rm and those named in systems.jsonl; \
            methods.md, methods.json and methods.svg are written into it.
            """, completion: .directory)
    public var experimentDir: String
    @Option(help: "Length penalty of the hidden judge. It is the penalty for a summary twice as long as its reference.")
    public var lengthWeight = Self.defaults.lengthWeight
    @Option(help: "Folder of a sentence encoder. Default: none; the diversity of embeddings is not measured.", completion: .directory)
    public var embeddingModel: String?
    @Option(
        help: """
            Reward gains at which methods are compared. They are rewards above that of the base. Default: the highest that all methods \
            reach, and the highest that half of them reach.
            """)
    public var rewardGains = ArgumentList(Self.defaults.rewardGains)
    @Option(
        help: """
            KL levels at which methods are compared. They are KL divergences from the base, in nats. Default: chosen like the rewards.
            """)
    public var klLevels = ArgumentList(Self.defaults.klLevels)

    public init() {}
}
