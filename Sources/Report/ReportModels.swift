import Diversity
import Formats
import Foundation
import Runs
import Study

/// What reports read besides tables: sentence encoders and run times.
enum ReportModels {
    /// Loads the sentence encoder in the folder that an option names.
    /// - Parameters:
    ///   - path: the encoder's folder.
    ///   - option: the option's name, for error messages.
    ///   - note: receives remarks about the encoder.
    static func encoder(_ path: String, option: String, note: (String) -> Void) throws -> FolderSentenceEncoder {
        let encoder = try FolderSentenceEncoder(EncoderFolder.sentences(path, option: option))
        encoder.notes.forEach(note)
        return encoder
    }

    /// The seconds that a run worked, from `timing.json`. Nil, with a note, if the run did not record them or the file is
    /// damaged.
    static func seconds(of run: URL, note: (String) -> Void) throws -> Double? {
        do {
            if try RunFolder.hasTiming(inRun: run) { return try RunFolder.seconds(inRun: run) }
            // a folder without a configuration is not a run and has no seconds to report
            if try RunConfiguration.read(inRun: run) != nil {
                note("\(run.appendingPathComponent("timing.json").path) does not exist; the run's time is left out")
            }
        } catch let error as FileError {
            guard case .damaged = error else { throw error }
            note("\(error); the run's time is left out")
        }
        return nil
    }
}
