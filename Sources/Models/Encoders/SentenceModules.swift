internal import Formats
import Foundation

/// The modules.json of a folder of sentence-transformers.
struct SentenceModules {
    /// One step from text to vector.
    struct Module {
        /// The last part of the class's name, whatever package path stands before it.
        let kind: String
        let folder: URL
        /// modules.json, for errors.
        let file: String

        /// The folder, if the module is of this kind.
        func expect(_ kind: String) throws -> URL {
            guard self.kind == kind else {
                throw EncoderError.module(file: file, problem: "expected the module \(kind) before \(self.kind)")
            }
            return folder
        }

        var unsupported: EncoderError {
            .module(
                file: file,
                problem:
                    "the module \(kind) is not supported; Transformer, Pooling, Dense and Normalize are, in this order")
        }
    }

    /// In the order in which they run; empty if there is no modules.json.
    let list: [Module]

    /// Reads `[{"idx": 0, "name": …, "path": …, "type": …}, …]`. Paths must lie in the folder itself.
    init(_ folder: URL) throws {
        let url = folder.appendingPathComponent("modules.json")
        guard try FileStatus.of(url) != nil else {
            list = []
            return
        }
        guard let elements = try JSONValue(contentsOf: url).array, !elements.isEmpty else {
            throw EncoderError.module(file: url.path, problem: "expected a list of modules")
        }
        list = try elements.map { element in
            guard let type = element["type"]?.string, let path = element["path"]?.string,
                let kind = type.split(separator: ".").last
            else { throw EncoderError.module(file: url.path, problem: "expected a path and a type in every module") }
            guard path.isEmpty || WeightStore.isPlainName(path) else {
                throw EncoderError.module(file: url.path, problem: "the path \"\(path)\" leads out of the folder")
            }
            return Module(
                kind: String(kind), folder: path.isEmpty ? folder : folder.appendingPathComponent(path), file: url.path)
        }
    }
}
