import Foundation
import Models
import Tensor
import Testing
import _TestSupport

@Suite struct SamplerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var temperature: Float = 1
        var topK = 0
        var topP: Float = 1
        var minP: Float = 0
        var forbidden: Int32?
        var testDescription: String {
            "temperature \(temperature), top-k \(topK), top-p \(topP), min-p \(minP), without \(forbidden ?? -1)"
        }
    }
    static let cases = [
        Case(), Case(temperature: 0.5), Case(temperature: 3), Case(topK: 1), Case(topK: 5), Case(topK: 40), Case(topK: 99),
        Case(topP: 0.9), Case(topP: 0.3), Case(topP: 0), Case(temperature: 0.7, topK: 8, topP: 0.8),
        Case(temperature: 2, topK: 20, topP: 0.5), Case(forbidden: 3), Case(temperature: 0.7, topK: 6, topP: 0.9, forbidden: 3),
        Case(minP: 0.1), Case(temperature: 2, minP: 0.3), Case(temperature: 0.5, topK: 9, topP: 0.9, minP: 0.05), Case(minP: 1),
        Case(temperature: 1.5, minP: 0.05, forbidden: 3),
    ]

    /// The probabilities that a draw has, from the definitions, in Double.
    private func distribution(_ logits: [Float], _ item: Case) -> [Double] {
        var weights = logits.enumerated().map { index, logit in
            Int32(index) == item.forbidden ? 0 : exp(Double(logit) / Double(item.temperature))
        }
        if item.topK > 0 && item.topK < logits.count {
            let least = weights.sorted(by: >)[item.topK - 1]
            weights = weights.map { $0 < least ? 0 : $0 }
        }
        if item.topP < 1 {
            let total = weights.reduce(0, +)
            var (sum, kept) = (0.0, Set<Int>())
            for index in weights.indices.sorted(by: { (weights[$0], $1) > (weights[$1], $0) }) {
                kept.insert(index)
                sum += weights[index]
                if sum >= Double(item.topP) * total { break }
            }
            weights = weights.indices.map { kept.contains($0) ? weights[$0] : 0 }
        }
        if item.minP > 0 {
            let least = Double(item.minP) * (weights.max() ?? 0)
            weights = weights.map { $0 < least ? 0 : $0 }
        }
        let total = weights.reduce(0, +)
        return weights.map { $0 / total }
    }

    private func choose(
        _ logits: inout [Float], _ options: SamplingOptions, forbidden: [Int32] = [], using random: inout Philox
    ) -> (token: Int32, logProb: Float, drawn: Float) {
        logits.withUnsafeMutableBufferPointer { row in
            guard let base = row.baseAddress else { preconditionFailure("no logits") }
            return Sampler.choose(base, count: row.count, options: options, forbidden: forbidden, using: &random)
        }
    }

    @Test("the token is the one at which the cumulative probability passes the uniform number", arguments: cases)
    func draws(item: Case) throws {
        var random = Philox(seed: 12)
        let options = SamplingOptions(
            maxNewTokens: 1, temperature: item.temperature, topK: item.topK, topP: item.topP, minP: item.minP)
        for count in [2, 40, 300] {
            var logits = (0..<count).map { _ in random.normal() * 2 }
            if count == 300 { logits[17] = -.infinity }  // an id without a token
            if item.forbidden != nil && count < 4 { continue }
            let expected = distribution(logits, item)
            let total = log(logits.reduce(0) { $0 + exp(Double($1 / item.temperature)) })
            var seen: [Int: Int] = [:]
            for draw in 0..<1000 {
                var stream = random.split(UInt64(draw))
                var copy = stream
                let uniform = Double(copy.uniform())
                let (token, logProb, drawn) = choose(&logits, options, forbidden: item.forbidden.map { [$0] } ?? [], using: &stream)
                #expect(stream == copy, "one number is drawn for one token")
                let index = Int(token)
                seen[index, default: 0] += 1
                try #require(expected[index] > 0, "token \(index) must not be drawn")
                let before = expected[..<index].reduce(0, +)
                #expect(
                    uniform >= before - 1e-5 && uniform <= before + expected[index] + 1e-5,
                    "\(uniform) lies outside of \(before) + \(expected[index])")
                // of the whole distribution, whatever restricts the draw
                #expect(abs(Double(logProb) - (Double(logits[index]) / Double(item.temperature) - total)) < 1e-5)
                // of the draw, with all that restricts it
                #expect(abs(Double(drawn) - log(expected[index])) < 1e-4)
            }
            for (index, probability) in expected.enumerated() {
                let bound = 5 * (probability * (1 - probability) / 1000).squareRoot() + 1e-3
                #expect(abs(Double(seen[index] ?? 0) / 1000 - probability) < bound)
            }
        }
    }

    @Test("ties at the k-th logit all stay")
    func ties() {
        var logits: [Float] = [1, 3, 2, 2, 2, 0]
        var seen: Set<Int32> = []
        var random = Philox(seed: 3)
        for _ in 0..<300 {
            let options = SamplingOptions(maxNewTokens: 1, topK: 2)
            seen.insert(choose(&logits, options, using: &random).token)
        }
        #expect(seen == [1, 2, 3, 4])
    }

    @Test("a temperature of 0 takes the greatest logit, the first of equals, and draws nothing")
    func greedy() {
        var logits: [Float] = [1, 3, 2, 3, -.infinity]
        var random = Philox(seed: 3)
        let before = random
        let total = log(exp(1.0) + 2 * exp(3) + exp(2))
        for (forbidden, expected): (Int32?, Int32) in [(nil, 1), (1, 3)] {
            let (token, logProb, drawn) = choose(
                &logits, .greedy(maxNewTokens: 1), forbidden: forbidden.map { [$0] } ?? [], using: &random)
            #expect(token == expected && drawn == 0)
            expectClose([logProb], [3 - total], relative: 0, absolute: 1e-6)
        }
        #expect(random == before)
        #expect(logits == [1, 3, 2, 3, -.infinity])
    }

    struct Warped: Decodable {
        struct Item: Decodable {
            let row: Int
            let temperature: Float?
            let topK: Int?
            let topP: Float?
            let minP: Float
            let probabilities: [Double]
        }
        let rows: [[Float?]]
        let cases: [Item]
    }

    @Test("min-p leaves the tokens that Transformers leaves, also behind temperature, top-k and top-p")
    func asInTransformers() throws {
        let fixture = try Fixtures.json(Warped.self, from: "sampling/sampling.json")
        #expect(fixture.cases.count == 56)
        for item in fixture.cases {
            var logits = fixture.rows[item.row].map { $0 ?? -.infinity }
            let options = SamplingOptions(
                maxNewTokens: 1, temperature: item.temperature ?? 1, topK: item.topK ?? 0, topP: item.topP ?? 1, minP: item.minP)
            var seen: Set<Int> = []
            for draw in 0..<400 {
                var stream = Philox(seed: 5).split(UInt64(draw))
                let (token, _, drawn) = choose(&logits, options, using: &stream)
                let expected = item.probabilities[Int(token)]
                #expect(expected > 0 && abs(Double(drawn) - log(expected)) < 1e-4, "\(item)")
                seen.insert(Int(token))
            }
            #expect(item.probabilities.indices.allSatisfy { item.probabilities[$0] < 0.04 || seen.contains($0) })
        }
    }
}
