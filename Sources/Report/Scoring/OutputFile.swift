import Formats
import Foundation
import Study

/// Checks a file that an option names as output.
enum OutputFile {
    /// Checks that an output file is not one of the input files, whose content would be lost.
    /// - Parameters:
    ///   - option: the name of the option, for the error message.
    ///   - inputs: the input files; missing ones are skipped.
    /// - Throws: `InvalidSetting` if the output is an input; `FileError`.
    static func check(_ output: URL, option: String, isNoneOf inputs: [URL]) throws {
        guard let own = try FileStatus.of(output)?.identity else { return }
        for input in inputs where try FileStatus.of(input)?.identity == own {
            throw InvalidSetting(
                "\(option) \(output.path) is also an input file and would be overwritten; choose another name")
        }
    }
}
