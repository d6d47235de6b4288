import Formats
package import Foundation
import Runs

/// What scored the samples of a run, as the run's options name it: a reward function, and the folder of its model if it has one.
package struct SampleReward: CustomStringConvertible {
    private let function: String
    private let model: String?
    private let folder: URL?

    /// The reward of a run of samples; nil where its options name none, as of a run that another program made.
    /// - Throws: `FileError`, `RunFolderError` for a configuration that cannot be read.
    package init?(ofSamples run: URL) throws {
        guard let run = try SampledModel.drawingRun(of: run),
            case .string(let function)? = try SampledModel.option("reward_function", of: run)
        else { return nil }
        self.function = function
        if case .string(let path)? = try SampledModel.option("rf_model_dir", of: run) {
            (model, folder) = (path, try SampledModel.find(path, beside: run))
        } else {
            (model, folder) = (nil, nil)
        }
    }

    /// Whether rewards of the two are certainly on different scales: another function, or another model. A model that moved together with its
    /// samples, or was copied, is the same.
    package func differs(from other: SampleReward) throws -> Bool {
        guard function == other.function else { return true }
        guard let folder, let otherFolder = other.folder else { return (model == nil) != (other.model == nil) }
        if SampledModel.realPath(folder) == SampledModel.realPath(otherFolder) { return false }
        return try !SampledModel.areCopies(folder, otherFolder)
    }

    /// The model's folder, or the function's name.
    package var description: String { model ?? function }
}
