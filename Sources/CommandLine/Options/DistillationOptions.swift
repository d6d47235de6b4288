public import ArgumentParser
public import Study

/// Best-of-N that a policy learns to do without drawing N answers.
public struct DistillationOptions: SettingsOptions {
    public typealias Values = DistillationSettings

    @Option(
        help: """
            A finished best-of-N run of the reference, with samples of every prompt that is trained on or evaluated: the policy is rewarded \
            with (N - 1) log F, F the share of the prompt's samples that are no better. With --init-kl-coef 1 --kl-approx 1 its optimum is \
            what best-of-N does; a smaller weight of the KL is a greater N.
            """)
    public var distilBestOfN: String?
    @Option(help: "That N; 16 unless given.")
    public var distilledN: Int?

    public init() {}
}
