import Formats

/// The tokens that end a response.
///
/// A model folder may name several (`eos_token_id` of generation_config.json or config.json): a response ends with the first of them that
/// is drawn, whatever the tokenizer calls its end. What is put behind texts, for training and for reward models, is the tokenizer's.
public struct EndTokens: Sendable, Equatable {
    /// What is put behind a text: the tokenizer's end of sequence.
    public var closing: Int32?
    /// A response ends with any of them.
    public var ids: [Int32]
    /// Those of them that are words of the text; the others are special tokens, which decoded text leaves out.
    public var visible: Set<Int32>

    /// Ends; see the properties. Unless given, the one that closes texts ends responses.
    public init(closing: Int32?, ids: [Int32]? = nil, visible: Set<Int32> = []) {
        self.closing = closing
        self.ids = ids ?? (closing.map { [$0] } ?? [])
        self.visible = visible
    }

    /// Whether a response ends with this token.
    public func contains(_ token: Int32) -> Bool { ids.contains(token) }

    /// A response as a reward model reads it: with one closing token at its end, in place of another special end that was drawn. A word
    /// that ended the response stays in front of it, as it does in the response's text.
    public func closed(_ response: [Int32]) -> [Int32] {
        guard let closing, response.last != closing else { return response }
        guard let last = response.last, contains(last), !visible.contains(last) else { return response + [closing] }
        return response.dropLast() + [closing]
    }
}

extension LanguageModel {
    /// The tokens that the folder's files say end a response: those of generation_config.json, else those of config.json; empty where
    /// neither names one that the model has a row for.
    public var endTokens: [Int32] {
        for file in [generation, source] {
            let ids = Self.endTokens(of: file, vocabularySize: decoder.shape.vocabularySize)
            if !ids.isEmpty { return ids }
        }
        return []
    }

    /// Makes a token one of those that end responses, in front of those that the folder names: a model learns it, so it has to end with it.
    /// - Returns: whether it was none of them before.
    @discardableResult
    public mutating func addEnd(_ token: Int32) -> Bool {
        let present = endTokens
        guard !present.isEmpty, !present.contains(token) else { return false }
        var file = generation ?? Self.emptyGeneration
        file[SpecialTokens.endKey] = .array(([token] + present).map { JSONValue(Int($0)) })
        generation = file
        return true
    }

    /// Refuses an `eos_token_id` that is neither a token id nor a list of ids; null, and an empty list, name none.
    /// - Parameter file: the file to name; nil where the caller does.
    /// - Throws: ``ModelError/configuration(key:problem:)``.
    static func checkEnds(of object: JSONValue?, file: String?) throws {
        guard let value = object?[SpecialTokens.endKey], !value.isNull else { return }
        for element in value.array ?? [value] {
            guard let id = element.int, id >= 0 else {
                let shown = element.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                let error = ModelError.configuration(
                    key: SpecialTokens.endKey,
                    problem: (value.array == nil ? "is " : "holds ") + OneLine.escaped(shown.prefix(40)) + (shown.count > 40 ? "…" : "")
                        + "; it must be a token id, which is a whole number from 0, or a list of such")
                throw file.map { ModelError.inFile($0, error) } ?? error
            }
        }
    }

    /// The ids of a file's `eos_token_id`, a number or a list of them; ids beyond the model's rows are passed over.
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
