internal import Formats
import Foundation

/// The contents of modules.json in a sentence-transformers folder.
struct SentenceModules {
    /// A module: one step from text to vector.
    struct Module {
        /// The name of the class, without its package.
        let kind: String
        let folder: URL
        /// The path of modules.json, for error messages.
        let file: String

        /// The configuration file of the module.
        var configurationFile: URL { folder.appendingPathComponent("config.json") }

        /// The folder of the module, which must be of the given kind.
        func expect(_ kind: String) throws -> URL {
            guard self.kind == kind else {
                throw EncoderError.module(file: file, problem: "expected the module \(kind) before \(self.kind)")
            }
            return folder
        }

        /// Reads the configuration.
        func configuration<Result>(_ read: (ConfigurationReader) throws -> Result) throws -> Result {
            let contents = try JSONValue(contentsOf: configurationFile)
            guard contents.members != nil else { throw fault("expected an object") }
            return try ModelError.naming(file: configurationFile.path) { try read(ConfigurationReader(contents)) }
        }

        /// Reads the configuration, if it exists or is required.
        func configuration(isRequired: Bool, _ read: (ConfigurationReader) throws -> Void) throws {
            if try isRequired || FileStatus.of(configurationFile) != nil { try configuration(read) }
        }

        /// Checks that the module's input and output are the vectors of texts.
        func expectSentenceVectors(_ file: ConfigurationReader) throws {
            for key in ["module_input_name", "module_output_name"] {
                guard let name = try file.optionalString(key), name != "sentence_embedding" else { continue }
                throw fault("\(key) is \"\(name)\"; only \"sentence_embedding\" is supported")
            }
        }

        /// An error in the module's configuration.
        func fault(_ problem: String) -> EncoderError { .module(file: configurationFile.path, problem: problem) }

        var unsupported: EncoderError {
            let known = SentenceStep.kinds.joined(separator: ", ")
            return .module(
                file: file, problem: "the module \(kind) is not supported here; supported are Transformer, then Pooling, then \(known)")
        }
    }

    /// The modules, in the order in which they run; empty if there is no modules.json.
    let list: [Module]

    /// Reads `[{"idx": 0, "name": …, "path": …, "type": …}, …]`. Paths must be inside of the folder, and classes must be those of
    /// sentence-transformers.
    init(_ folder: URL) throws {
        let url = folder.appendingPathComponent("modules.json")
        guard try FileStatus.of(url) != nil else {
            list = []
            return
        }
        func fault(_ problem: String) -> EncoderError { .module(file: url.path, problem: problem) }
        guard let elements = try JSONValue(contentsOf: url).array, !elements.isEmpty else { throw fault("expected a list of modules") }
        list = try elements.map { element in
            guard let type = element["type"]?.string, let path = element["path"]?.string,
                let kind = type.split(separator: ".").last
            else { throw fault("expected a path and a type in every module") }
            guard type.hasPrefix("sentence_transformers.") else {
                throw fault("the module \(type) needs its own code, which is not run; only classes of sentence_transformers are supported")
            }
            guard path.isEmpty || WeightStore.isPlainName(path) else { throw fault("the path \"\(path)\" is outside the folder") }
            return Module(
                kind: String(kind), folder: path.isEmpty ? folder : folder.appendingPathComponent(path), file: url.path)
        }
    }
}
