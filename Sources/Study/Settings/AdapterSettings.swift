import Models
import Runs
import Tensor

/// A low-rank adapter that is trained instead of a model's weights (LoRA: Hu et al. 2021).
public struct AdapterSettings: Settings {
    /// The rank of the adapter. The model's own weights are frozen. Default: no adapter; the weights are trained.
    public var loraRank: Int?
    /// The adapter's output is scaled by this number divided by the rank. Default: the rank, so that the scale is 1.
    public var loraAlpha: Double?
    /// The dropout rate on the adapter's inputs during training.
    public var loraDropout = 0.0
    /// The projections that get an adapter: names or name endings, such as q_proj,v_proj, or all-linear.
    public var loraTargets = "all-linear"
    /// The layers that get an adapter, numbered from 0, such as 12,13,14. Default: the layers that `freezeLayers` leaves
    /// trainable.
    public var loraLayers: [Int] = []
    /// Whether the scale is alpha divided by the square root of the rank (rsLoRA).
    public var useRslora = false
    /// Whether the norms of weight rows are trained separately from their directions (DoRA).
    public var useDora = false
    /// Whether the adapter is merged into the weights when the finished model is saved. Otherwise the adapter alone is saved, in
    /// PEFT's format. With `doTrain` false, an existing adapter is merged unchanged.
    public var mergeAdapter = false

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard loraRank != nil else {
            // an adapter that the starting model already has can be merged without --lora-rank
            var usual = AdapterSettings()
            usual.mergeAdapter = mergeAdapter
            guard self == usual else {
                throw InvalidSetting(
                    "--lora-alpha, --lora-dropout, --lora-targets, --lora-layers, --use-rslora and --use-dora "
                        + "have no effect without --lora-rank")
            }
            return
        }
        do {
            try configuration(layers: nil)?.check()
        } catch let error as ModelError {
            throw InvalidSetting("\(error)")
        }
        guard loraLayers.allSatisfy({ $0 >= 0 }) else { throw InvalidSetting("--lora-layers must not contain negative numbers") }
    }

    private func configuration(layers: [Int]?) -> AdapterConfiguration? {
        loraRank.map {
            AdapterConfiguration(
                rank: $0, alpha: loraAlpha, dropout: loraDropout, targets: .init(loraTargets), layers: layers, isRankStabilised: useRslora,
                decomposesWeights: useDora)
        }
    }

    /// Adds a new adapter to the starting model, if `loraRank` is set.
    /// - Parameter freezing: determines the layers that get an adapter if `loraLayers` is empty.
    /// - Throws: `InvalidSetting` when the model already is an adapter, or has none to merge; `ModelError`.
    func adapt(_ start: inout LoadedModel, freezing: Freezing, seed: UInt64) throws {
        guard loraRank != nil else {
            guard !mergeAdapter || start.model.decoder.adapter != nil else {
                throw InvalidSetting("--merge-adapter: \(start.folder.path) has no adapter to merge; train one with --lora-rank")
            }
            return
        }
        guard start.model.decoder.adapter == nil else {
            throw InvalidSetting(
                "\(start.folder.path) is already an adapter; to train it further, remove --lora-rank; to train a new adapter, merge "
                    + "this one first: train-sft --model-name \(start.folder.path) --do-train false --merge-adapter")
        }
        let shape = start.model.decoder.shape
        let layers = loraLayers.isEmpty ? Array(freezing.trainedLayers(of: shape)) : loraLayers
        guard let configuration = configuration(layers: layers) else { return }
        start.model.decoder = try start.model.decoder.adapted(
            by: configuration, base: start.folder.standardizedFileURL.path, using: Philox(seed: seed).split("adapter"))
    }

    /// Loads the model of a checkpoint, which must have the adapter that these settings ask for. It may have another one only if
    /// config.json was edited.
    /// - Parameters:
    ///   - base: names the base model of an adapter.
    ///   - usesTanh: whether the value head, if there is one, applies a tanh; nil uses the value in config.json.
    /// - Throws: `InvalidSetting`, which says what the checkpoint is; as `LoadedModel.load`.
    func resumed(
        from checkpoint: Checkpoint, base: AdapterBaseSettings, usesTanh: Bool? = nil, _ session: RunSession
    ) throws -> LoadedModel {
        let loaded = try LoadedModel.load(
            checkpoint.url.appendingPathComponent("model").path, from: [], base: base.folder, usesTanh: usesTanh,
            families: session.families, note: session.say)
        let found = loaded.model.decoder.adapter?.configuration.rank
        guard let loraRank, found != loraRank else { return loaded }
        throw InvalidSetting(
            "--lora-rank is \(loraRank), but the checkpoint \(loaded.folder.path) is that of "
                + (found.map { "an adapter of rank \($0)" } ?? "a full model, without an adapter")
                + "; give the option the value with which the run was started, or start a new run with another --run-id")
    }

    /// The model in the form in which it is saved when finished: merged if `mergeAdapter` is set.
    func finished(_ model: LanguageModel) -> LanguageModel { mergeAdapter ? model.merged() : model }
}
