package import Foundation
import Runs

/// The folder of an encoder that an option names.
package enum EncoderFolder {
    /// The folder of a sentence encoder.
    /// - Throws: `InvalidSetting` for the folder of a run, which holds none.
    package static func sentences(_ path: String, option: String) throws -> URL {
        try folder(path, option: option, expected: "a sentence encoder in the layout of sentence-transformers")
    }

    /// The folder of a classifier of natural language inference.
    /// - Throws: `InvalidSetting` for the folder of a run, which holds none.
    package static func entailment(_ path: String, option: String) throws -> URL {
        try folder(path, option: option, expected: "a classifier of natural language inference")
    }

    /// The folder of a classifier that says whether two answers mean the same.
    /// - Throws: `InvalidSetting` for the folder of a run, which holds none.
    package static func similarity(_ path: String, option: String) throws -> URL {
        try folder(path, option: option, expected: "a classifier of pairs of answers with two labels")
    }

    private static func folder(_ path: String, option: String, expected: String) throws -> URL {
        let url = URL(fileURLWithPath: path, isDirectory: true)
        // what is no run is read, and says itself what is wrong with it
        if let run = try? RunConfiguration.read(inRun: url) {
            throw InvalidSetting("\(option): \(path) is a run of \(run.stage); expected the folder of \(expected)")
        }
        return url
    }
}
