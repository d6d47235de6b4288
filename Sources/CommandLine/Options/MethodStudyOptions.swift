public import ArgumentParser
public import Report

/// The folder of a study of methods, how it is measured, and where methods are compared.
public struct MethodStudyOptions: SettingsOptions {
    public typealias Values = MethodStudySettings

    @Option(
        help: """
            A folder with systems.jsonl and folders seed-…, each with the runs sft, rm and those that systems.jsonl names; \
            methods.md, methods.json and methods.svg are written into it.
            """, completion: .directory)
    public var experimentDir: String
    @Option(help: "What the hidden judge takes off a summary of twice the reference's length.")
    public var lengthWeight = Self.defaults.lengthWeight
    @Option(help: "A folder with a sentence encoder; without one there is no diversity of embeddings.", completion: .directory)
    public var embeddingModel: String?
    @Option(
        help: """
            Rewards above that of the base at which methods are compared; unless given the greatest that all methods reach, \
            and the greatest that half of them do.
            """)
    public var rewardGains = ArgumentList(Self.defaults.rewardGains)
    @Option(help: "KL divergences from the base at which methods are compared, in nats; chosen likewise unless given.")
    public var klLevels = ArgumentList(Self.defaults.klLevels)

    public init() {}
}
