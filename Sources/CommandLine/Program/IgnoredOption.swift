/// An option of other training programs that is accepted for compatibility and ignored.
public struct IgnoredOption: Equatable, Sendable {
    /// What can follow the name.
    public enum Kind: Equatable, Sendable {
        /// Nothing, or a Boolean value.
        case boolean
        /// One or more values.
        case value
    }

    /// The name in kebab-case. With `*` at its end, it matches all names with this prefix.
    public var name: String
    /// What can follow the name.
    public var kind: Kind
    /// Why the option is ignored, as the end of the message "… is ignored: ".
    public var reason: String

    /// Creates one ignored option.
    public init(_ name: String, _ kind: Kind, _ reason: String) {
        self.name = name
        self.kind = kind
        self.reason = reason
    }

    /// Whether a kebab-case name matches this option.
    func matches(_ name: String) -> Bool {
        self.name.hasSuffix("*") ? name.hasPrefix(self.name.dropLast()) : name == self.name
    }

    /// Creates ignored options for several names with the same reason.
    public static func list(_ kind: Kind, _ names: [String], _ reason: String) -> [IgnoredOption] {
        names.map { IgnoredOption($0, kind, reason) }
    }

    /// Options that scripts for accelerators and tracking services pass to any of the programs.
    public static var common: [IgnoredOption] {
        let devices = "everything runs on the CPU (--threads sets the number of threads)"
        let tracking = "runs are tracked by files in the run folder, --tensorboard and --mlflow-uri"
        let precision = "set the number format with --dtype"
        let fusion = "kernels are always fused"
        let processes = "the program runs as a single process"
        let progress = "the format of progress and metrics is fixed"
        let batches = "the grouping into batches does not affect results; limit memory with --tokens-per-pass"
        let memory = "activations of frozen layers are never stored, and identical frozen layers are always shared"
        return [
            list(
                .value,
                ["device", "devices", "ref-device", "rf-device", "policy-head-device", "cuda-visible-devices"],
                devices),
            list(.value, ["rm-split-percentage", "policy-split-percentage", "ref-split-percentage"], devices),
            list(.boolean, ["parallelize", "no-cuda", "use-cpu", "use-mps-device"], devices),
            list(
                .value,
                [
                    "deepspeed", "num-gpus", "num-processes", "num-machines", "local-rank", "ddp-*", "fsdp*", "tpu-*",
                    "sharded-ddp", "mp-parameters", "xpu-backend", "accelerator-config", "ray-scope",
                ], processes),
            list(
                .value,
                ["wandb-*", "entity", "project", "group", "name", "tags", "id", "report-to", "hub-*", "trackio-*"],
                tracking),
            list(.boolean, ["wandb", "use-wandb", "push-to-hub*"], tracking),
            list(.boolean, ["fp16", "bf16", "fp16-full-eval", "bf16-full-eval", "tf32"], precision),
            list(.value, ["fp16-backend", "fp16-opt-level", "half-precision-backend"], precision),
            list(
                .boolean,
                [
                    "bettertransformer", "torchcompile", "torch-compile", "jit-mode-eval", "use-ipex",
                    "use-liger-kernel", "use-cache",
                ], fusion),
            list(
                .value, ["torch-compile-backend", "torch-compile-mode", "torchdynamo", "liger-kernel-config"], fusion),
            list(
                .value,
                [
                    "dataloader-num-workers", "preprocessing-num-workers", "dataloader-prefetch-factor",
                    "dataloader-multiprocessing-context", "parallelism-config",
                ], processes),
            list(
                .boolean,
                [
                    "dataloader-pin-memory", "dataloader-persistent-workers", "dataloader-in-order",
                    "skip-memory-metrics", "average-tokens-across-devices", "eval-use-gather-object",
                    "eval-do-concat-batches", "batch-eval-metrics", "log-on-each-node",
                ], processes),
            list(.boolean, ["full-determinism"], "runs are always deterministic"),
            list(.boolean, ["dataloader-drop-last"], "an incomplete last batch is always used"),
            list(.boolean, ["load-best-model-at-end", "greater-is-better"], "--keep-best METRIC selects the model of the best evaluation"),
            list(.value, ["metric-for-best-model"], "--keep-best METRIC selects the model of the best evaluation"),
            list(
                .boolean, ["ignore-data-skip", "save-only-model", "enable-jit-checkpoint", "restore-callback-*"],
                "checkpoints are always complete, and a resumed run continues exactly"),
            list(
                .boolean, ["eval-on-start", "prediction-loss-only"],
                "runs are evaluated at the start and the end; --do-eval sets whether texts are generated"),
            list(
                .value,
                [
                    "log-level*", "logging-dir", "logging-strategy", "evaluation-strategy", "eval-strategy",
                    "save-strategy", "eval-delay", "run-name", "debug", "include-*",
                ], progress),
            list(
                .boolean, ["disable-tqdm", "logging-first-step", "logging-nan-inf-filter"], progress),
            list(
                .value,
                [
                    "per-device-eval-batch-size", "infer-batch-size", "per-gpu-*", "eval-accumulation-steps", "generation-pad-token-id",
                    "label-names", "length-column-name", "train-sampling-strategy", "torch-empty-cache-steps",
                ], batches),
            list(
                .boolean,
                [
                    "group-by-length", "auto-find-batch-size", "remove-unused-columns", "predict-with-generate",
                    "sortish-sampler",
                ], batches),
            list(.boolean, ["tie-frozen-layers", "gradient-checkpointing", "activation-checkpointing"], memory),
            list(.value, ["gradient-checkpointing-kwargs", "activation-checkpointing-kwargs"], memory),
            list(
                .boolean, ["overwrite-output-dir"],
                "use --resume to choose what happens to an existing run"),
            list(
                .value, ["optim", "optim-args", "optim-target-modules"],
                "training programs have --optimizer and its rates, and no other settings of the optimiser"),
            list(
                .value, ["generation-max-length", "generation-num-beams", "generation-config"],
                "set generation with --max-new-tokens, --do-sample, --temperature, --top-k and --top-p"),
            list(.boolean, ["save-safetensors", "save-on-each-node", "do-predict"], "models and outputs are always saved in the same way"),
            list(.value, ["override-output-dir", "resume-from-checkpoint"], "an unfinished run is resumed automatically; see --resume"),
        ].flatMap { $0 }
    }
}
