public import Models
public import Tensor

/// A text that a model has written.
public struct GeneratedText: Sendable, Equatable {
    /// Why a text ended.
    public enum Finish: Sendable, Equatable {
        /// The model drew a token that ends responses.
        case endOfSequence
        /// The text came to a stop string, which is no part of it.
        case stopString(String)
        /// It has as many tokens as it may have.
        case length
    }

    /// The text, without special tokens.
    public var text: String
    /// Its tokens, with the one that ended it.
    public var tokens: [Int32]
    /// log p of each token.
    public var logProbs: [Float]
    /// Why it ended.
    public var finish: Finish
}

extension TextModel {
    /// Continues a text.
    ///
    /// - Parameters:
    ///   - prompt: the text to continue.
    ///   - maxNewTokens: the most tokens that are written.
    ///   - temperature: divides the logits; 0 takes the most probable token.
    ///   - topK: only the k most probable tokens are drawn from; 0 for all.
    ///   - topP: only the most probable tokens that together reach this probability are drawn from; 1 for all.
    ///   - minP: only tokens with at least this share of the most probable token's probability are drawn from; 0 for all.
    ///   - stop: strings that end the text in front of them.
    ///   - seed: decides what is drawn; the same seed gives the same text.
    ///   - onText: receives each new piece of the text as soon as it is certain. What it throws ends the work.
    /// - Throws: `GenerationError` for a prompt that is empty or leaves no room in the model's context.
    public func generate(
        _ prompt: String, maxNewTokens: Int = 128, temperature: Float = 1, topK: Int = 0, topP: Float = 1, minP: Float = 0,
        stop: [String] = [], seed: UInt64 = 0, onText: ((String) throws -> Void)? = nil
    ) throws -> GeneratedText {
        let options = SamplingOptions(maxNewTokens: maxNewTokens, temperature: temperature, topK: topK, topP: topP, minP: minP)
        var stream = TextStream(stop: stop)
        let results = try generate([prompt], count: 1, options: options, stop: stop, random: Philox(seed: seed)) { _, _, text, isWhole in
            if let onText, let piece = stream.next(of: text, isWhole: isWhole) { try onText(piece) }
        }
        return results[0][0]
    }

    /// Continues several texts, each in several ways.
    ///
    /// - Parameters:
    ///   - prompts: the texts to continue.
    ///   - count: the texts for each prompt.
    ///   - options: how tokens are chosen.
    ///   - stop: strings that end a text in front of them.
    ///   - random: the generator. Every prompt and text draws from a separate stream of it, so that the draws of a text do not depend
    ///     on the others of a call.
    ///   - progress: sees every text of a prompt (by their numbers) as it grows, and whether it is complete.
    /// - Returns: for each prompt `count` texts.
    /// - Throws: `GenerationError`; what `progress` throws.
    public func generate(
        _ prompts: [String], count: Int = 1, options: SamplingOptions, stop: [String] = [], random: Philox,
        progress: ((_ prompt: Int, _ sample: Int, _ text: String, _ isWhole: Bool) throws -> Void)? = nil
    ) throws -> [[GeneratedText]] {
        try generate(
            tokens: prompts.map { tokenizer.encodeOpening($0) }, count: count, options: options, stop: stop,
            randoms: prompts.indices.map { random.split(UInt64($0)) }, progress: progress)
    }

    /// Continues several sequences of tokens, each in several ways.
    ///
    /// - Parameters:
    ///   - prompts: the tokens, with those that begin a sequence.
    ///   - count: the number of texts for each prompt.
    ///   - options: how tokens are chosen.
    ///   - stop: strings that end a text in front of them.
    ///   - randoms: a generator for each prompt, so that the draws of a text do not depend on the others of a call.
    ///   - maxActive: the maximum number of texts that grow at the same time.
    ///   - progress: sees every text of a prompt (by their numbers) as it grows, and whether it is complete.
    /// - Throws: `GenerationError`; what `progress` throws.
    package func generate(
        tokens prompts: [[Int32]], count: Int = 1, options: SamplingOptions, stop: [String] = [], randoms: [Philox],
        maxActive: Int = Generator.defaultMaxActive,
        progress: ((_ prompt: Int, _ sample: Int, _ text: String, _ isWhole: Bool) throws -> Void)? = nil
    ) throws -> [[GeneratedText]] {
        precondition(randoms.count == prompts.count, "\(randoms.count) generators for \(prompts.count) prompts")
        let generator = Generator(
            model.decoder, ends: ends ?? EndTokens(closing: nil), validTokens: tokenizer.vocabularySize, maxActive: maxActive)
        let requests = zip(prompts, randoms).map { prompt, own in
            GenerationRequest(prompt: prompt, streams: (0..<count).map { own.split(UInt64($0)) })
        }
        let stop = stop.filter { !$0.isEmpty }
        let observes = !stop.isEmpty || progress != nil
        let responses = try generator.generate(
            requests, options: options,
            observer: observes
                ? { request, sample, tokens in
                    let text = tokenizer.decode(tokens, skippingSpecialTokens: true)
                    let found = Self.first(of: stop, in: text)
                    try progress?(request, sample, found?.before ?? text, found != nil)
                    return found == nil
                } : nil)
        return try responses.enumerated().map { request, responses in
            try responses.enumerated().map { sample, response in
                let text = tokenizer.decode(response.tokens, skippingSpecialTokens: true)
                let found = Self.first(of: stop, in: text)
                try progress?(request, sample, found?.before ?? text, true)
                return GeneratedText(
                    text: found?.before ?? text, tokens: response.tokens, logProbs: response.logProbs,
                    finish: found.map { .stopString($0.string) } ?? (response.ended ? .endOfSequence : .length))
            }
        }
    }

    /// The stop string that a text comes to first, and the text in front of it.
    private static func first(of stop: [String], in text: String) -> (string: String, before: String)? {
        let found = stop.compactMap { string in text.firstRange(of: string).map { (string, $0.lowerBound) } }.min { $0.1 < $1.1 }
        return found.map { ($0.0, String(text[..<$0.1])) }
    }
}

/// Cuts a growing text into pieces that will not change any more.
package struct TextStream {
    private let stop: [String]
    private var told = 0

    package init(stop: [String]) { self.stop = stop.filter { !$0.isEmpty } }

    /// What is new of a text; nil for nothing. A character of several tokens, and what may be the beginning of a stop string, is held back
    /// until the text continues or is complete.
    package mutating func next(of text: String, isWhole: Bool) -> String? {
        var scalars = Array(text.unicodeScalars)
        if !isWhole {
            while scalars.last == "\u{FFFD}" { scalars.removeLast() }
            let kept = stop.map { Self.overlap(of: Array($0.unicodeScalars), withEndOf: scalars) }.max() ?? 0
            scalars.removeLast(kept)
        }
        guard scalars.count > told else { return nil }
        defer { told = scalars.count }
        return String(String.UnicodeScalarView(scalars[told...]))
    }

    /// The longest beginning of `string` that `text` ends with.
    private static func overlap(of string: [Unicode.Scalar], withEndOf text: [Unicode.Scalar]) -> Int {
        (0..<string.count).reversed().first { text.suffix($0).elementsEqual(string.prefix($0)) && $0 <= text.count } ?? 0
    }
}
