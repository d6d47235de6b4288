internal import Formats

/// An error in tokenizer files or in the training of a tokenizer.
public enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file or folder cannot be read.
    case unreadable(file: String, reason: String)
    /// The folder has no tokenizer files.
    case noTokenizer(folder: String)
    /// A file is invalid. `line` counts from 1 and is nil for formats without lines.
    case malformed(file: String, line: Int?, reason: String)
    /// A file uses a feature that is not supported.
    case unsupported(file: String, part: String, name: String)
    /// The settings for training a tokenizer are invalid.
    case training(String)

    /// The message, on one line.
    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .noTokenizer(let folder):
            "\(folder): no tokenizer here; expected tokenizer.json, tokenizer.model, vocab.json with merges.txt, "
                + "vocab.txt, or a .gguf file"
        case .malformed(let file, let line?, let reason): "\(file):\(line): \(reason)"
        case .malformed(let file, nil, let reason): "\(file): \(reason)"
        case .unsupported(let file, let part, let name):
            "\(file): \(part) \(OneLine.quoted(name, limit: 60)) is not supported; choose a tokenizer without it"
        case .training(let reason): "tokenizer training: \(reason)"
        }
    }
}
