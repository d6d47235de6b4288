/// An option of other programs that is accepted here and has no meaning.
public struct IgnoredOption: Equatable, Sendable {
    /// What may follow the name.
    public enum Kind: Equatable, Sendable {
        /// Nothing, or true or false.
        case boolean
        /// One or more values.
        case value
    }

    /// Kebab-case; with `*` at its end, all names that begin so.
    public var name: String
    /// What may follow it.
    public var kind: Kind
    /// Why it has no meaning, as the end of "… has no meaning here: ".
    public var reason: String

    /// One option.
    public init(_ name: String, _ kind: Kind, _ reason: String) {
        self.name = name
        self.kind = kind
        self.reason = reason
    }

    /// Whether a kebab-case name is this option.
    func matches(_ name: String) -> Bool {
        self.name.hasSuffix("*") ? name.hasPrefix(self.name.dropLast()) : name == self.name
    }

    /// Several names with one reason.
    public static func list(_ kind: Kind, _ names: [String], _ reason: String) -> [IgnoredOption] {
        names.map { IgnoredOption($0, kind, reason) }
    }

    /// What scripts for accelerators and tracking services pass to any of the programs.
    public static var common: [IgnoredOption] {
        let devices = "there is one device, the CPU (--threads says how much of it)"
        let tracking = "nothing is sent anywhere; metrics and tables are files in the run folder"
        let precision = "the number format is chosen with --dtype"
        let fusion = "kernels are always fused"
        let processes = "one process does all the work"
        let progress = "progress and metrics have one form"
        let batches = "batches change neither results nor, with --tokens-per-pass, memory"
        let memory = "activations of frozen layers are never kept, and equal frozen layers are always shared"
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
            list(.value, ["wandb-*", "entity", "project", "group", "tags", "report-to", "hub-*"], tracking),
            list(.boolean, ["use-wandb", "push-to-hub*"], tracking),
            list(.boolean, ["fp16", "bf16", "fp16-full-eval", "bf16-full-eval", "tf32"], precision),
            list(.value, ["fp16-backend", "fp16-opt-level", "half-precision-backend"], precision),
            list(
                .boolean, ["bettertransformer", "torchcompile", "torch-compile", "jit-mode-eval", "use-ipex"], fusion),
            list(.value, ["torch-compile-backend", "torch-compile-mode", "torchdynamo"], fusion),
            list(
                .value, ["dataloader-num-workers", "preprocessing-num-workers", "dataloader-prefetch-factor"],
                processes),
            list(
                .boolean, ["dataloader-pin-memory", "dataloader-persistent-workers", "skip-memory-metrics"], processes),
            list(
                .value,
                [
                    "log-level*", "logging-dir", "logging-strategy", "evaluation-strategy", "eval-strategy",
                    "save-strategy",
                    "run-name",
                ], progress),
            list(
                .boolean, ["disable-tqdm", "logging-first-step", "logging-nan-inf-filter", "include-*", "debug"],
                progress),
            list(
                .value,
                ["per-device-eval-batch-size", "per-gpu-*", "eval-accumulation-steps", "generation-pad-token-id"],
                batches),
            list(
                .boolean,
                ["group-by-length", "auto-find-batch-size", "remove-unused-columns", "predict-with-generate"], batches),
            list(.boolean, ["tie-frozen-layers", "gradient-checkpointing"], memory),
            list(
                .boolean, ["overwrite-output-dir", "override-output-dir"],
                "--resume says what happens to a run that is there already"),
            list(.value, ["optim", "optim-args"], "the optimiser is AdamW"),
            list(.boolean, ["save-safetensors", "save-on-each-node", "do-predict"], "models are saved in one form"),
            list(.value, ["override-output-dir", "resume-from-checkpoint"], "a run goes on by itself; see --resume"),
        ].flatMap { $0 }
    }
}
