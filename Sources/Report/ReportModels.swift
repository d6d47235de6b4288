import Diversity
import Formats
import Foundation
import Runs
import Study

/// What reports read beside tables.
enum ReportModels {
    /// A sentence encoder that an option names.
    /// - Parameter note: hears what is to be known of it.
    static func encoder(_ path: String, option: String, note: (String) -> Void) throws -> FolderSentenceEncoder {
        let encoder = try FolderSentenceEncoder(EncoderFolder.sentences(path, option: option))
        encoder.notes.forEach(note)
        return encoder
    }

    /// The seconds that a run was at work; nil, with a note, for one that does not say.
    static func seconds(of run: URL, note: (String) -> Void) throws -> Double? {
        do {
            if try RunFolder.hasTiming(inRun: run) { return try RunFolder.seconds(inRun: run) }
            // a folder that is no run has none to say
            if try RunConfiguration.read(inRun: run) != nil {
                note("\(run.appendingPathComponent("timing.json").path) does not exist; the run's seconds are left out")
            }
        } catch let error as FileError {
            guard case .damaged = error else { throw error }
            note("\(error); the run's seconds are left out")
        }
        return nil
    }
}
