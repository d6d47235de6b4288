/// An error in a model folder or in one of its files.
///
/// All content of a file is checked before it is used. Each case carries the file, the tensor and the numbers;
/// `description` is one line for people.
public enum CheckpointError: Error, Equatable, Sendable {
    // MARK: Files

    /// The operating system could not open, map or read the file.
    case unreadable(file: String, reason: String)
    /// The folder contains none of the weight files that `WeightStore` reads.
    case noWeights(folder: String)
    /// The file is shorter than its own header requires. Sizes are in bytes.
    case truncated(file: String, part: String, need: Int, have: Int)
    /// A part of the file exceeds a size limit. Sizes are in bytes unless `part` says otherwise.
    case tooLarge(file: String, part: String, size: Int, limit: Int)
    /// A file or archive refers to a path outside its folder.
    case unsafeName(file: String, name: String)
    /// The text is not JSON, or not the JSON that is expected.
    case badJSON(file: String, line: Int, column: Int, reason: String)
    /// The file does not have the format that its name says, or violates the format.
    case badFormat(file: String, reason: String)

    // MARK: PyTorch archives

    /// The file was saved by PyTorch before version 1.6 (or with `_use_new_zipfile_serialization=False`) and is not a zip
    /// archive.
    case legacyTorchFormat(file: String)
    /// The pickle contains something other than tensors and plain containers. Nothing in it was executed.
    case refusedPickle(file: String, offset: Int, what: String)

    // MARK: Tensors

    /// The checkpoint has no tensor with this name.
    case missingTensor(name: String, file: String)
    /// The checkpoint has a tensor that the model does not use.
    case surplusTensor(name: String, file: String)
    /// Two tensors have the same name.
    case duplicateTensor(name: String, file: String)
    /// The stored tensor has a different shape from the expected one.
    case wrongShape(name: String, got: [Int], expected: [Int])
    /// The stored tensor has a different element type from the expected one.
    case wrongElementType(name: String, got: String, expected: String)
    /// The tensor's byte range lies outside the data. Offsets are in bytes.
    case outOfRange(file: String, name: String, begin: Int, end: Int, size: Int)
    /// The number of bytes does not match the tensor's shape and element type.
    case wrongSize(file: String, name: String, shape: [Int], type: String, need: Int, have: Int)
    /// Two tensors of a safetensors or GGUF file overlap.
    case overlap(file: String, first: String, second: String)
    /// A safetensors file has bytes that belong to no tensor.
    case unclaimedBytes(file: String, begin: Int, end: Int)
    /// The description of a tensor is invalid: a negative size, an unknown type or an overflow.
    case badTensor(file: String, name: String, reason: String)
    /// A stored weight is NaN or infinite.
    case notFinite(file: String, name: String, index: Int, value: String)
    /// A finite value is too large for the element type in which it is to be saved.
    case notRepresentable(name: String, index: Int, value: String, type: String)
}

extension CheckpointError {
    /// Runs `body`, which parses the JSON text of `file`, and turns a `JSONError` into `CheckpointError.badJSON` with the file's
    /// name.
    package static func inJSON<Result>(of file: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let fault as JSONError {
            throw CheckpointError.badJSON(file: file, line: fault.line, column: fault.column, reason: fault.reason)
        }
    }
}

extension CheckpointError: CustomStringConvertible {
    /// The error message, on one line.
    public var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "cannot read \(file): \(reason)"
        case .noWeights(let folder):
            "\(folder) has no weights: expected model.safetensors, model.safetensors.index.json, pytorch_model.bin or "
                + "pytorch_model.bin.index.json"
        case .truncated(let file, let part, let need, let have):
            "\(file) is truncated: \(part) needs \(need) bytes, but only \(have) are available; download or save the file again"
        case .tooLarge(let file, let part, let size, let limit):
            "\(file): \(part) is \(size), more than the limit of \(limit); check that the file is not damaged and has the right format"
        case .unsafeName(let file, let name):
            "\(file) refers to \(quoted(name)), which is not a plain file name in its own folder; refused"
        case .badJSON(let file, let line, let column, let reason):
            "\(file):\(line):\(column): \(reason)"
        case .badFormat(let file, let reason):
            "\(file): \(reason)"
        case .legacyTorchFormat(let file):
            "\(file) has PyTorch's format from before 1.6, which is not supported; load it with torch and save it again "
                + "(torch.save writes the zip format), preferably as safetensors"
        case .refusedPickle(let file, let offset, let what):
            "\(file): refused \(what) at byte \(offset) of its pickle: only tensors and plain containers are supported, "
                + "nothing is executed"
        case .missingTensor(let name, let file):
            "\(file) has no tensor \(quoted(name))"
        case .surplusTensor(let name, let file):
            "\(file) has a tensor \(quoted(name)) that the model does not have"
        case .duplicateTensor(let name, let file):
            "\(file) has two tensors named \(quoted(name))"
        case .wrongShape(let name, let got, let expected):
            "tensor \(quoted(name)) has shape \(got), expected \(expected)"
        case .wrongElementType(let name, let got, let expected):
            "tensor \(quoted(name)) has elements of type \(got), expected \(expected)"
        case .outOfRange(let file, let name, let begin, let end, let size):
            "\(file): tensor \(quoted(name)) is at bytes \(begin)..<\(end), outside the \(size) bytes of data; "
                + "check that the file is complete"
        case .wrongSize(let file, let name, let shape, let type, let need, let have):
            "\(file): tensor \(quoted(name)) of shape \(shape) and type \(type) needs \(need) bytes, but it has \(have)"
        case .overlap(let file, let first, let second):
            "\(file): tensors \(quoted(first)) and \(quoted(second)) overlap"
        case .unclaimedBytes(let file, let begin, let end):
            "\(file): bytes \(begin)..<\(end) of the data do not belong to any tensor"
        case .badTensor(let file, let name, let reason):
            "\(file): tensor \(quoted(name)): \(reason)"
        case .notFinite(let file, let name, let index, let value):
            "\(file): tensor \(quoted(name)) has the value \(value) at element \(index); weights must be finite"
        case .notRepresentable(let name, let index, let value, let type):
            "element \(index) of tensor \(quoted(name)), \(value), is too large for \(type); save with a wider type"
        }
    }

    /// A tensor name in quotes. Names come from files: control characters are replaced and long names are cut, so that a name
    /// cannot forge lines of a log.
    private func quoted(_ name: String) -> String {
        let shown = name.unicodeScalars.prefix(120).map { $0.value < 0x20 ? "?" : String($0) }.joined()
        return "\"\(shown)\(name.unicodeScalars.count > 120 ? "…" : "")\""
    }
}
