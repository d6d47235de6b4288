import Data
import Foundation
import Formats
import Runs
import Study

/// Derives display names of the systems that generated tables of samples.
struct SystemNames {
    /// The systems of studies, by the folder with the manifest.
    private var studies: [URL: [StudiedSystem]] = [:]

    /// A name, and the position of the system among others; the base has rank 0.
    struct Name {
        var text: String
        var rank: Int
        /// Whether the samples were drawn from the reference model, from which KL is measured.
        var isOfReference = false
    }

    /// The name of the system that generated a table.
    mutating func name(of run: ReportedRun, table: String, split: String, rows: [SampleRow]) -> Name {
        let (model, rank) = Self.model(of: run)
        let isOfReference = Self.isReference(of: run, rank: rank)
        let parent = run.folder.deletingLastPathComponent().deletingLastPathComponent().standardizedFileURL
        if studies[parent] == nil { studies[parent] = (try? StudiedSystem.read(from: parent)) ?? [] }
        if let place = studies[parent]?.firstIndex(where: { $0.samples == run.name && $0.tableName(of: split) == table }),
            let system = studies[parent]?[place]
        {
            return Name(text: system.title, rank: system.base == true ? 0 : place + 1, isOfReference: isOfReference)
        }
        guard table != split else { return Name(text: model, rank: rank, isOfReference: isOfReference) }
        let count = rows.first?.numbers["n"].flatMap { Int(exactly: $0) }.map(String.init) ?? "N"
        return rank == 0
            ? Name(text: "best-of-\(count)", rank: 40, isOfReference: isOfReference)
            : Name(text: "\(model), best of \(count)", rank: 50 + rank, isOfReference: isOfReference)
    }

    /// Whether the model of a run of samples is the reference model: a supervised model whose samples name no other reference, or
    /// any untrained model that is named as its own reference. A model trained with a reward or with preferences never is.
    private static func isReference(of run: ReportedRun, rank: Int) -> Bool {
        guard rank == 0 || rank == 30 else { return false }
        guard let drawing = (try? SampledModel.drawingRun(of: run.folder)).flatMap({ $0 }),
            let options = (try? RunConfiguration.read(inRun: drawing)).flatMap({ $0 })?.options
        else { return false }
        guard case .string(let reference)? = options["reference_model"] else { return rank == 0 }
        guard case .string(let model)? = options["model_name"] else { return false }
        func path(_ name: String) -> String { URL(fileURLWithPath: name, isDirectory: true).standardizedFileURL.path }
        return path(reference) == path(model)
    }

    /// The name of the model that a run of samples was drawn from.
    private static func model(of run: ReportedRun) -> (name: String, rank: Int) {
        guard let model = (try? SampledModel(ofSamples: run.folder)).flatMap({ $0 }) else { return (run.name, 30) }
        let own = URL(fileURLWithPath: model.named, isDirectory: true).standardizedFileURL.lastPathComponent
        guard let found = model.run else { return (own, 30) }
        switch found.stage {
        case .supervised: return ("SFT", 0)
        case .policy: return ((try? PipelineComparison.policyName(found.folder)).flatMap { $0 } ?? "PPO", 10)
        case .preference: return ((try? PipelineComparison.preferenceName(found.folder)) ?? "DPO", 20)
        case .rewardModel, .bestOfN, .diversity: return (own, 30)
        }
    }
}
