import Data
import Eval
import Formats
import Foundation
import Runs
import Study
import Tensor

/// Asking a judge, and analysing its verdicts.
extension SystemPreferences {
    /// Checks that the settings of the judge fit the requested action.
    /// - Throws: `InvalidSetting`.
    func validateJudge() throws {
        let defaults = JudgeSettings()
        if preferences.judgeUrl != nil {
            guard let model = judge.judgeModel, !model.isEmpty else {
                throw InvalidSetting("--judge-url needs --judge-model, the service's name of the model")
            }
        } else if let name = Self.serviceSettings(of: judge).first {
            throw InvalidSetting("\(name) needs --judge-url")
        }
        if preferences.judgeCommand == nil, preferences.judgePatience != SystemPreferenceSettings().judgePatience {
            throw InvalidSetting(
                "--judge-patience needs --judge-command"
                    + (preferences.judgeUrl == nil ? "" : "; --judge-url has --judge-timeout"))
        }
        if preferences.judgeUrl == nil, preferences.judgeCommand == nil, preferences.judgeRequests == nil,
            judge.judgePrompt != defaults.judgePrompt || judge.judgeTemplate != nil || judge.judgeTies
        {
            throw InvalidSetting(
                "--judge-prompt, --judge-template and --judge-ties need --judge-url, --judge-command or --judge-requests")
        }
        if judge.instructionDifficulties != nil, !preferences.isJudged {
            throw InvalidSetting(
                "--instruction-difficulties needs the verdicts of a judge: --judge-url, --judge-command or --judge-answers")
        }
    }

    /// The options of the service that differ from their defaults.
    private static func serviceSettings(of judge: JudgeSettings) -> [String] {
        let defaults = JudgeSettings()
        let changed: [(String, Bool)] = [
            ("--judge-model", judge.judgeModel != nil), ("--judge-key-variable", judge.judgeKeyVariable != defaults.judgeKeyVariable),
            ("--judge-labels", !judge.judgeLabels.isEmpty), ("--judge-verdict", judge.judgeVerdict != defaults.judgeVerdict),
            ("--judge-cache", judge.judgeCache != nil), ("--judge-tokenizer", judge.judgeTokenizer != nil),
            ("--judge-price-in", judge.judgePriceIn != nil), ("--judge-price-out", judge.judgePriceOut != nil),
            ("--judge-temperature", judge.judgeTemperature != defaults.judgeTemperature),
            ("--judge-max-tokens", judge.judgeMaxTokens != defaults.judgeMaxTokens),
            ("--judge-top-log-probs", judge.judgeTopLogProbs != defaults.judgeTopLogProbs),
            ("--judge-concurrency", judge.judgeConcurrency != defaults.judgeConcurrency),
            ("--judge-timeout", judge.judgeTimeout != defaults.judgeTimeout),
            ("--judge-attempts", judge.judgeAttempts != defaults.judgeAttempts),
            ("--judge-token-check", judge.judgeTokenCheck != defaults.judgeTokenCheck),
        ]
        return changed.filter(\.1).map(\.0)
    }

    typealias JudgedPairs = (names: [String], inputs: [String], first: [String], second: [String])

    /// The pairs to judge: the outputs of two systems, or the preferred and the other summary of comparisons.
    func pairs(_ listener: ReportListener) throws -> JudgedPairs {
        var random = random
        if let path = preferences.judgeComparisons {
            let all = try JSONLines<Comparison>(URL(fileURLWithPath: path)).read()
            let rows = draw(all.count, using: &random).map { all[$0] }
            return (
                ["preferred", "other"], rows.map { PromptFormat.tldr.prompt(for: $0) }, rows.map(\.chosen),
                rows.map(\.rejected)
            )
        }
        let joined = try SystemOutputs(preferences.systems, table: preferences.tableName, runs: runs, note: listener.note)
        let places = draw(joined.inputs.count, using: &random)
        return (
            joined.systems.map(\.name), places.map { joined.inputs[$0] },
            places.map { joined.systems[0].rows[$0][0].response }, places.map { joined.systems[1].rows[$0][0].response }
        )
    }

    func askJudge(_ listener: ReportListener) throws {
        let pairs = try pairs(listener)
        // read all other files first, so that errors in them are found before the judge is asked
        let people = try answersOfPeople(listener)
        if let people, agreement(people, pairs, outcomes: pairs.inputs.map { _ in 0.5 }) == nil { throw Self.nothingInCommon }
        let difficulties = try judge.difficulties()
        let gamed = try judge.gamed()
        let withoutDifficulty = difficulties.map { known in pairs.inputs.count { known[$0] == nil } }
        if let withoutDifficulty, withoutDifficulty > 0 {
            listener.note(
                "\(judge.instructionDifficulties ?? ""): "
                    + "\(withoutDifficulty) of \(Counted(pairs.inputs.count, "input")) \(Counted.form(withoutDifficulty, "has", "have")) no difficulty in it"
            )
        }
        var random = random.split("bootstrap")
        func summary(_ judge: some PairwiseJudge) throws -> (PairwiseJudging.Summary?, JudgeLedger?) {
            let found = try PairwiseJudging.compare(
                inputs: pairs.inputs, first: pairs.first, second: pairs.second, judge: judge, resamples: preferences.bootstrapResamples,
                using: &random)
            return (found, judge.ledger)
        }
        var opened: RunSession?
        let asked: (summary: PairwiseJudging.Summary?, ledger: JudgeLedger?)
        if let path = preferences.judgeAnswers {
            asked = try summary(RecordedJudge(URL(fileURLWithPath: path)))
        } else if let url = preferences.judgeUrl {
            // open the run folder before asking, because answers may cost money
            let session = try session(listener)
            guard try session.begins() else { return }
            opened = session
            asked = try summary(try service(url, listener))
        } else {
            asked = try summary(
                JudgeProcess(
                    command: preferences.judgeCommand ?? "", patience: preferences.judgePatience,
                    prompt: try judge.prompt(isForService: false)))
        }
        guard let found = asked.summary else { throw InvalidSetting("there is no input to judge") }
        var results = PreferenceResults(
            found, names: pairs.names, inputs: pairs.inputs, first: pairs.first, second: pairs.second,
            isAccuracy: preferences.judgeComparisons != nil)
        var estimates: [AlpacaEvalWinRate.Form: AlpacaEvalWinRate.Estimate] = [:]
        var leftOut: [AlpacaEvalWinRate.Form: String] = [:]
        for form in AlpacaEvalWinRate.Form.allCases {
            if form != .minimal, difficulties == nil { continue }
            if form == .v1, gamed == nil { continue }
            if let estimate = estimate(form, found, pairs, difficulties, gamed) {
                estimates[form] = estimate
                continue
            }
            let judged = pairs.inputs.indices.filter { found.outcomes[$0] != nil }
            let usable = form == .minimal ? judged : judged.filter { difficulties?[pairs.inputs[$0]] != nil }
            leftOut[form] =
                "\(usable.count) of \(Counted(pairs.inputs.count, "input")) "
                + "\(Counted.form(usable.count, "has", "have")) a verdict\(form == .minimal ? "" : " and a difficulty"); a fit needs "
                + (form == .v1 ? "one, and \(AlpacaEvalWinRate.fewest) with the gamed ones" : "\(AlpacaEvalWinRate.fewest)")
        }
        results.add(estimates)
        results.add(leftOut: leftOut)
        if let withoutDifficulty { results.add(inputsWithoutDifficulty: withoutDifficulty) }
        if let people {
            guard let agreement = agreement(people, pairs, outcomes: found.outcomes) else { throw Self.nothingInCommon }
            results.add(agreement)
        }
        if let ledger = asked.ledger { results.add(ledger) }
        try finish(results, listener, opened)
    }

    /// One of alpaca_eval's estimates; nil if there are too few comparisons.
    private func estimate(
        _ form: AlpacaEvalWinRate.Form, _ found: PairwiseJudging.Summary, _ pairs: JudgedPairs, _ difficulties: [String: Double]?,
        _ gamed: [AlpacaEvalWinRate.GamedComparison]?
    ) -> AlpacaEvalWinRate.Estimate? {
        let outcomes = found.outcomes
        return AlpacaEvalWinRate.estimate(
            form,
            of: pairs.inputs.indices.map {
                .init(outcome: outcomes[$0], first: pairs.first[$0], second: pairs.second[$0], difficulty: difficulties?[pairs.inputs[$0]])
            }, gamed: gamed ?? [])
    }

    /// The judge that asks an HTTP service.
    private func service(_ url: String, _ listener: ReportListener) throws -> any PairwiseJudge {
        guard let make = listener.judgeService else {
            throw InvalidSetting("--judge-url needs ReportListener.judgeService, which creates the judge")
        }
        let file: URL
        if let path = judge.judgeCache {
            file = URL(fileURLWithPath: path)
        } else {
            try FileManager.default.createDirectory(at: runs, withIntermediateDirectories: true)
            file = runs.appendingPathComponent("judge-cache.jsonl")
        }
        let cache = try JudgeCache(file)
        if !cache.damagedLines.isEmpty {
            let lines = cache.damagedLines.prefix(10).map(String.init).joined(separator: ", ")
            listener.note("\(file.path): \(Counted(cache.damagedLines.count, "incomplete line")) skipped (line \(lines))")
        }
        return try make(JudgeServiceRequest(url: url, chat: try judge.chat(seed: run.seed), cache: cache, settings: judge))
    }

    private typealias PeopleAnswers = (tasks: [PairwiseTask], outcomes: [(task: String, outcome: Double)])

    private static let nothingInCommon = InvalidSetting(
        "none of the answered tasks in --preference-tasks is about the texts that are judged")

    private func agreement(_ people: PeopleAnswers, _ pairs: JudgedPairs, outcomes: [Double?]) -> PeopleAgreement? {
        PeopleAgreement(
            inputs: pairs.inputs, first: pairs.first, second: pairs.second, outcomes: outcomes, tasks: people.tasks, people: people.outcomes
        )
    }

    /// The tasks that people answered in addition to the judge, and the outcome of each; nil without `preferenceAnswers`.
    private func answersOfPeople(_ listener: ReportListener) throws -> PeopleAnswers? {
        guard !preferences.preferenceAnswers.isEmpty else { return nil }
        let tasks = try self.pairs(in: URL(fileURLWithPath: preferences.preferenceTasks ?? ""))
        let known = Set(tasks.map(\.id))
        let rows: [PairwiseAnswer] = try readAnswers(listener) { try PairwiseAnalysis.check($0, tasks: known) }
        let outcomes = try preferences.analysis.outcomes(tasks: tasks, answers: rows)
        guard !outcomes.isEmpty else {
            throw InvalidSetting(
                "\(preferences.preferenceAnswers.joined(separator: ", ")) has no usable answer to any task of "
                    + (preferences.preferenceTasks ?? ""))
        }
        return (tasks, outcomes)
    }
}
