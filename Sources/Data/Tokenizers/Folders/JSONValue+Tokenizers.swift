import Formats

extension JSONValue {
    /// Reads the text of a tokenizer's file. Of repeated keys all are kept.
    ///
    /// - Parameter file: The name to use in errors.
    /// - Throws: `TokenizerError.malformed` with the line of the first fault; invalid UTF-8, lone surrogates, numbers beyond
    ///   a Double (but not Python's NaN and Infinity), nesting deeper than 128 levels and anything after the value are faults.
    init(tokenizerFile bytes: [UInt8], named file: String) throws {
        do {
            try self.init(parsing: bytes, [.byteOrderMark, .repeatedKeys])
        } catch let fault as JSONError {
            throw TokenizerError.malformed(file: file, line: fault.line, reason: "not JSON: " + fault.reason)
        }
    }
}
