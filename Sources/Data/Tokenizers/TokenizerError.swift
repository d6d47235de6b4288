internal import Formats

/// What can be wrong with tokenizer files and with the training of a tokenizer.
public enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file or folder cannot be read.
    case unreadable(file: String, reason: String)
    /// The folder has none of the files a tokenizer is made of.
    case noTokenizer(folder: String)
    /// The content of a file breaks its format; `line` is 1-based where the format has lines.
    case malformed(file: String, line: Int?, reason: String)
    /// The file asks for something this package does not have.
    case unsupported(file: String, part: String, name: String)
    /// The settings of a tokenizer's training cannot be met.
    case training(String)

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
