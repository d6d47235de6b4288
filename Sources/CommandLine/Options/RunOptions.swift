public import ArgumentParser
public import Study

/// Where a run writes, and how it runs.
public struct RunOptions: SettingsOptions {
    public typealias Values = RunSettings

    @Option(help: "Folder that contains the run folders.", completion: .directory)
    public var outputDir = Self.defaults.outputDir
    @Option(help: "Name of the run folder. Default: sft, rm, ppo, dpo, bon, diversity or preferences, depending on the program.")
    public var runId: String?
    @Option(
        help: """
            What to do if the run exists. One of allow (resume it, or start a new one), must (resume it or fail) or never (fail if it \
            exists).
            """)
    public var resume = Self.defaults.resume
    @Option(help: "Seed of every random choice of the run.")
    public var seed = Self.defaults.seed
    @Option(help: "Number of threads. Default: all processors; under mpirun, those of a machine divided among its processes.")
    public var threads: Int?
    @Option(
        help: """
            Matmul precision: f32 or bf16. It applies to products with weights and, on processors with bfloat16 instructions, to \
            attention. With bf16, sums are f32; it is faster and less exact.
            """)
    public var dtype = Self.defaults.dtype
    @Option(
        help: """
            Format of frozen weights in memory: f32, bf16 or int8. f32 leaves them as they are stored. bf16 takes 2 bytes per weight, \
            int8 about 1.06, in all models of the run; weights are rounded, and with int8 products take more time. Trained weights are \
            not rounded. Frozen weights are saved as the starting model's file has them. Those that were converted when they were read \
            (GPT-2's transposed matrices, matrices of a GGUF file with rows in another order or in blocks other than Q8_0, double \
            precision) are saved with their rounded numbers. It applies to training and sample-best-of-n.
            """)
    public var frozenDtype = Self.defaults.frozenDtype
    @Option(
        help: """
            Format of trained weight matrices in memory: f32 or bf16. bf16 takes 2 bytes per weight instead of 4; each step rounds the \
            changed weights at random, so that they change by the right amount on average. With --dtype bf16, products then keep no \
            packed copies, which takes more time and saves another 4 bytes per weight. Vectors and adapters stay f32.
            """)
    public var masterDtype = Self.defaults.masterDtype
    @Option(
        help: """
            Format of the gradients of weight matrices in memory: f32 or bf16. bf16 takes 2 bytes per weight instead of 4; each pass adds \
            in f32 and rounds the sum at random, so that it is right on average.
            """)
    public var gradientDtype = Self.defaults.gradientDtype
    @Option(help: "Checkpoints to keep, the newest ones. Default: all if they follow steps, 2 if they follow minutes.")
    public var checkpointLimit: Int?
    @Option(help: "Minutes between two checkpoints; 0 for none. It applies if no number of steps is given.")
    public var checkpointMinutes = Self.defaults.checkpointMinutes
    @Option(
        help: """
            Maximum expected memory, such as 6GB or 800MB. A run that is expected to need more does not start. KB, MB, GB and TB are \
            powers of 1000, KiB, MiB, GiB and TiB powers of 1024. Default: the available memory.
            """)
    public var memoryLimit: String?
    @Option(help: "Write the time of each operation and the idle time of each thread to profile.json in the run folder.")
    public var profile = Self.defaults.profile
    @Option(
        help: """
            YAML or JSON file with values for options. The config.json of another run can also be used. Default: none.
            """, completion: .file())
    public var config: String?

    public init() {}

    /// Other names of options.
    public static let aliases = ["save-total-limit": "checkpoint-limit"]

    /// Options that the original's commands name without a value.
    public static let mayLackValue: Set<String> = ["output-dir"]
}
