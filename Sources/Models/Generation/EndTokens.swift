import Formats

/// The tokens that end a response.
///
/// A model folder may name several (`eos_token_id` of generation_config.json or config.json). A response ends with the first of
/// them that is sampled, even if it is not the tokenizer's end-of-sequence token. The token that is appended to texts for
/// training and for reward models is always the tokenizer's.
public struct EndTokens: Sendable, Equatable {
    /// The tokenizer's end-of-sequence token, which is appended to texts; nil for none.
    public var closing: Int32?
    /// The tokens that end a response.
    public var ids: [Int32]
    /// Those of ``ids`` that are part of the text. The others are special tokens, which decoding skips.
    public var visible: Set<Int32>

    /// Creates the end tokens. Default: the closing token also ends responses.
    public init(closing: Int32?, ids: [Int32]? = nil, visible: Set<Int32> = []) {
        self.closing = closing
        self.ids = ids ?? (closing.map { [$0] } ?? [])
        self.visible = visible
    }

    /// Whether a response ends with this token.
    public func contains(_ token: Int32) -> Bool { ids.contains(token) }

    /// A response in the form that a reward model reads: with one closing token at the end, which replaces any other special end
    /// token. A visible end token stays before the closing token, as it stays in the text of the response.
    public func closed(_ response: [Int32]) -> [Int32] {
        guard let closing, response.last != closing else { return response }
        guard let last = response.last, contains(last), !visible.contains(last) else { return response + [closing] }
        return response.dropLast() + [closing]
    }
}

extension LanguageModel {
    /// The tokens that end a response according to generation_config.json, or otherwise according to config.json. IDs outside of
    /// the vocabulary are ignored; empty if neither file names any other.
    public var endTokens: [Int32] {
        for file in [generation, source] {
            let ids = Self.endTokens(of: file, vocabularySize: decoder.shape.vocabularySize)
            if !ids.isEmpty { return ids }
        }
        return []
    }

    /// Adds a token to those that end a response, before those that the folder names, because the model is trained to end
    /// with it. Does nothing if the folder names none.
    /// - Returns: whether the token was added.
    @discardableResult
    public mutating func addEnd(_ token: Int32) -> Bool {
        let present = endTokens
        guard !present.isEmpty, !present.contains(token) else { return false }
        var file = generation ?? Self.emptyGeneration
        file[SpecialTokens.endKey] = .array(([token] + present).map { JSONValue(Int($0)) })
        generation = file
        return true
    }

    /// Checks that `eos_token_id` is a token ID or a list of token IDs; null and an empty list are valid.
    /// - Parameters:
    ///   - object: the contents of the file; nil if there is none.
    ///   - file: the path to add to the error; nil if the caller adds it.
    /// - Throws: ``ModelError/configuration(key:problem:)``, inside of ``ModelError/inFile(_:_:)`` if `file` is given.
    static func checkEnds(of object: JSONValue?, file: String?) throws {
        guard let value = object?[SpecialTokens.endKey], !value.isNull else { return }
        for element in value.array ?? [value] {
            guard let id = element.int, id >= 0 else {
                let shown = element.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                let error = ModelError.configuration(
                    key: SpecialTokens.endKey,
                    problem: (value.array == nil ? "is " : "holds ") + OneLine.escaped(shown.prefix(40)) + (shown.count > 40 ? "…" : "")
                        + "; it must be a token id (an integer of at least 0) or a list of token ids")
                throw file.map { ModelError.inFile($0, error) } ?? error
            }
        }
    }

    /// The token IDs in a file's `eos_token_id`, which is a number or a list of numbers, without duplicates. IDs outside of the
    /// vocabulary are skipped.
    static func endTokens(of file: JSONValue?, vocabularySize: Int) -> [Int32] {
        guard let value = file?[SpecialTokens.endKey] else { return [] }
        var ids: [Int32] = []
        for element in value.array ?? [value] {
            guard let id = element.int, (0..<vocabularySize).contains(id), !ids.contains(Int32(id)) else { continue }
            ids.append(Int32(id))
        }
        return ids
    }
}
