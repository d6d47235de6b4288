import Runs
import Data
import Diversity
import Eval
import Formats
import Foundation
import Models
import Tensor
import Train

/// Provides a run's comparisons: read from a data set, made from a run's scored answers, or simulated.
struct ComparisonSource {
    let settings: ComparisonSettings
    let data: DataSettings
    let sampling: SamplingSettings
    let evaluation: EvaluationSettings
    let seed: UInt64
    /// The folder of runs that are named by their ID.
    let runs: URL
    /// Whether pairs are weighted by how much their chosen answer differs from the other answers.
    var weighsByDeviation = false
    /// Whether the method also accepts single answers with labels.
    var takesSingles = false
    /// Whether sampled answers without an end-of-sequence token get one appended.
    var endsAnswers = false

    static let setNames = ["train", "validation", "ood_validation"]
    /// The splits that are evaluated once, after training, on their first rows.
    static let finalNames = ["test", "ood_test", "full_validation", "full_test"]

    /// The comparisons of every split: read from a data set, made from a table, or simulated by the run.
    /// - Parameters:
    ///   - session: the session of the run.
    ///   - supervised: the model that simulated comparisons are sampled from.
    ///   - beforeSimulating: is called before comparisons are simulated, to check that the training can follow.
    func sets(
        _ session: RunSession, _ supervised: LoadedModel, beforeSimulating: () throws -> Void
    ) throws -> [(name: String, comparisons: [Comparison])] {
        try settings.checkDiversityIsUsed(weighing: weighsByDeviation)
        if let sets = try tableSets(session) { return sets }
        try settings.refuseTableOptions()
        let sets = try givenOrSimulated(session, supervised, beforeSimulating)
        guard weighsByDeviation else { return sets }
        let diversity = try settings.diversity()
        return try sets.map { ($0.name, try Self.weighed($0.comparisons, by: diversity)) }
    }

    /// The comparisons made from a run's table; nil where the settings name no table.
    private func tableSets(_ session: RunSession) throws -> [(name: String, comparisons: [Comparison])]? {
        guard let source = try NamedTable(settings.comparisons ?? data.datasetName, in: runs) else { return nil }
        try data.refuseWhatTablesLack()
        try settings.refuseSimulation()
        // a table is written by a run and has no conversations, so no policy for bad rows applies
        guard data.onBadRow == DataSettings().onBadRow else {
            throw InvalidSetting("--on-bad-row \(data.onBadRow) has no effect with a run's table, where any bad row is an error; remove it")
        }
        let table = AnswerTable(
            source: source, pairs: try settings.answerPairs(random: Philox(seed: seed).split("pairs")),
            deviation: weighsByDeviation ? try settings.diversity() : nil)
        let count = data.evaluatedCount(batch: evaluation.perDeviceEvalBatchSize)
        return try table.comparisons(
            Self.setNames + Self.finalNames, heldOut: settings.heldOutShare ?? 0.1, note: session.say
        ).map { name, comparisons in
            switch name {
            case "train": (name, Array(comparisons.prefix(data.maxTrainExamples ?? .max)))
            case _ where Self.finalNames.contains(name): (name, Array(comparisons.prefix(count)))
            default: (name, comparisons)
            }
        }
    }

    /// The comparisons with weights. A weight follows from how much the chosen answer differs from all answers to the same post
    /// that appear in comparisons.
    private static func weighed(_ comparisons: [Comparison], by diversity: AnswerDiversity) throws -> [Comparison] {
        var (result, places): ([Comparison], [[String]: [Int]]) = (comparisons, [:])
        for (place, comparison) in comparisons.enumerated() {
            places[[comparison.subreddit, comparison.title, comparison.post], default: []].append(place)
        }
        for group in places.values {
            let answers = Array(Set(group.flatMap { comparisons[$0].summaries })).sorted()
            let weights = AnswerPairs.weights(ofDeviations: try diversity.values(answers))
            for place in group {
                if let answer = answers.firstIndex(of: comparisons[place].chosen) { result[place].weight = weights[answer] }
            }
        }
        return result
    }

    private func givenOrSimulated(
        _ session: RunSession, _ supervised: LoadedModel, _ beforeSimulating: () throws -> Void
    ) throws -> [(name: String, comparisons: [Comparison])] {
        let wanted = Self.setNames + Self.finalNames
        if let splits = try data.comparisons(in: settings.comparisons, wanted, note: session.say) {
            try check(splits.rows(of: "train"))
            return try wanted.filter { splits.rows[$0] != nil }.map { name in
                let rows = try splits.rows(of: name)
                let count = data.evaluatedCount(batch: evaluation.perDeviceEvalBatchSize)
                return (name, Self.finalNames.contains(name) ? Array(rows.prefix(count)) : rows)
            }
        }
        let folder = session.folder.url.appendingPathComponent("comparisons", isDirectory: true)
        // simulated comparisons are stored in the run folder, so that a resumed run uses the same ones
        let isWhole = try session.collective.broadcast {
            let isThere = try FileStatus.of(folder) != nil
            let isWhole = try isThere && Self.isWhole(folder)
            if isThere && !isWhole { session.say("\(folder.path) is damaged; the comparisons are simulated again") }
            return isWhole
        }
        if !isWhole {
            try beforeSimulating()
            let sets = try simulate(session, supervised)
            try session.folder.writeResult("comparisons") { url in
                for (name, comparisons) in sets {
                    try JSONLines<Comparison>(url.appendingPathComponent("\(name).jsonl")).write(comparisons)
                }
            }
        }
        return try session.collective.broadcast { try read(folder, needed: "train") }.map { ($0.name, $0.comparisons) }
    }

    /// The comparisons of a split in the run folder.
    private struct StoredSet: Codable {
        var name: String
        var comparisons: [Comparison]
    }

    /// Throws an error for single answers with labels where the method needs pairs.
    private func check(_ comparisons: [Comparison]) throws {
        guard !takesSingles, comparisons.contains(where: \.isSingle) else { return }
        throw InvalidSetting(
            "the rows are single answers with labels, but pairs are needed; train on such rows with train-preference --loss kto or "
                + "apo_zero_unpaired")
    }

    /// Tokenises the comparisons. Conversations that the chat template cannot render are left out and counted where bad rows are
    /// skipped.
    func tokenised(
        _ sets: [(name: String, comparisons: [Comparison])], for start: LoadedModel, _ session: RunSession
    ) throws -> [(name: String, comparisons: [TokenisedComparison])] {
        let tokenisation = RewardTokenisation(
            text: try data.compatibility.rewardText,
            maximumTokens: min(data.maxSourceLength + data.maxTargetLength, start.model.decoder.shape.contextLength),
            chat: data.chatFormat(of: start))
        var (truncated, counts, hasForeign) = (0, RowCounts(), false)
        let tokenised = try sets.map { name, comparisons in
            var screened = try data.screened(comparisons, tokenisation, with: start.tokenizer, counts: &counts)
            if screened.contains(where: \.isSampled) {
                let sampled = try tokenisation.withTokens(screened, with: start.tokenizer, endsAll: endsAnswers)
                screened = sampled.comparisons
                hasForeign = hasForeign || sampled.hasForeignTokens
            }
            let result = try tokenisation.tokenisedOnThreads(screened, with: start.tokenizer)
            truncated += result.truncated
            return (name: name, comparisons: result.comparisons)
        }
        if counts.skipped > 0 { session.say("chat template: \(counts)") }
        if hasForeign { session.say("the table's tokens come from another tokenizer; its texts are tokenised again") }
        if truncated > 0 {
            session.say("\(Counted(truncated, "comparison")) \(Counted.form(truncated, "was", "were")) truncated to the model's context")
        }
        return tokenised
    }

    /// The sets that are evaluated during training, each with the number of rows that the settings ask for.
    func evaluated(
        _ tokenised: [(name: String, comparisons: [TokenisedComparison])]
    ) throws -> [(name: String, comparisons: [TokenisedComparison])] {
        try tokenised.filter { Self.setNames.contains($0.name) }.map { name, comparisons in
            let rows = name == "validation" ? Array(comparisons.prefix(settings.evalSubsampleNum ?? .max)) : comparisons
            return (name: name, comparisons: try evaluation.rows(rows, of: name, otherwise: .max, seed: seed))
        }.filter { !$0.comparisons.isEmpty }
    }

    /// Whether the files in a folder of comparisons match their checksums. A file that cannot be read is an error, not damage.
    private static func isWhole(_ folder: URL) throws -> Bool {
        do {
            try FolderChecksums.verify(folder)
            return true
        } catch FileError.damaged {
            return false
        }
    }

    private func read(_ folder: URL, needed: String) throws -> [StoredSet] {
        var sets: [StoredSet] = []
        for name in Self.setNames {
            let file = folder.appendingPathComponent("\(name).jsonl")
            guard try name == needed || FileStatus.of(file) != nil else { continue }
            sets.append(StoredSet(name: name, comparisons: try JSONLines<Comparison>(file).read()))
        }
        return sets
    }

    private func simulate(
        _ session: RunSession, _ supervised: LoadedModel
    ) throws -> [(name: String, comparisons: [Comparison])] {
        var corpus = try session.corpus(data, Self.setNames)
        let decoder = supervised.model.decoder
        let tokenisation = try data.tokenisation(
            of: corpus, context: decoder.shape.contextLength, newTokens: sampling.maxNewTokens, chat: data.chatFormat(of: supervised))
        corpus = try data.screened(corpus, tokenisation, for: [.prompts], with: supervised.tokenizer, note: session.say)
        let wanted = try Self.setNames.filter { corpus.availableSplits.contains($0) }.map { name in
            (
                name: name,
                examples: name == "train"
                    ? Array(try data.trainingExamples(of: corpus).prefix(settings.simulatedPrompts))
                    : try data.evaluationExamples(
                        of: corpus, split: name, count: settings.simulatedEvaluationPrompts)
            )
        }
        let total = wanted.reduce(0) { $0 + $1.examples.count }
        let ends = try supervised.ends(note: session.say)
        session.say(
            "no comparisons given: simulating preferences. The model answers \(Counted(total, "prompt")), "
                + "and a hidden judge that knows the references "
                + "ranks the answers. To use pairs of your own, name them with --comparisons")
        try session.sinks.handle(.began(stage: "simulated preferences", totalSteps: total, unit: "prompt"))
        var done = (examples: 0, tokens: 0)
        return try wanted.map { name, examples in
            var simulation = SimulatedPreferences(
                ResponseSampler(
                    Generator(
                        decoder, ends: ends, validTokens: supervised.tokenizer.vocabularySize, maxActive: sampling.maxActive(isBulk: true)),
                    tokenizer: supervised.tokenizer, options: sampling.options()),
                random: Philox(seed: seed).split("preferences"))
            simulation.judge = GoldScore(lengthWeight: settings.lengthWeight)
            simulation.temperatures = settings.simulatedTemperatures.map(Float.init)
            simulation.samplesPerTemperature = settings.samplesPerTemperature
            simulation.pairsPerPrompt = settings.pairsPerPrompt
            simulation.minimumMargin = settings.minimumMargin
            // labels of held-out splits are never flipped, so accuracy is measured against the judge's true preferences
            simulation.flippedShare = name == "train" ? settings.flippedShare : 0
            var tokens = 0
            let prompts = try tokenisation.promptsOnThreads(examples, with: supervised.tokenizer)
            // each rank answers a share of the prompts; a prompt's answers do not depend on the others
            let found = try session.collective.sharing(Array(zip(examples, prompts)), tokens: \.1.tokens.count) { part in
                try simulation.comparisons(for: part.map(\.0), prompts: part.map(\.1)) { count, sampled in
                    // the shares are about equal, so the progress of all ranks is estimated from that of this one
                    let all = min(examples.count, count * examples.count / max(1, part.count))
                    tokens = sampled * examples.count / max(1, part.count)
                    try session.sinks.handle(
                        .progressed(step: done.examples + all, totalSteps: total, tokens: done.tokens + tokens, figure: nil))
                }
            }.flatMap { $0 }
            // the reward model must read the same prompts that were answered
            let others = corpus.format == .tldr ? nil : corpus.format
            let result = found.map { comparison in
                var comparison = comparison
                if comparison.conversations == nil { comparison.promptFormat = comparison.promptFormat ?? others }
                return comparison
            }
            done = (done.examples + examples.count, done.tokens + tokens)
            session.say("\(Counted(result.count, "\(name) comparison")) from \(Counted(examples.count, "prompt"))")
            return (name, result)
        }
    }
}
