import Formats

extension JSONValue {
    /// Parses the text of a tokenizer's file. Repeated keys are all kept.
    ///
    /// - Parameters:
    ///   - bytes: The text, as UTF-8.
    ///   - file: The name of the file in errors.
    /// - Throws: `TokenizerError.malformed` with the line of the first error. Errors include invalid UTF-8, lone
    ///   surrogates, numbers outside the range of Double (except Python's NaN and Infinity), nesting deeper than 128
    ///   levels, and anything after the value.
    init(tokenizerFile bytes: [UInt8], named file: String) throws {
        do {
            try self.init(parsing: bytes, [.byteOrderMark, .repeatedKeys])
        } catch let fault as JSONError {
            throw TokenizerError.malformed(file: file, line: fault.line, reason: "not JSON: " + fault.reason)
        }
    }
}
