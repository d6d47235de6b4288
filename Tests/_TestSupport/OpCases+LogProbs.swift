import Tensor

extension OpCases {
    /// What a log-probability case reads from the operation's two outputs.
    public enum Part: String, Sendable { case logProbs, entropies, both }

    private static func targets(_ rows: Int, below bound: Int) -> [Int32] {
        (0..<rows).map { Int32(($0 * 7 + 3) % bound) }
    }

    private static func hidden(_ rows: Int, _ width: Int, _ vocabulary: Int) -> [OpCase.Input] {
        [.normal("hidden", [rows, width]), .normal("weight", [vocabulary, width], deviation: 2 / Float(max(1, width)).squareRoot())]
    }

    /// Log-probabilities of one token a row, and entropies.
    /// - Parameter hasBias: whether logits have a bias.
    public static func logProbs(
        rows: Int, width: Int, vocabulary: Int, temperature: Float = 1, valid: Int? = nil, part: Part = .logProbs, hasBias: Bool = false,
        cap: Float? = nil
    ) -> OpCase {
        let targets = targets(rows, below: valid ?? vocabulary)
        let form = { @Sendable (x: [Tensor]) in LogitForm(bias: hasBias ? x[2] : nil, cap: cap) }
        return OpCase(
            "linearLogProbs",
            "\(part.rawValue), \(rows) rows, \(width) → \(vocabulary), temperature \(temperature), valid \(valid ?? vocabulary)"
                + "\(hasBias ? ", bias" : "")\(cap.map { ", cap \($0)" } ?? "")",
            inputs: hidden(rows, width, vocabulary) + (hasBias ? [.normal("bias", [vocabulary])] : []), output: [rows],
            flops: 2 * rows * width * vocabulary,
            run: {
                let result = $0[0].logProbs(
                    $0[1], targets: targets, temperature: temperature, validTokens: valid, withEntropy: part != .logProbs,
                    form: form($0))
                guard let entropies = result.entropies else { return result.logProbs }
                return part == .both ? result.logProbs + 0.7 * entropies : entropies
            },
            naive: {
                let (logProbs, entropies) = Naive.logProbs(
                    $0[0], width: width, weight: $0[1], bias: hasBias ? $0[2] : nil, cap: cap.map(Double.init), valid: valid ?? vocabulary,
                    targets: targets, temperature: Double(temperature))
                switch part {
                case .logProbs: return logProbs
                case .entropies: return entropies
                case .both: return zip(logProbs, entropies).map { $0 + Double(Float(0.7)) * $1 }
                }
            })
    }

    /// The weighted sum of cross-entropies.
    public static func crossEntropy(
        rows: Int, width: Int, vocabulary: Int, valid: Int? = nil, hasBias: Bool = false, cap: Float? = nil
    ) -> OpCase {
        let targets = targets(rows, below: valid ?? vocabulary)
        let weights = (0..<rows).map { Float($0 % 3) * 0.5 }  // some rows weigh nothing
        return OpCase(
            "linearCrossEntropy",
            "\(rows) rows, \(width) → \(vocabulary), valid \(valid ?? vocabulary)\(hasBias ? ", bias" : "")\(cap.map { ", cap \($0)" } ?? "")",
            inputs: hidden(rows, width, vocabulary) + (hasBias ? [.normal("bias", [vocabulary])] : []), output: [],
            flops: 2 * rows * width * vocabulary,
            run: {
                $0[0].crossEntropy(
                    $0[1], targets: targets, rowWeights: weights, validTokens: valid,
                    form: LogitForm(bias: hasBias ? $0[2] : nil, cap: cap))
            },
            naive: {
                let logProbs = Naive.logProbs(
                    $0[0], width: width, weight: $0[1], bias: hasBias ? $0[2] : nil, cap: cap.map(Double.init), valid: valid ?? vocabulary,
                    targets: targets, temperature: 1
                ).logProbs
                return [zip(logProbs, weights).reduce(0) { $0 - $1.0 * Double($1.1) }]
            })
    }

    /// Every form, on few rows and on enough for several chunks of logits.
    public static var logProbabilities: [OpCase] {
        let shapes = [(0, 5, 7), (1, 1, 1), (3, 7, 17), (5, 16, 33), (50, 33, 100)]
        return shapes.flatMap { rows, width, vocabulary in
            [
                logProbs(rows: rows, width: width, vocabulary: vocabulary),
                logProbs(rows: rows, width: width, vocabulary: vocabulary, temperature: 0.6),
                logProbs(rows: rows, width: width, vocabulary: vocabulary, part: .entropies),
                logProbs(rows: rows, width: width, vocabulary: vocabulary, temperature: 1.7, part: .both),
                crossEntropy(rows: rows, width: width, vocabulary: vocabulary),
            ]
        } + [
            logProbs(rows: 4, width: 7, vocabulary: 33, valid: 20),
            logProbs(rows: 4, width: 7, vocabulary: 33, temperature: 0.6, valid: 17, part: .both),
            crossEntropy(rows: 4, width: 7, vocabulary: 33, valid: 20),
        ]
            + [(true, nil), (false, 1.5), (true, 2)].flatMap { hasBias, cap in
                [
                    logProbs(rows: 9, width: 7, vocabulary: 33, temperature: 0.6, valid: 30, hasBias: hasBias, cap: cap),
                    logProbs(rows: 9, width: 7, vocabulary: 33, temperature: 1.3, part: .both, hasBias: hasBias, cap: cap),
                    crossEntropy(rows: 9, width: 7, vocabulary: 33, valid: 30, hasBias: hasBias, cap: cap),
                    crossEntropy(rows: 50, width: 33, vocabulary: 100, hasBias: hasBias, cap: cap),
                ]
            }
    }
}
