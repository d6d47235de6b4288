import Formats

/// How the states of a text's tokens are combined to one vector, named as in sentence-transformers.
public enum Pooling: String, Sendable, CaseIterable {
    /// The first token's state.
    case cls
    /// The maximum of each channel.
    case max
    /// The mean over all tokens, including special tokens.
    case mean
    /// The sum over all tokens, divided by the square root of their number.
    case meanSqrtLength = "mean_sqrt_len_tokens"
    /// The weighted mean, where token i, counted from 1, has weight i.
    case weightedMean = "weightedmean"
    /// The last token's state.
    case last = "lasttoken"

    /// The former key of each mode in the config.json of a pooling folder, which was a flag.
    private var legacyKey: String {
        switch self {
        case .cls: "pooling_mode_cls_token"
        case .max: "pooling_mode_max_tokens"
        case .mean: "pooling_mode_mean_tokens"
        case .meanSqrtLength: "pooling_mode_mean_sqrt_len_tokens"
        case .weightedMean: "pooling_mode_weightedmean_tokens"
        case .last: "pooling_mode_lasttoken"
        }
    }

    /// Reads the pooling modes from the config.json of a pooling folder; the vectors of several modes are concatenated.
    ///
    /// - Throws: ``ModelError`` for an unknown mode or key.
    static func modes(reading file: ConfigurationReader) throws -> [Pooling] {
        func mode(_ name: JSONValue) throws -> Pooling {
            guard let mode = name.string.flatMap(Pooling.init) else {
                throw ModelError.configuration(
                    key: "pooling_mode",
                    problem: "must be one of \(allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return mode
        }
        let known = ["embedding_dimension", "word_embedding_dimension", "include_prompt", "pooling_mode"] + allCases.map(\.legacyKey)
        for member in file.object.members ?? [] where !known.contains(member.key) {
            throw ModelError.configuration(key: member.key, problem: "is not a known pooling setting")
        }
        guard let found = file.object["pooling_mode"], !found.isNull else {
            // the older format has one flag for each mode
            let flags = try allCases.filter { try file.flag($0.legacyKey, or: false) }
            return flags.isEmpty ? [.mean] : flags
        }
        if let list = found.array {
            guard (1...allCases.count).contains(list.count) else {
                throw ModelError.configuration(key: "pooling_mode", problem: "must list 1 to \(allCases.count) modes")
            }
            return try list.map(mode)
        }
        return [try mode(found)]
    }

    /// Computes the pooled vector of a text.
    /// - Parameters:
    ///   - states: the states of the tokens, [rows, width], at least one row.
    ///   - rows: the number of tokens.
    ///   - skipped: the number of rows at the beginning to leave out, such as those of a prompt. If no row is left, the result is
    ///     that of sentence-transformers: the first state for `cls`, −∞ for `max`, 0 for the others.
    ///   - width: the width of the states.
    ///   - out: receives the vector, `width` elements.
    package func apply(
        _ states: UnsafePointer<Float>, rows: Int, skipping skipped: Int = 0, width: Int, into out: UnsafeMutablePointer<Float>
    ) {
        guard skipped < rows else {
            switch self {
            case .cls: out.update(from: states, count: width)
            case .max: out.update(repeating: -.infinity, count: width)
            case .mean, .meanSqrtLength, .weightedMean, .last: out.update(repeating: 0, count: width)
            }
            return
        }
        switch self {
        case .cls: out.update(from: states + skipped * width, count: width)
        case .last: out.update(from: states + (rows - 1) * width, count: width)
        case .max:
            out.update(from: states + skipped * width, count: width)
            for row in Swift.min(skipped + 1, rows)..<rows {
                for c in 0..<width { out[c] = Swift.max(out[c], states[row * width + c]) }
            }
        case .mean, .meanSqrtLength, .weightedMean:
            out.update(repeating: 0, count: width)
            for row in skipped..<rows {
                let weight = self == .weightedMean ? Float(row + 1) : 1
                for c in 0..<width { out[c] += weight * states[row * width + c] }
            }
            let divisor =
                switch self {
                case .mean: Float(rows - skipped)
                case .meanSqrtLength: Float(rows - skipped).squareRoot()
                // positions are counted from the first token, even if it is skipped
                default: Float(rows * (rows + 1) / 2 - skipped * (skipped + 1) / 2)
                }
            for c in 0..<width { out[c] /= divisor }
        }
    }
}
