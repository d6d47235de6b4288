import Formats
import Foundation
import Models
import Runs
public import Study
import Tensor
import TextGeneration

/// Samples from one or several models: at a prompt on the terminal, from a pipe, or for the prompts of a file.
///
/// The answers to a prompt depend only on the seed, the prompt and its number.
public struct ModelSampling: ReportTask {
    /// Which models and prompts.
    public var models = ModelSamplingSettings()
    /// How answers are drawn.
    public var sampling = SamplingSettings()
    /// The base model of adapters.
    public var adapterBase = AdapterBaseSettings()
    /// Where runs are, the seed and the threads.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    public static var groups: [SettingsGroup<ModelSampling>] {
        [.init(\.models), .init(\.sampling), .init(\.adapterBase), .init(\.measuring)]
    }

    /// Number of prompts of a file that are answered in one batch.
    private static let promptsPerPass = 32

    public func run(_ listener: ReportListener) throws {
        try validate()
        var output = try models.answersOutput.map { path in
            let read = [models.prompts].compactMap { $0 }.filter { $0 != "-" } + models.models
            return try AnswerFile(path, isNoneOf: read.map { URL(fileURLWithPath: $0) })
        }
        let runs = URL(fileURLWithPath: measuring.outputDir, isDirectory: true)
        let base = adapterBase.adapterBase.map { URL(fileURLWithPath: $0) }
        do {
            try measuring.computing {
                try Compute.$precision.withValue(Compute.Precision(rawValue: models.dtype) ?? .f32) {
                    let answering = try models.models.map {
                        try PromptedModel($0, models, base: base, runs: runs, note: listener.note)
                    }
                    if let file = models.prompts, file != "-" {
                        try answer(file: file, answering, listener, into: &output)
                    } else {
                        try answerLines(answering, listener, into: &output)
                    }
                }
            }
        } catch {
            // what was answered before the error is kept
            _ = try? output?.write()
            throw error
        }
        guard let path = models.answersOutput, let count = try output?.write() else { return }
        listener.note("\(path): \(Counted(count, "answer"))")
    }

    private var options: SamplingOptions { sampling.options(samples: true) }

    private func random(_ prompt: Int) -> Philox { Philox(seed: measuring.seed).split("samples").split(UInt64(prompt)) }

    // MARK: Standard input

    /// Answers standard input line by line. On a terminal, an invalid prompt is reported and the next one is read; in a pipe it is an error.
    private func answerLines(_ answering: [PromptedModel], _ listener: ReportListener, into output: inout AnswerFile?) throws {
        if listener.isInteractive {
            listener.note("type a prompt and press Enter; Control-D exits")
        }
        var number = 0
        while number < models.maxPrompts ?? .max {
            if listener.isInteractive { listener.write("> ") }
            guard let line = listener.readLine() else { break }
            guard !line.allSatisfy(\.isWhitespace) else { continue }
            number += 1
            for model in answering {
                do {
                    let prompt = try model.prompt(line, id: "\(number)")
                    let rows = try answerOne(prompt, number: number, model, isAlone: answering.count == 1, listener)
                    try output?.add(rows, isUrgent: listener.isInteractive)
                } catch let error as InvalidPrompt where listener.isInteractive {
                    listener.note("\(error)")
                }
            }
            try listener.checkOutput()
        }
        if listener.isInteractive { listener.write("\n") }
        guard number > 0 || listener.isInteractive else { throw InvalidSetting("standard input has no prompts; expected one per line") }
    }

    /// Answers one prompt. A single answer is streamed; several are shown when they are complete.
    private func answerOne(
        _ prompt: ModelPrompt, number: Int, _ model: PromptedModel, isAlone: Bool, _ listener: ReportListener
    ) throws -> [SampledAnswer] {
        let count = models.numReturnSequences
        if !isAlone { listener.write("\(model.name): ") }
        let streams = count == 1
        let answers = try model.answers(
            to: [prompt], options: options, randoms: [random(number - 1)], maxActive: sampling.maxActive(),
            onText: streams ? { listener.write($0) } : nil)[0]
        if streams {
            listener.write("\n")
        } else {
            listener.write((isAlone ? "" : "\n") + zip(1..., answers).map { "[\($0)] \($1.text)\n" }.joined())
        }
        return answers.map { SampledAnswer(prompt, model: model.name, $0) }
    }

    // MARK: Files

    private func answer(file: String, _ answering: [PromptedModel], _ listener: ReportListener, into output: inout AnswerFile?) throws {
        let prompts = try prompts(in: file, answering, listener.note)
        let count = prompts.first?.count ?? 0
        let isShown = models.answersOutput == nil
        let clock = ContinuousClock.now
        try listener.report(.began(stage: "samples", totalSteps: count, unit: "prompt"))
        var tokens = 0
        for start in stride(from: 0, to: count, by: Self.promptsPerPass) {
            let places = start..<min(count, start + Self.promptsPerPass)
            let answers = try zip(answering, prompts).map { model, prompts in
                try model.answers(
                    to: Array(prompts[places]), options: options, randoms: places.map(random), maxActive: sampling.maxActive())
            }
            for place in places {
                if isShown { listener.write((place > 0 ? "\n" : "") + "prompt \(prompts[0][place].id): \(prompts[0][place].text)\n") }
                for (number, model) in answering.enumerated() {
                    for answer in answers[number][place - start] {
                        if isShown { listener.write("\(model.name): \(answer.text)\n") }
                        try output?.add([SampledAnswer(prompts[number][place], model: model.name, answer)], isUrgent: false)
                        tokens += answer.tokens.count
                    }
                }
            }
            try listener.checkOutput()
            try listener.report(.progressed(step: places.upperBound, totalSteps: count, tokens: tokens, figure: nil))
        }
        try listener.report(.ended(stage: "samples", seconds: clock.duration(to: .now) / .seconds(1)))
    }

    /// The prompts of a file, as each model reads them.
    private func prompts(in file: String, _ answering: [PromptedModel], _ note: (String) -> Void) throws -> [[ModelPrompt]] {
        guard !models.readsRows else {
            return try answering.enumerated().map { number, model in
                try model.prompts(ofRows: file, newTokens: sampling.maxNewTokens) { if number == 0 { note($0) } }
            }
        }
        let bytes = try Descriptor.content(of: file, limit: 1 << 28)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FormatError.badFile(path: file, reason: "it is not valid UTF-8; expected a text file with one prompt per line")
        }
        // lines as standard input has them: a carriage return is part of the line end, other separators are text
        let lines = text.unicodeScalars.split(separator: "\n").map { String($0.last == "\r" ? $0.dropLast() : $0) }.filter {
            !$0.allSatisfy(\.isWhitespace)
        }.prefix(models.maxPrompts ?? .max)
        guard !lines.isEmpty else { throw FormatError.badFile(path: file, reason: "it has no prompts; expected one per line") }
        return try answering.map { model in
            try zip(1..., lines).map { number, line in try model.prompt(line, id: "\(number)") }
        }
    }
}

/// A row of the output file.
struct SampledAnswer: Codable, Equatable {
    var id, model, prompt, response: String
    var tokens: Int
    var finish: String

    init(_ prompt: ModelPrompt, model: String, _ answer: GeneratedText) {
        (id, self.model, self.prompt, response, tokens) = (prompt.id, model, prompt.text, answer.text, answer.tokens.count)
        finish =
            switch answer.finish {
            case .endOfSequence: "end_of_sequence"
            case .stopString: "stop_string"
            case .length: "length"
            }
    }
}
