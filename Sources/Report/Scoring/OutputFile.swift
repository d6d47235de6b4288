import Formats
import Foundation
import Study

/// A file that an option names to be written.
enum OutputFile {
    /// Refuses an output that is one of the files that are read: whoever names it so loses what was in it.
    /// - Parameters:
    ///   - option: the name of the option, for the error.
    ///   - inputs: what is read; files that are not there are passed over.
    static func check(_ output: URL, option: String, isNoneOf inputs: [URL]) throws {
        guard let own = try FileStatus.of(output)?.identity else { return }
        for input in inputs where try FileStatus.of(input)?.identity == own {
            throw InvalidSetting(
                "\(option) is \(output.path), which is read, too, and would be lost; choose another name")
        }
    }
}
