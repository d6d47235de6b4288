import Data
import Formats
import Foundation
import Models
import Runs
import Tensor
import Train

/// The source of best-of-N responses: a model that samples them, or the tables of a finished run.
struct BestOfNSamples {
    /// The splits, with their numbers of prompts.
    let splits: [(name: String, prompts: Int)]
    /// The number of prompts that a rank answers together.
    let promptsPerPass: Int
    /// Checks that the available memory suffices.
    var check: () throws -> Void = {}
    /// Provides `count` rows for each prompt in a range of a split (given by its index). Calls `each` once per prompt, in order, on
    /// all ranks. An error on one rank is an error of all.
    let sample: (_ split: Int, _ prompts: Range<Int>, _ count: Int, _ each: ([SampleRow]) throws -> Void) throws -> Void
}

extension BestOfNStage {
    /// Samples drawn from the model.
    func drawnSamples(_ session: RunSession) throws -> BestOfNSamples {
        let n = bestOfN.numReturnSequences
        let policy = try data.prepared(
            .load(bestOfN.modelName, from: RunStage.languageModels, base: adapterBase.folder, families: session.families, note: session.say)
        )
        let ends = try policy.ends(note: session.say)
        let reward = try self.reward.load(session, data: data, tokenizer: policy.tokenizer, ends: ends)
        // without a reference, the KL of draws is relative to the unmodified model
        let named = bestOfN.referenceModel ?? (bestOfN.klOfDraws == true ? bestOfN.modelName : nil)
        let reference = try named.map {
            $0 == bestOfN.modelName
                ? policy.model.decoder
                : try policy.loadReference($0, base: adapterBase.folder, families: session.families, note: session.say)
        }
        let models = try sharing(policy.model.decoder, reference: reference, session)
        var corpus = try session.corpus(data, bestOfN.evaluationSplits)
        let tokenisation = try data.tokenisation(
            of: corpus, context: policy.model.decoder.shape.contextLength, newTokens: sampling.maxNewTokens + 1,
            chat: data.chatFormat(of: policy))
        corpus = try data.screened(
            corpus, tokenisation, for: data.referenceCompatible ? [.training] : [.prompts], with: policy.tokenizer, note: session.say)
        let wanted = try data.present(bestOfN.evaluationSplits, in: corpus, note: session.say)
        let splits = try wanted.map { split -> (name: String, prompts: [TokenisedPrompt]) in
            let prompts = try data.evaluationPrompts(
                data.evaluationExamples(of: corpus, split: split, batch: bestOfN.perDeviceEvalBatchSize ?? 8), tokenisation,
                room: policy.model.decoder.shape.contextLength - sampling.maxNewTokens - 1, with: policy.tokenizer)
            if !data.referenceCompatible { data.note(cut: prompts, to: split, session.say) }
            return (split, prompts)
        }
        try reward.checkReferences(of: splits.flatMap(\.prompts))
        try requireSame(splits, policy.model.decoder, among: session.collective)
        sayRanks(session, prompts: splits.map(\.prompts.count).max() ?? 0)
        var sampler = BestOfN(
            ResponseSampler(
                Generator(
                    policy.model.decoder, ends: ends, validTokens: policy.tokenizer.vocabularySize,
                    maxActive: sampling.maxActive(isBulk: true)),
                tokenizer: policy.tokenizer, options: sampling.options(reference: data.referenceCompatible)),
            rewardFunction: reward, random: Philox(seed: run.seed).split("best of n"))
        (sampler.reference, sampler.promptsPerPass) = (reference, promptsPerPass)
        sampler.measuresDraws = bestOfN.klOfDraws ?? false
        let (count, all) = (bestOfN.groups > 1 ? n * bestOfN.groups : n, splits.flatMap(\.prompts))
        return BestOfNSamples(
            splits: splits.map { ($0.name, $0.prompts.count) }, promptsPerPass: sampler.promptsPerPass,
            check: {
                try MemoryPlan.check(
                    run, models, session, longest: all.map(\.tokens.count).max() ?? 0,
                    advice: "lower --max-active-responses, --num-return-sequences, --max-new-tokens or --max-source-length, "
                        + "or use a smaller model"
                ) { sampler.memory(prompts: all, count: count) }
            },
            sample: { split, prompts, count, each in
                try sampler.sample(Array(splits[split].prompts[prompts]), count: count, among: session.collective) { try each($1) }
            })
    }

    /// The number of prompts that a process answers together.
    private var promptsPerPass: Int { max(1, 256 / bestOfN.numReturnSequences) }

    /// Tells how many processes share the prompts, and if some of them have nothing to do.
    /// - Parameter prompts: the number of prompts of the largest split.
    private func sayRanks(_ session: RunSession, prompts: Int) {
        let (ranks, passes) = (session.collective.size, (prompts + promptsPerPass - 1) / promptsPerPass)
        guard ranks > 1 else { return }
        session.say(
            "\(ranks) processes share the prompts, each \(promptsPerPass) at a time"
                + (ranks > passes
                    ? "; no split has more than \(Counted(prompts, "prompt")), so at least \(RunSession.idle(ranks - passes)) nothing to do"
                    : "")
        )
    }

    /// Checks that all ranks have the same prompts and the same policy, which other files on one machine could change.
    private func requireSame(
        _ splits: [(name: String, prompts: [TokenisedPrompt])], _ policy: any TransformerDecoder, among collective: any Collective
    ) throws {
        guard collective.size > 1 else { return }
        let lengths = splits.map { name, prompts in "\(name) \(prompts.map { "\($0.id) \($0.tokens.count)" })" }
        try collective.requireSame("\(lengths)", what: "the set of prompts")
        try collective.requireSameWeights(policy.parameters)
    }

    /// Freezes all models, because nothing is trained, lets equal weights share one memory, and holds them in the format of the
    /// settings.
    private func sharing(
        _ policy: any TransformerDecoder, reference: (any TransformerDecoder)?, _ session: RunSession
    ) throws -> RunModels {
        let models = RunModels(model: policy, reference: reference, judges: session.judges)
        models.freezeAndShare(note: session.say)
        try models.hold(as: run.frozenFormat, note: session.say)
        return models
    }

    /// Checks that no option for sampling or scoring differs from those of the run that drew and scored the samples.
    private func refuseOtherThanDrawn(_ source: URL) throws {
        let drawn = try RunConfiguration.read(inRun: source)?.options ?? [:]
        let usual = try BestOfNStage().values
        for (name, value) in try reward.values.merging(sampling.values, uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key })
        where value != usual[name] && value != drawn[name] {
            throw InvalidSetting(
                "--\(name.replacing("_", with: "-")) has no effect with --samples-from: the samples in \(source.path) were drawn "
                    + "and scored with \(drawn[name]?.shown ?? "none"); remove the option")
        }
    }

    /// The samples of a finished run, with the rewards stored there.
    func storedSamples(_ name: String, _ session: RunSession) throws -> BestOfNSamples {
        let runs = URL(fileURLWithPath: run.outputDir, isDirectory: true)
        let source = try RunFolder.run(named: name, in: runs, expecting: [.bestOfN])
        let known = try Tables.names(inRun: source)
        let wanted = bestOfN.evaluationSplits.filter { known.contains($0) }
        let missing = bestOfN.evaluationSplits.filter { !known.contains($0) }
        guard !wanted.isEmpty else {
            let splits = known.filter { !$0.hasSuffix(Self.chosenSuffix) }
            throw InvalidSetting(
                "\(source.path) has \(missing.map { "no samples of \($0)" }.joined(separator: " and ")); it has "
                    + "\(splits.isEmpty ? "none" : "samples of " + splits.joined(separator: ", ")); name splits with --evaluation-splits")
        }
        for split in missing { session.say("\(source.path) has no samples of \(split); the split is skipped") }
        try refuseOtherThanDrawn(source)
        let most = data.evaluatedCount(batch: bestOfN.perDeviceEvalBatchSize ?? 8)
        let splits = try wanted.map { split in
            let prompts = try StoredSamples.prompts(split, inRun: source)
            guard !prompts.isEmpty else { throw DataError.emptySplit(split, reason: "\(source.path) has no samples in this table") }
            if prompts.count > most {
                session.say("\(split): the first \(most) of \(Counted(prompts.count, "prompt")) (--target-eval-datapoints)")
            }
            return (name: split, prompts: Array(prompts.prefix(most)))
        }
        for (split, prompts) in splits {
            for (place, rows) in prompts.enumerated() {
                let needed = bestOfN.numReturnSequences * (bestOfN.groups > 1 && place < bestOfN.groupedPrompts ? bestOfN.groups : 1)
                guard rows.count >= needed else {
                    throw InvalidSetting(
                        "\(source.path) has \(Counted(rows.count, "sample")) of prompt \(rows.first?.id ?? "") (\(split)), but "
                            + "--num-return-sequences times --groups needs \(needed)")
                }
            }
        }
        let counts = splits.map { split in "\(split.name) \(split.prompts.map { "\($0.first?.id ?? "") \($0.count)" })" }
        try session.collective.requireSame("\(counts)", what: "the set of stored samples")
        return BestOfNSamples(splits: splits.map { ($0.name, $0.prompts.count) }, promptsPerPass: 1024) { split, prompts, count, each in
            // every rank reads the rows, because there is nothing to compute
            try session.collective.together {
                for rows in splits[split].prompts[prompts] { try each(Array(rows.prefix(count))) }
            }
        }
    }
}

/// Reads the samples of a finished best-of-N run.
enum StoredSamples {
    /// The rows of a table, grouped by prompt.
    /// - Throws: `RunFolderError.unfinished` and `.unknownTable`; `FormatError`; `InvalidSetting` for a row without a reward.
    static func prompts(_ table: String, inRun folder: URL) throws -> [[SampleRow]] {
        guard try RunFolder.isFinished(folder) else { throw RunFolderError.unfinished(path: folder.path) }
        var prompts: [[SampleRow]] = []
        for row in try Tables.read(table, inRun: folder) {
            guard row.reward != nil else {
                throw InvalidSetting(
                    "table \(table) of \(folder.path) has a row without a reward (\(row.id)); name a run whose samples have rewards")
            }
            // a prompt's samples are numbered from 0; the ID alone may not distinguish prompts
            if let last = prompts.last?.last, last.id == row.id, row.numbers["sample"] != 0 {
                prompts[prompts.count - 1].append(row)
            } else {
                prompts.append([row])
            }
        }
        return prompts
    }
}
