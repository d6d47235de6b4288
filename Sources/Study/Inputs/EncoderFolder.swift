package import Foundation
import Runs

/// Resolves the folder of an encoder or classifier that an option names.
package enum EncoderFolder {
    /// The folder of a sentence encoder.
    /// - Throws: `InvalidSetting` for the folder of a run, which holds no encoder.
    package static func sentences(_ path: String, option: String) throws -> URL {
        try folder(path, option: option, expected: "a sentence encoder in the layout of sentence-transformers")
    }

    /// The folder of a classifier for natural language inference.
    /// - Throws: `InvalidSetting` for the folder of a run, which holds no classifier.
    package static func entailment(_ path: String, option: String) throws -> URL {
        try folder(path, option: option, expected: "a natural language inference classifier")
    }

    /// The folder of a classifier that decides whether two answers mean the same.
    /// - Throws: `InvalidSetting` for the folder of a run, which holds no classifier.
    package static func similarity(_ path: String, option: String) throws -> URL {
        try folder(path, option: option, expected: "a classifier of answer pairs with two labels")
    }

    private static func folder(_ path: String, option: String, expected: String) throws -> URL {
        let url = URL(fileURLWithPath: path, isDirectory: true)
        // any other folder is checked when the encoder is read
        if let run = try? RunConfiguration.read(inRun: url) {
            throw InvalidSetting("\(option): \(path) is a run of \(run.stage); expected the folder of \(expected)")
        }
        return url
    }
}
