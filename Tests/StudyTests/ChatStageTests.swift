import Data
import Eval
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Stages on rows that hold messages.
@Suite struct ChatStageTests {
    private let folder: TemporaryFolder
    private let template =
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ eos_token }}"
        + "{% endgeneration %}{% else %}{{ m.content }}\n{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}"

    init() throws {
        folder = try TemporaryFolder()
        func message(_ role: String, _ content: String) -> String { "{\"role\": \"\(role)\", \"content\": \"\(content)\"}" }
        let rows = (0..<8).map { "{\"messages\": [\(message("user", "say \($0)")), \(message("assistant", "\($0) it is"))]}" }
        let pairs = (0..<8).map {
            "{\"prompt\": [\(message("user", "say \($0)"))], \"chosen\": [\(message("assistant", "\($0)"))], "
                + "\"rejected\": [\(message("assistant", "no"))]}"
        }
        for (name, lines) in [("chats", rows), ("pairs", pairs)] {
            try FileManager.default.createDirectory(at: folder[name], withIntermediateDirectories: true)
            for split in ["train", "validation", "test"] {
                try Foundation.Data(lines.joined(separator: "\n").utf8).write(to: folder["\(name)/\(split).jsonl"])
            }
        }
        try Foundation.Data(template.utf8).write(to: folder["mine.jinja"])
    }

    private var supervised: SFTStage {
        var stage = SFTStage()
        stage.model.fromScratch = true
        stage.model.vocabularySize = 280
        (stage.model.hiddenSize, stage.model.intermediateSize) = (16, 24)
        (stage.model.numHiddenLayers, stage.model.numAttentionHeads) = (2, 2)
        stage.data.dataset = folder["chats"].path
        stage.training.maxSteps = 2
        stage.training.perDeviceTrainBatchSize = 4
        stage.run.threads = 1
        return stage
    }

    @Test("a model keeps the template that it was trained with, and later stages use it")
    func templateGoesWithTheModel() throws {
        var first = supervised
        first.data.chatTemplate = folder["mine.jinja"].path
        let run = try first.run(in: folder["sft"])
        #expect(try String(contentsOf: run.result.appendingPathComponent("chat_template.jinja"), encoding: .utf8) == template)
        let tokenizer = try TokenizerFolder.load(from: run.result)
        let begin = tokenizer.beginOfSequence.map { tokenizer.decode([$0], skippingSpecialTokens: false) } ?? ""

        var best = BestOfNStage()
        best.bestOfN.modelName = folder["sft"].path
        best.bestOfN.numReturnSequences = 2
        best.bestOfN.evaluationSplits = ["test"]
        best.data.dataset = folder["chats"].path
        best.sampling.maxNewTokens = 4
        best.run.threads = 1
        var environment = StageEnvironment()
        environment.reward = ClosureReward { requests in requests.map { Double($0.response.count) } }
        let rows = try best.run(in: folder["bon"], environment).table("test")
        #expect(rows.first?.input == begin + "[user] say 0\n[assistant] " && rows.first?.reference == "0 it is")

        var reward = RewardModelStage()
        reward.comparisons.modelName = folder["sft"].path
        reward.data.dataset = folder["pairs"].path
        reward.training.maxSteps = 2
        reward.training.perDeviceTrainBatchSize = 4
        reward.run.threads = 1
        let model = try reward.run(in: folder["rm"]).result
        #expect(FileManager.default.fileExists(atPath: model.appendingPathComponent("chat_template.jinja").path))
    }

    @Test("messages for a model without a template are an error that says what to do; none joins their texts")
    func withoutATemplate() throws {
        let error = #expect(throws: DataError.self) { try supervised.run(in: folder["a"]) }
        let words = error.map { "\($0)" } ?? ""
        #expect(words.contains("has messages") && words.contains("has no chat template") && words.contains("--chat-template"), "\(words)")
        var joined = supervised
        joined.data.chatTemplate = "none"
        try joined.run(in: folder["b"])
    }

    @Test("a template that is not there, or is none, is named")
    func badTemplates() throws {
        var stage = supervised
        stage.data.chatTemplate = folder["missing.jinja"].path
        #expect("\(String(describing: #expect(throws: (any Error).self) { try stage.run(in: folder["c"]) }))".contains("missing.jinja"))
        try Foundation.Data("{% if %}".utf8).write(to: folder["bad.jinja"])
        stage.data.chatTemplate = folder["bad.jinja"].path
        #expect("\(String(describing: #expect(throws: DataError.self) { try stage.run(in: folder["d"]) }))".contains("bad.jinja: line 1"))
    }

    /// A run belongs to the text of its template as it does to its options; once it is complete the file may go.
    @Test("a template whose text changes between start and resumption is refused")
    func changedTemplate() throws {
        var stage = supervised
        stage.data.chatTemplate = folder["mine.jinja"].path
        var environment = StageEnvironment()
        environment.shouldStop = { true }
        #expect(throws: RunStopped.self) { try stage.run(in: folder["sft"], environment) }
        try Foundation.Data((template + " ").utf8).write(to: folder["mine.jinja"])
        let error = #expect(throws: RunFolderError.self) { try stage.run(in: folder["sft"]) }
        #expect(
            error
                == .otherOptions(
                    path: folder["sft"].path, differences: ["chat_template: the content of \(folder["mine.jinja"].path) has changed"]))
        try Foundation.Data(template.utf8).write(to: folder["mine.jinja"])
        try stage.run(in: folder["sft"])
        try FileManager.default.removeItem(at: folder["mine.jinja"])
        try stage.run(in: folder["sft"])
    }

    @Test("what the template of --chat-template does with a row is said with that file's name")
    func namesTheGivenFile() throws {
        var stage = supervised
        stage.data.chatTemplate = folder["strict.jinja"].path
        try Foundation.Data("{{ bos_token }}{{ raise_exception('never') }}".utf8).write(to: folder["strict.jinja"])
        let words = "\(String(describing: #expect(throws: DataError.self) { try stage.run(in: folder["a"]) }))"
        #expect(words.contains("\(folder["strict.jinja"].path): the template rejects the conversation: never"), "\(words)")
        #expect(!words.contains("chat_template.jinja"))
    }

    // MARK: Rows that a template refuses

    /// Rows of which a template refuses one, and renders another to nothing.
    private func withRefusals() throws {
        func message(_ role: String, _ content: String) -> String { "{\"role\": \"\(role)\", \"content\": \"\(content)\"}" }
        let texts = ["fine", "bad", "well", "void", "good", "nice", "sound", "true"]
        let rows = texts.map { "{\"id\": \"\($0)\", \"messages\": [\(message("user", $0)), \(message("assistant", "it is"))]}" }
        let pairs = texts.map {
            "{\"id\": \"\($0)\", \"prompt\": [\(message("user", $0))], \"chosen\": [\(message("assistant", "a"))], "
                + "\"rejected\": [\(message("assistant", "b"))]}"
        }
        for (name, lines) in [("chats", rows), ("pairs", pairs)] {
            for split in ["train", "validation", "test"] {
                try Foundation.Data(lines.joined(separator: "\n").utf8).write(to: folder["\(name)/\(split).jsonl"])
            }
        }
        let strict =
            "{% if messages[0].content == 'bad' %}{{ raise_exception('not bad') }}{% endif %}"
            + "{% if messages[0].content != 'void' %}\(template){% endif %}"
        try Foundation.Data(strict.utf8).write(to: folder["strict.jinja"])
    }

    @Test("conversations that the template refuses or renders to nothing are left out and counted where bad rows are")
    func skipsRefusedConversations() throws {
        try withRefusals()
        var stage = supervised
        stage.data.chatTemplate = folder["strict.jinja"].path
        let words = "\(String(describing: #expect(throws: DataError.self) { try stage.run(in: folder["fail"]) }))"
        #expect(words.contains("row bad: \(folder["strict.jinja"].path): the template rejects the conversation: not bad"), "\(words)")

        stage.data.onBadRow = "skip"
        stage.evaluation.doEval = true
        stage.sampling.maxNewTokens = 2
        var notes: [String] = []
        var environment = StageEnvironment()
        environment.sinks = [ClosureSink { event in if case .noted(let text) = event { notes.append(text) } }]
        let run = try stage.run(in: folder["sft"], environment)
        // two of eight in each of train and validation and test
        let line = notes.first { $0.hasPrefix("chat template: ") } ?? ""
        #expect(line.hasPrefix("chat template: 18 rows read, 6 skipped (first: row bad: ") && line.contains("not bad"), "\(notes)")
        #expect(try run.table("test").map(\.id) == ["fine", "well", "good", "nice", "sound", "true"])

        var best = BestOfNStage()
        best.bestOfN.modelName = folder["sft"].path
        best.bestOfN.numReturnSequences = 2
        best.bestOfN.evaluationSplits = ["test"]
        best.data.dataset = folder["chats"].path
        best.data.onBadRow = "skip"
        best.sampling.maxNewTokens = 2
        best.run.threads = 1
        environment.reward = ClosureReward { requests in requests.map { Double($0.response.count) } }
        let drawn = try best.run(in: folder["bon"], environment).table("test")
        #expect(Set(drawn.map(\.id)) == ["fine", "well", "good", "nice", "sound", "true"])

        var reward = RewardModelStage()
        reward.comparisons.modelName = folder["sft"].path
        reward.data.dataset = folder["pairs"].path
        reward.data.onBadRow = "skip"
        reward.training.maxSteps = 1
        reward.training.perDeviceTrainBatchSize = 4
        reward.run.threads = 1
        notes = []
        try reward.run(in: folder["rm"], environment)
        #expect(notes.contains { $0.hasPrefix("chat template: 18 rows read, 6 skipped (first: row bad: ") }, "\(notes)")
    }
}
