import Data
import Foundation
import Models
import Testing
import Train
import _TestSupport

/// Losses of direct preference optimisation against TRL; see Tests/Fixtures/preferences.
@Suite struct PreferenceLossTests {
    struct Losses: Decodable {
        struct Answer: Decodable {
            let policy: [Float]
            let reference: [Float]
        }
        struct Pair: Decodable {
            let chosen: Answer
            let rejected: Answer
            let prompt: [Float]
        }
        struct Row: Decodable {
            let policy: [Float]
            let reference: [Float]
            let mismatchedPolicy: [Float]
            let mismatchedReference: [Float]
        }
        struct Gradients: Decodable {
            let chosen: [[Double]]
            let rejected: [[Double]]
            let prompt: [[Double]]?
        }
        struct Case<Kind: Decodable, Gradient: Decodable>: Decodable {
            let trainer: String
            let settings: Settings<Kind>
            let value: Double
            let perPair: [Double]?
            let logged: [String: Double]
            let gradients: Gradient
            let labels: [Bool]?
            let mismatchedSwapped: Bool?
        }
        struct Settings<Kind: Decodable>: Decodable {
            let loss_type: Kind?
            let loss_weights: [Double]?
            let beta: Double?
            let label_smoothing: Double?
            let ld_alpha: Double?
            let f_divergence_type: String?
            let f_alpha_divergence_coef: Double?
            let discopop_tau: Double?
            let cpo_alpha: Double?
            let simpo_gamma: Double?
            let alpha: Double?
            let desirable_weight: Double?
            let undesirable_weight: Double?
        }
        let pairs: [Pair]
        let rows: [Row]
        let paired: [Case<[String], Gradients>]
        let referenceFree: [Case<String, Gradients>]
        let unpaired: [Case<String, [[Double]]>]
    }

    private static func losses() throws -> Losses { try Fixtures.json(Losses.self, from: "preferences/losses.json") }

    /// The loss of the fixture's pairs as a batch, the loss of each, and gradients by every token's log-probability.
    private func measured(_ pairs: [Losses.Pair], _ config: PreferenceConfig) -> (
        value: Double, perPair: [Double], gradients: (chosen: [[Double]], rejected: [[Double]]), terms: [PairTerms]
    ) {
        let count = Double(pairs.count)
        let weight = config.supervisedWeight ?? config.loss.supervisedWeight
        let tokens = Double(pairs.reduce(0) { $0 + $1.chosen.policy.count + (config.loss.supervisesPrompt ? $1.prompt.count : 0) })
        var (value, perPair, chosen, rejected, all) = (0.0, [Double](), [[Double]](), [[Double]](), [PairTerms]())
        for pair in pairs {
            func sum(_ x: [Float]) -> Double { x.reduce(0) { $0 + Double($1) } }
            let weights = { (x: [Float]) -> Double in
                let full = config.excessTokenWeight == 1 ? Int.max : min(pair.chosen.policy.count, pair.rejected.policy.count)
                return x.enumerated().reduce(0) { $0 + ($1.offset < full ? 1 : config.excessTokenWeight) * Double($1.element) }
            }
            let (terms, tokenWeights) = config.terms(
                pair.chosen.policy[...], pair.rejected.policy[...],
                reference: config.loss.comparison == .reference ? (weights(pair.chosen.reference), weights(pair.rejected.reference)) : nil)
            let loss = config.loss.value(terms, config)
            perPair.append(loss.value)
            value += loss.value / count - weight * sum(pair.chosen.policy + (config.loss.supervisesPrompt ? pair.prompt : [])) / tokens
            chosen.append(pair.chosen.policy.indices.map { loss.chosen * tokenWeights.weight($0) / count - weight / tokens })
            rejected.append(pair.rejected.policy.indices.map { loss.rejected * tokenWeights.weight($0) / count })
            all.append(terms)
        }
        return (value, perPair, (chosen, rejected), all)
    }

    private func near(_ a: Double, _ b: Double, _ tolerance: Double, _ label: String) {
        #expect(abs(a - b) <= tolerance * max(1, abs(b)), "\(label): \(a), TRL \(b)")
    }

    @Test("losses with a reference: values, each pair's, gradients and rewards")
    func paired() throws {
        let fixture = try Self.losses()
        var seen: Set<String> = []
        for item in fixture.paired {
            let settings = item.settings
            guard let names = settings.loss_type, let name = names.first,
                let loss = PreferenceLoss.builtIn.first(where: { $0.name == name })
            else { continue }
            // of combinations, the one of a loss with the likelihood
            guard names.count == 1 || (names == [name, "sft"] && settings.loss_weights?.first == 1) else { continue }
            var config = PreferenceConfig()
            config.loss = loss
            config.beta = settings.beta ?? 0.1
            config.labelSmoothing = settings.label_smoothing ?? 0
            // TRL's sigmoid passes over the smoothing
            if name == "sigmoid" { config.labelSmoothing = 0 }
            config.excessTokenWeight = settings.ld_alpha ?? 1
            config.discopopTemperature = settings.discopop_tau ?? 0.05
            config.supervisedWeight = names.count > 1 ? settings.loss_weights?[1] : nil
            switch settings.f_divergence_type {
            case "forward_kl": config.divergence = .forwardKL
            case "js_divergence": config.divergence = .jensenShannon
            case "alpha_divergence": config.divergence = .alpha(settings.f_alpha_divergence_coef ?? 0.5)
            default: break
            }
            // a smoothing below 0 is how cDPO's numbers are had of TRL
            var label = "\(name) \(settings)"
            if config.labelSmoothing < 0 {
                config.labelSmoothing = config.labelSmoothing / (2 * config.labelSmoothing - 1)
                config.loss = .sigmoid
                label = "cDPO \(config.labelSmoothing)"
            }
            try config.validate()
            let found = measured(fixture.pairs, config)
            near(found.value, item.value, 1e-5, label)
            for (a, b) in zip(found.perPair, item.perPair ?? []) where config.supervisedWeight == nil { near(a, b, 1e-5, label) }
            for (a, b) in zip(found.gradients.chosen + found.gradients.rejected, item.gradients.chosen + item.gradients.rejected) {
                for (x, y) in zip(a, b) { near(x, y, 1e-5, "\(label) gradient") }
                #expect(a.count == b.count)
            }
            let rewards = found.terms.reduce(0) { $0 + config.beta * $1.plainChosen.value } / 6
            near(rewards, item.logged["rewards/chosen"] ?? .nan, 1e-5, "\(label) rewards")
            seen.insert(config.loss.name)
        }
        #expect(
            seen == [
                "sigmoid", "robust", "hinge", "ipo", "sigmoid_norm", "exo_pair", "nca_pair", "bco_pair", "sppo_hard", "apo_zero",
                "apo_down",
                "discopop",
            ])
    }

    @Test("losses without a reference: SimPO, CPO and ORPO")
    func referenceFree() throws {
        let fixture = try Self.losses()
        var count = 0
        for item in fixture.referenceFree {
            let settings = item.settings
            var config = PreferenceConfig()
            switch (item.trainer, settings.loss_type) {
            case ("ORPOTrainer", _): config.loss = .orpo
            case (_, "simpo"): (config.loss, config.supervisedWeight) = (.simpo, settings.cpo_alpha ?? 1)
            case (_, "sigmoid"): (config.loss, config.supervisedWeight) = (.cpo, settings.cpo_alpha ?? 1)
            default: continue
            }
            guard settings.alpha ?? 0 == 0 else { continue }
            config.beta = settings.beta ?? 0.1
            config.gamma = settings.simpo_gamma ?? 0.5
            config.labelSmoothing = settings.label_smoothing ?? 0
            try config.validate()
            let found = measured(fixture.pairs, config)
            let label = "\(config.loss.name) \(settings)"
            near(found.value, item.value, 1e-5, label)
            for (a, b) in zip(found.gradients.chosen + found.gradients.rejected, item.gradients.chosen + item.gradients.rejected) {
                for (x, y) in zip(a, b) { near(x, y, 1e-5, "\(label) gradient") }
            }
            count += 1
        }
        #expect(count >= 11)
    }

    @Test("losses of single answers: KTO with its divergence, weights and gradients")
    func unpaired() throws {
        let fixture = try Self.losses()
        for item in fixture.unpaired {
            let labels = try #require(item.labels)
            let loss = item.settings.loss_type == "apo_zero_unpaired" ? UnpairedLoss.apoZeroUnpaired : .kto
            let beta = item.settings.beta ?? 0.1
            func sum(_ x: [Float]) -> Double { x.reduce(0) { $0 + Double($1) } }
            let ratios = fixture.rows.map { row in
                (sum(row.mismatchedPolicy) - sum(row.mismatchedReference)) * (item.mismatchedSwapped == true ? -1 : 1)
            }
            let divergence = max(0, ratios.reduce(0, +) / Double(ratios.count))
            if loss.usesDivergence { near(divergence, item.logged["kl"] ?? .nan, 1e-5, "kl") }
            var value = 0.0
            for (index, row) in fixture.rows.enumerated() {
                let weight = labels[index] ? item.settings.desirable_weight ?? 1 : item.settings.undesirable_weight ?? 1
                let found = loss.value(PairNumber(sum(row.policy) - sum(row.reference), chosen: 1), divergence, beta, labels[index])
                value += weight * found.value / Double(labels.count)
                for gradient in item.gradients[index] { near(weight * found.chosen / Double(labels.count), gradient, 1e-5, "gradient") }
            }
            near(value, item.value, 1e-5, "\(item.settings)")
        }
        #expect(fixture.unpaired.count == 8)
    }
}
