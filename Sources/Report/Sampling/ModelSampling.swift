import Formats
import Foundation
import Models
import Runs
public import Study
import Tensor
import TextGeneration

/// Shows what models write: prompts from a person, a pipe or a file, and the answers of one or several models to each of them.
///
/// The draws of a prompt depend on the seed and the number of the prompt alone.
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

    /// Prompts that are answered together where nobody watches the answers grow.
    private static let promptsPerPass = 32

    public func run(_ listener: ReportListener) throws {
        try validate()
        let output = models.answersOutput.map { URL(fileURLWithPath: $0) }
        if let output {
            let read = [models.prompts].compactMap { $0 }.filter { $0 != "-" }.map { URL(fileURLWithPath: $0) }
            try OutputFile.check(output, option: "--answers-output", isNoneOf: read)
        }
        let runs = URL(fileURLWithPath: measuring.outputDir, isDirectory: true)
        let base = adapterBase.adapterBase.map { URL(fileURLWithPath: $0) }
        let rows = try measuring.computing {
            try Compute.$precision.withValue(Compute.Precision(rawValue: models.dtype) ?? .f32) {
                let answering = try models.models.map {
                    try PromptedModel($0, models, base: base, runs: runs, note: listener.note)
                }
                if let file = models.prompts, file != "-" { return try answer(file: file, answering, listener) }
                return try answerLines(answering, listener)
            }
        }
        guard let output else { return }
        try JSONLines<SampledAnswer>(output).write(rows)
        listener.note("\(output.path): \(rows.count) answers")
    }

    private var options: SamplingOptions { sampling.options(samples: true) }

    private func random(_ prompt: Int) -> Philox { Philox(seed: measuring.seed).split("samples").split(UInt64(prompt)) }

    // MARK: Standard input

    /// Answers line after line, as they come. A prompt that a model cannot take is reported, and the next one is read.
    private func answerLines(_ answering: [PromptedModel], _ listener: ReportListener) throws -> [SampledAnswer] {
        if listener.isInteractive {
            listener.note("type a prompt and press Enter; Control-D exits")
        }
        var rows: [SampledAnswer] = []
        var number = 0
        while number < models.maxPrompts ?? .max {
            if listener.isInteractive { listener.write("> ") }
            guard let line = listener.readLine() else { break }
            guard !line.allSatisfy(\.isWhitespace) else { continue }
            number += 1
            for model in answering {
                do {
                    let prompt = try model.prompt(line, id: "\(number)")
                    rows += try answerOne(prompt, number: number, model, isAlone: answering.count == 1, listener)
                } catch let error as GenerationError where listener.isInteractive {
                    listener.note("\(model.name): \(error)")
                }
            }
        }
        if listener.isInteractive { listener.write("\n") }
        guard number > 0 || listener.isInteractive else { throw InvalidSetting("standard input has no prompts; expected one per line") }
        return rows
    }

    /// Answers one prompt and shows the answers, as they grow where there is one.
    private func answerOne(
        _ prompt: ModelPrompt, number: Int, _ model: PromptedModel, isAlone: Bool, _ listener: ReportListener
    ) throws -> [SampledAnswer] {
        let count = models.numReturnSequences
        if !isAlone { listener.show("\(model.name):") }
        let streams = count == 1
        let answers = try model.answers(
            to: [prompt], options: options, randoms: [random(number - 1)], onText: streams ? { listener.write($0) } : nil)[0]
        if streams {
            listener.write("\n")
        } else {
            for (place, answer) in zip(1..., answers) { listener.show("[\(place)] \(answer.text)") }
        }
        return answers.map { SampledAnswer(prompt, model: model.name, $0) }
    }

    // MARK: Files

    private func answer(file: String, _ answering: [PromptedModel], _ listener: ReportListener) throws -> [SampledAnswer] {
        let prompts = try prompts(in: file, answering, listener.note)
        let count = prompts.first?.count ?? 0
        let isShown = models.answersOutput == nil
        let clock = ContinuousClock.now
        try listener.report(.began(stage: "samples", totalSteps: count))
        var rows: [SampledAnswer] = []
        var tokens = 0
        for start in stride(from: 0, to: count, by: Self.promptsPerPass) {
            let places = start..<min(count, start + Self.promptsPerPass)
            let answers = try zip(answering, prompts).map { model, prompts in
                try model.answers(to: Array(prompts[places]), options: options, randoms: places.map(random))
            }
            for place in places {
                if isShown { listener.show((place > 0 ? "\n" : "") + "prompt \(prompts[0][place].id): \(prompts[0][place].text)") }
                for (number, model) in answering.enumerated() {
                    for answer in answers[number][place - start] {
                        if isShown { listener.show("\(model.name): \(answer.text)") }
                        rows.append(SampledAnswer(prompts[number][place], model: model.name, answer))
                        tokens += answer.tokens.count
                    }
                }
            }
            try listener.report(.progressed(step: places.upperBound, totalSteps: count, tokens: tokens, figure: nil))
        }
        try listener.report(.ended(stage: "samples", seconds: clock.duration(to: .now) / .seconds(1)))
        return rows
    }

    /// The prompts of a file, for each model.
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
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }.prefix(models.maxPrompts ?? .max)
        guard !lines.isEmpty else { throw FormatError.badFile(path: file, reason: "it has no prompts; expected one per line") }
        return try answering.map { model in
            try zip(1..., lines).map { number, line in try model.prompt(String(line), id: "\(number)") }
        }
    }
}

/// A row of the file of answers.
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
