import Diversity
import Formats
import Foundation
import Tensor
import Train

// How pairs are made from answers with rewards.
extension ComparisonSettings {
    /// The kind of pairs, by its name in `PairSelection`.
    private var pairKind: String { SettingName.canonical(pairs ?? PairSelection.bestWorst.name) }

    /// Checks the options for pairs made from tables.
    /// - Throws: `InvalidSetting`.
    func validatePairs() throws {
        guard PairSelection.builtInNames.contains(pairKind) else {
            let names = PairSelection.builtInNames
            let nearest = NearestName.find(pairKind, among: names).map { "; did you mean \($0)?" } ?? ""
            throw InvalidSetting("--pairs is '\(pairs ?? "")'; expected \(names.joined(separator: ", "))\(nearest)")
        }
        guard pairMargin.map({ $0 >= 0 && $0.isFinite }) ?? true else { throw InvalidSetting("--pair-margin must not be negative") }
        guard pairLimit.map({ $0 > 0 }) ?? true else { throw InvalidSetting("--pair-limit must be above 0") }
        guard divpoThreshold.map({ (0...0.5).contains($0) }) ?? true else {
            throw InvalidSetting("--divpo-threshold must be in 0...0.5, a fraction of the reward range")
        }
        guard divpoThreshold == nil || pairKind == "divpo" else {
            throw InvalidSetting("--divpo-threshold has no effect with --pairs \(pairKind); remove it, or choose --pairs divpo")
        }
        guard heldOutShare.map({ (0..<1).contains($0) }) ?? true else { throw InvalidSetting("--held-out-share must be in 0..<1") }
    }

    /// Checks that no option for tables is set.
    /// - Throws: `InvalidSetting` with the option's name.
    func refuseTableOptions() throws {
        let given = [
            ("--pairs", pairs != nil), ("--pair-margin", pairMargin != nil), ("--pair-limit", pairLimit != nil),
            ("--divpo-threshold", divpoThreshold != nil), ("--held-out-share", heldOutShare != nil),
        ]
        guard let option = given.first(where: \.1)?.0 else { return }
        throw InvalidSetting("\(option) needs answers with rewards; name a run's table with --dataset RUN:TABLE, or remove the option")
    }

    /// Checks that no option of the simulation is set, for comparisons that are made from a run's table.
    /// - Throws: `InvalidSetting` with the option's name.
    func refuseSimulation() throws {
        let usual = ComparisonSettings()
        let given = [
            ("--simulated-prompts", simulatedPrompts != usual.simulatedPrompts),
            ("--simulated-evaluation-prompts", simulatedEvaluationPrompts != usual.simulatedEvaluationPrompts),
            ("--simulated-temperatures", simulatedTemperatures != usual.simulatedTemperatures),
            ("--samples-per-temperature", samplesPerTemperature != usual.samplesPerTemperature),
            ("--pairs-per-prompt", pairsPerPrompt != usual.pairsPerPrompt), ("--minimum-margin", minimumMargin != usual.minimumMargin),
            ("--flipped-share", flippedShare != usual.flippedShare), ("--length-weight", lengthWeight != usual.lengthWeight),
        ]
        guard let option = given.first(where: \.1)?.0 else { return }
        let instead = ["--minimum-margin": ", or use --pair-margin", "--pairs-per-prompt": ", or use --pair-limit"]
        throw InvalidSetting(
            "\(option) has no effect with a run's table, whose answers are not simulated; remove it\(instead[option] ?? "")")
    }

    /// Checks that a diversity measure is set only if something uses it.
    /// - Throws: `InvalidSetting`.
    func checkDiversityIsUsed(weighing: Bool) throws {
        guard answerDiversity != nil, !weighing, pairKind != "divpo" else { return }
        throw InvalidSetting("--answer-diversity has no effect without --pairs divpo or --pair-weight deviation; remove it, or add one")
    }

    /// How the pairs of a prompt are chosen.
    func answerPairs(random: Philox) throws -> AnswerPairs {
        var pairs = AnswerPairs(random: random)
        switch pairKind {
        case "best-random": pairs.selection = .bestRandom
        case "margin": pairs.selection = .margin(pairMargin ?? 0)
        case "divpo": pairs.selection = .divpo(threshold: divpoThreshold ?? 0.2, diversity: try diversity().values)
        default: pairs.selection = .bestWorst
        }
        (pairs.minimumMargin, pairs.limit) = (pairMargin ?? 0, pairLimit)
        return pairs
    }

    /// The measure of how much an answer differs from the others to its prompt.
    func diversity() throws -> AnswerDiversity {
        switch SettingName.canonical(answerDiversity ?? "ngrams") {
        case "ngrams": return .ngrams()
        case "words": return .wordRarity()
        default:
            let path = answerDiversity ?? ""
            guard try FileStatus.of(path) != nil else {
                throw InvalidSetting("--answer-diversity is '\(path)'; expected ngrams, words, or the folder of a sentence encoder")
            }
            return .embeddings(
                try FolderSentenceEncoder(EncoderFolder.sentences(path, option: "--answer-diversity"), rememberedBytes: 0))
        }
    }
}
