import Formats

/// One part of a tokenizer file on its way into a type: the JSON, and where it stands for error messages.
struct TokenizerPart {
    let json: JSONValue
    /// The file's name.
    let file: String
    /// The path of the part, such as `normalizer` or `pre_tokenizer.pretokenizers[1]`.
    let path: String

    /// The part under a key; `nil` if it is absent or null.
    subscript(key: String) -> TokenizerPart? {
        json[key]?.unlessNull.map { TokenizerPart(json: $0, file: file, path: path.isEmpty ? key : path + "." + key) }
    }

    /// The part under a key.
    func required(_ key: String) throws -> TokenizerPart {
        if let part = self[key] { return part }
        throw fault("\(key) is missing")
    }

    /// The elements of an array.
    func elements() throws -> [TokenizerPart] {
        guard let array = json.array else { throw fault("expected an array, found \(json.kind)") }
        return array.enumerated().map { TokenizerPart(json: $1, file: file, path: "\(path)[\($0)]") }
    }

    func string() throws -> String {
        guard let value = json.string else { throw fault("expected a string, found \(json.kind)") }
        return value
    }

    func bool() throws -> Bool {
        guard let value = json.bool else { throw fault("expected true or false, found \(json.kind)") }
        return value
    }

    /// A token id: an integer of at least 0, small enough for a vocabulary.
    func tokenID() throws -> Int32 {
        guard let value = json.integer, TokenizerPart.ids.contains(value) else {
            throw fault("expected a token id (an integer of 0 to \(TokenizerPart.ids.upperBound))")
        }
        return Int32(value)
    }

    /// A number of things: an integer of at least 0.
    func count() throws -> Int {
        guard let value = json.integer, value >= 0 else { throw fault("expected an integer of at least 0") }
        return value
    }

    /// The scalar of a string that holds one.
    func scalar() throws -> Unicode.Scalar {
        let scalars = try string().unicodeScalars
        guard let scalar = scalars.first, scalars.count == 1 else { throw fault("expected a single character") }
        return scalar
    }

    /// A flag that may be absent.
    func flag(_ key: String, default value: Bool) throws -> Bool {
        try self[key]?.bool() ?? value
    }

    func fault(_ reason: String) -> TokenizerError {
        .malformed(file: file, line: nil, reason: (path.isEmpty ? "" : path + ": ") + reason)
    }

    func unsupported(_ name: String) -> TokenizerError {
        .unsupported(file: file, part: path, name: name)
    }

    /// The ids a vocabulary may have; a bound keeps a damaged file from asking for all memory.
    static let ids = 0...(1 << 22)
}
