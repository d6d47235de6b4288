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

    /// The seconds that a run was at work; those of one that does not say count as none, with a word.
    static func seconds(of run: URL, note: (String) -> Void) throws -> Double {
        do {
            return try RunFolder.seconds(inRun: run)
        } catch let error as FileError {
            guard case .damaged = error else { throw error }
            note("\(error); its seconds count as none")
            return 0
        }
    }
}
