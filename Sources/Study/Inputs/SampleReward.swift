import Formats
package import Foundation
import Runs

/// The reward function of a run of samples, and the folder of its model if it has one, from the run's options.
package struct SampleReward: CustomStringConvertible {
    private let function: String
    private let model: String?
    private let folder: URL?

    /// The reward of a run; nil if its options name none.
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

    /// Whether the two rewards are known to be on different scales: different functions or different models. A moved or copied model counts as the
    /// same.
    package func differs(from other: SampleReward) throws -> Bool {
        guard function == other.function else { return true }
        guard let folder, let otherFolder = other.folder else { return (model == nil) != (other.model == nil) }
        if SampledModel.realPath(folder) == SampledModel.realPath(otherFolder) { return false }
        return try !SampledModel.areCopies(folder, otherFolder)
    }

    /// The model's folder, or the function's name.
    package var description: String { model ?? function }
}
