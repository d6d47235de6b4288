public import ArgumentParser
public import Study

/// Best-of-N that a policy learns to do without drawing N answers.
public struct DistillationOptions: SettingsOptions {
    public typealias Values = DistillationSettings

    @Option(
        help: """
            Finished best-of-N run to distil. It is a run of the reference model, with samples of every prompt that is trained on or \
            evaluated. The reward is (N - 1) log F, where F is the share of a prompt's samples with no greater reward. With --init-kl-coef \
            1 --kl-approx 1 its optimum is best-of-N; a smaller KL weight corresponds to a greater N. Default: none.
            """)
    public var distilBestOfN: String?
    @Option(help: "N of the distilled best-of-N. Default: 16.")
    public var distilledN: Int?

    public init() {}
}
