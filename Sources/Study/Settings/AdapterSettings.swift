import Models
import Tensor

/// A low-rank adapter that is trained in place of a model's weights (LoRA: Hu et al. 2021).
public struct AdapterSettings: Settings {
    /// The rank of a low-rank adapter that is trained while the weights stay as they are; unless given, the weights are trained.
    public var loraRank: Int?
    /// The adapter counts times this by the rank; as much as the rank unless given.
    public var loraAlpha: Double?
    /// The share of the adapter's inputs that training drops.
    public var loraDropout = 0.0
    /// The projections that get one: names, or ends of names, such as q_proj,v_proj; or all-linear.
    public var loraTargets = "all-linear"
    /// The layers that get one, from 0, such as 12,13,14; those that `freezeLayers` leaves unless given.
    public var loraLayers: [Int] = []
    /// Whether the adapter counts times alpha by the root of the rank (rsLoRA).
    public var useRslora = false
    /// Whether the lengths of rows are trained apart from their directions (DoRA).
    public var useDora = false
    /// Whether the finished model is a whole one, with the adapter merged into it; else it is the adapter alone, in PEFT's files. With `doTrain`
    /// false an adapter that is there is merged as it is.
    public var mergeAdapter = false

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard loraRank != nil else {
            // an adapter that the model has already can be merged, too
            var usual = AdapterSettings()
            usual.mergeAdapter = mergeAdapter
            guard self == usual else {
                throw InvalidSetting(
                    "--lora-alpha, --lora-dropout, --lora-targets, --lora-layers, --use-rslora and --use-dora are for --lora-rank")
            }
            return
        }
        do {
            try configuration(layers: nil)?.check()
        } catch let error as ModelError {
            throw InvalidSetting("\(error)")
        }
        guard loraLayers.allSatisfy({ $0 >= 0 }) else { throw InvalidSetting("--lora-layers takes numbers from 0") }
    }

    private func configuration(layers: [Int]?) -> AdapterConfiguration? {
        loraRank.map {
            AdapterConfiguration(
                rank: $0, alpha: loraAlpha, dropout: loraDropout, targets: .init(loraTargets), layers: layers, isRankStabilised: useRslora,
                decomposesWeights: useDora)
        }
    }

    /// Puts a fresh adapter on a model that training begins with, where one is asked for.
    /// - Parameter freezing: which layers are trained, where the settings name none.
    func adapt(_ start: inout LoadedModel, freezing: Freezing, seed: UInt64) throws {
        guard loraRank != nil else {
            guard !mergeAdapter || start.model.decoder.adapter != nil else {
                throw InvalidSetting("\(start.folder.path) has no adapter that --merge-adapter could merge; --lora-rank trains one")
            }
            return
        }
        guard start.model.decoder.adapter == nil else {
            throw InvalidSetting(
                "\(start.folder.path) is an adapter already: without --lora-rank it is trained further; to train another one, make a whole model "
                    + "of it first: train-sft --model-name \(start.folder.path) --do-train false --merge-adapter")
        }
        let shape = start.model.decoder.shape
        let layers = loraLayers.isEmpty ? Array(freezing.trainedLayers(of: shape)) : loraLayers
        guard let configuration = configuration(layers: layers) else { return }
        start.model.decoder = try start.model.decoder.adapted(
            by: configuration, base: start.folder.standardizedFileURL.path, using: Philox(seed: seed).split("adapter"))
    }

    /// The model as it is saved when it is finished.
    func finished(_ model: LanguageModel) -> LanguageModel { mergeAdapter ? model.merged() : model }
}
