import Formats

/// A part of a tokenizer file while it is being decoded: the JSON, and its location for error messages.
struct TokenizerPart {
    let json: JSONValue
    /// The name of the file.
    let file: String
    /// The path of the part in the file, such as `normalizer` or `pre_tokenizer.pretokenizers[1]`.
    let path: String

    /// The value of a key; `nil` if it is absent or null.
    subscript(key: String) -> TokenizerPart? {
        json[key]?.unlessNull.map { TokenizerPart(json: $0, file: file, path: path.isEmpty ? key : path + "." + key) }
    }

    /// The value of a key, which must be present and not null.
    func required(_ key: String) throws -> TokenizerPart {
        if let part = self[key] { return part }
        throw fault("\(key) is missing")
    }

    /// The elements of an array.
    func elements() throws -> [TokenizerPart] {
        guard let array = json.array else { throw fault("expected an array, found \(json.kind)") }
        return array.enumerated().map { TokenizerPart(json: $1, file: file, path: "\(path)[\($0)]") }
    }

    /// The string.
    func string() throws -> String {
        guard let value = json.string else { throw fault("expected a string, found \(json.kind)") }
        return value
    }

    /// The Boolean.
    func bool() throws -> Bool {
        guard let value = json.bool else { throw fault("expected true or false, found \(json.kind)") }
        return value
    }

    /// A token ID: an integer in the range of `ids`.
    func tokenID() throws -> Int32 {
        guard let value = json.integer, TokenizerPart.ids.contains(value) else {
            throw fault("expected a token id (an integer of 0 to \(TokenizerPart.ids.upperBound))")
        }
        return Int32(value)
    }

    /// A count: an integer of at least 0.
    func count() throws -> Int {
        guard let value = json.integer, value >= 0 else { throw fault("expected an integer of at least 0") }
        return value
    }

    /// The scalar of a string that consists of one scalar.
    func scalar() throws -> Unicode.Scalar {
        let scalars = try string().unicodeScalars
        guard let scalar = scalars.first, scalars.count == 1 else { throw fault("expected a single character") }
        return scalar
    }

    /// A Boolean member, which is optional.
    func flag(_ key: String, default value: Bool) throws -> Bool {
        try self[key]?.bool() ?? value
    }

    /// An error that names this part.
    func fault(_ reason: String) -> TokenizerError {
        .malformed(file: file, line: nil, reason: (path.isEmpty ? "" : path + ": ") + reason)
    }

    /// The error for an unsupported value of this part.
    func unsupported(_ name: String) -> TokenizerError {
        .unsupported(file: file, part: path, name: name)
    }

    /// The range of valid token IDs. The bound keeps a damaged file from exhausting memory.
    static let ids = 0...(1 << 22)
}
