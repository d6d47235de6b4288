package import Data
import Formats
import Foundation
import Models
import Runs
import Train

/// Rejection sampling and supervised fine-tuning in rounds. `rounds/<r>/` in the run folder contains a best-of-N run, `samples`,
/// and a supervised fine-tuning run, `sft`. The model of the last round is the result.
extension SFTStage {
    /// Checks that no setting conflicts with rounds.
    func validateRounds() throws {
        guard rounds.rounds != nil else { return }
        guard !model.fromScratch else {
            throw InvalidSetting("--rounds needs a trained model; name one with --model-name, for example a run of train-sft")
        }
        guard evaluation.doTrain else { throw InvalidSetting("--rounds trains the model; remove --do-train false") }
    }

    /// Trains in the given number of rounds. Several ranks run the stages of a round together; rank 0 reads what they have written
    /// and chooses the answers.
    func work(rounds count: Int, in folder: URL, _ environment: StageEnvironment) throws {
        let session = try RunSession(self, in: folder, environment)
        if try session.folder.isFinished { return try session.sayFinished() }
        var runs = try InnerRuns("rounds", of: session, environment)
        let corpus = try session.corpus(data, ["train", "validation", "ood_validation"] + finalSplits)
        let examples = try data.trainingExamples(of: corpus)
        var current = model.modelName ?? ""
        var result = folder
        for round in 1...count {
            let samples = try Self.namingRounds { try runs.run(sampling(of: round, from: current), "\(round)/samples", corpus: corpus) }
            let kept = try KeptAnswers.shared(among: session.collective) {
                try self.kept(of: StoredSamples.prompts("train", inRun: samples.folder), round: round)
            }
            var own = corpus
            own.splits["train"] = kept.answering(examples)
            own.sizes["train"] = nil
            let trained = try runs.run(
                training(of: round, last: round == count, from: rounds.roundStart == "first" ? model.modelName ?? "" : current),
                "\(round)/sft", corpus: own)
            (current, result) = (trained.folder.path, trained.result)
            guard round > runs.done else { continue }
            try session.collective.together {
                guard session.folder.isFirst else { return }
                var values = kept.values
                // the final metrics of the round's model, under the names that any such run uses
                let measured = try trained.metrics()
                for last in measured where last.step == measured.last?.step { values.merge(last.values) { _, new in new } }
                try session.sinks.handle(.measured(step: round, values: values))
                try session.sinks.handle(.sampled(table: "round_\(round)", rows: kept.rows))
            }
            session.say(kept.text(round: round, of: count))
            try runs.finishPart()
        }
        try session.folder.writeResult { url in
            for name in try Folder.names(in: result.path) where name != FolderChecksums.fileName {
                try FileManager.default.copyItem(at: result.appendingPathComponent(name), to: url.appendingPathComponent(name))
            }
        }
        try session.end(stage: "sft in \(Counted(count, "round"))")
    }

    /// The seed of a round; the first round uses the run's seed.
    private func seed(_ round: Int) -> UInt64 { run.seed &+ UInt64(round - 1) &* 0x9E37_79B9_7F4A_7C15 }

    /// The data settings for a corpus whose rows are already selected.
    private var chosenData: DataSettings {
        var data = data
        (data.datasetRandomSubset, data.datasetStructuredSubset, data.sentimentIndex) = (nil, nil, nil)
        return data
    }

    private func sampling(of round: Int, from model: String) -> BestOfNStage {
        var stage = BestOfNStage()
        (stage.bestOfN.modelName, stage.bestOfN.numReturnSequences) = (model, rounds.roundSamples ?? 16)
        stage.bestOfN.evaluationSplits = ["train"]
        (stage.reward, stage.sampling, stage.run, stage.data) = (reward, sampling, run, chosenData)
        stage.sampling.doSample = nil
        stage.data.targetEvalDatapoints = data.maxTrainExamples ?? 1_000_000_000
        (stage.data.maxTrainExamples, stage.data.evalDataset) = (nil, nil)
        stage.run.seed = seed(round)
        (stage.run.masterDtype, stage.run.gradientDtype) = (MasterFormat.f32.rawValue, GradientFormat.f32.rawValue)
        (stage.run.runId, stage.run.resume) = (nil, ResumePolicy.allow.rawValue)
        return stage
    }

    /// Rewrites errors about the samples of a round so that they name the options of rounds.
    private static func namingRounds<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as InvalidSetting {
            var message = error.message
            for (own, name) in [
                ("--num-return-sequences and --groups", "--round-samples"), ("--num-return-sequences times --groups", "--round-samples"),
                ("--num-return-sequences", "--round-samples"),
            ] { message = message.replacing(own, with: name) }
            throw InvalidSetting(message)
        }
    }

    private func training(of round: Int, last: Bool, from model: String) -> SFTStage {
        var stage = self
        stage.rounds = RoundSettings()
        stage.model.modelName = model
        stage.data = chosenData
        stage.data.maxTrainExamples = nil
        stage.run.seed = seed(round)
        (stage.run.runId, stage.run.resume) = (nil, ResumePolicy.allow.rawValue)
        guard !last else { return stage }
        stage.saving = SavingSettings()
        // the next round adds a new adapter, which needs a merged model
        if adapter.loraRank != nil { stage.adapter.mergeAdapter = true }
        return stage
    }

    private func kept(of prompts: [[SampleRow]], round: Int) throws -> KeptAnswers {
        let kept = KeptAnswers(prompts, rounds)
        guard !kept.rows.isEmpty else {
            throw InvalidSetting(
                "round \(round) keeps no answers to \(Counted(prompts.count, "prompt")): "
                    + (kept.unfinished == prompts.count
                        ? "no answer ended within --max-new-tokens; raise it, or allow such answers with --round-unfinished true"
                        : "no reward reached --round-threshold \(rounds.roundThreshold ?? 0); lower it, or sample more (--round-samples)")
                    + ", in a run with another --run-id")
        }
        return kept
    }
}

/// The answers of a round that are trained on.
package struct KeptAnswers {
    /// At most one answer per prompt, in the order of the prompts.
    package let rows: [SampleRow]
    /// The number of prompts without any answer that ended with an end-of-sequence token.
    package let unfinished: Int
    /// The metrics of the round.
    let values: [String: Double]

    /// Keeps the best answer to every prompt, and of these the best share of those that reach the threshold.
    package init(_ prompts: [[SampleRow]], _ settings: RoundSettings) {
        let best = prompts.compactMap { rows in
            BestOfN.best(of: settings.roundUnfinished ?? false ? rows : rows.filter { $0.numbers["ended"] != 0 })
        }
        unfinished = prompts.count - best.count
        let threshold = settings.roundThreshold ?? -.infinity
        let good = best.indices.filter { best[$0].reward ?? -.infinity >= threshold }
        // at least one answer is kept; of equal rewards, the first
        let count = good.isEmpty ? 0 : max(1, Int((settings.roundShare ?? 1) * Double(good.count)))
        let chosen = good.sorted { (best[$0].reward ?? 0, $1) > (best[$1].reward ?? 0, $0) }.prefix(count).sorted()
        rows = chosen.map { best[$0] }
        func mean(_ rows: [SampleRow]) -> Double { rows.isEmpty ? 0 : rows.reduce(0) { $0 + ($1.reward ?? 0) } / Double(rows.count) }
        values = [
            "round_mean_reward": mean(prompts.flatMap { $0 }), "round_best_reward": mean(prompts.compactMap { BestOfN.best(of: $0) }),
            "round_kept_reward": mean(rows), "round_kept": Double(rows.count), "round_unfinished": Double(unfinished),
        ]
    }

    private init(_ message: Message) {
        (rows, unfinished, values) = (message.rows.map(\.row), message.unfinished, message.values)
    }

    /// The answers that rank 0 keeps, on all ranks.
    static func shared(among collective: any Collective, _ kept: () throws -> KeptAnswers) throws -> KeptAnswers {
        guard collective.size > 1 else { return try kept() }
        return KeptAnswers(try collective.broadcast { Message(try kept()) })
    }

    /// The kept answers as rank 0 sends them.
    private struct Message: Codable {
        var rows: [RowMessage]
        var unfinished: Int
        var values: [String: Double]

        init(_ kept: KeptAnswers) {
            (rows, unfinished, values) = (kept.rows.map(RowMessage.init), kept.unfinished, kept.values)
        }
    }

    /// The examples for which an answer was kept, with the answers as their summaries.
    package func answering(_ examples: [SummaryExample]) -> [SummaryExample] {
        let answers = Dictionary(rows.map { ($0.id, $0.response) }) { first, _ in first }
        return examples.compactMap { example in
            guard let answer = answers[example.id] else { return nil }
            var example = example
            example.summary = answer
            if let asked = example.conversation {
                let message: JSONValue = ["role": "assistant", "content": JSONValue.string(answer)]
                example.conversation = Conversation(prompt: asked.prompt, response: [message])
            }
            return example
        }
    }

    /// A line that describes the round.
    func text(round: Int, of count: Int) -> String {
        String(
            format: "round %d of %d: mean reward %.3f, best %.3f; %@ kept, mean reward %.3f", round, count,
            values["round_mean_reward"] ?? 0, values["round_best_reward"] ?? 0, "\(Counted(rows.count, "answer"))",
            values["round_kept_reward"] ?? 0)
            + (unfinished > 0 ? " (\(Counted(unfinished, "prompt")) without a finished answer)" : "")
    }
}
