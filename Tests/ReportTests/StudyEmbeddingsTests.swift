import Diversity
import Foundation
import Report
import Runs
import Study
import Testing
import _TestSupport

/// Diversities of embeddings in a study: every text and every table is measured once.
@Suite struct StudyEmbeddingsTests {
    private let study: StudyFolder

    init() throws {
        study = try StudyFolder()
        try study.write()
        for number in [1, 2] { try study.seed(number) }
        try FileManager.default.createDirectory(at: study.folder["encoder"], withIntermediateDirectories: true)
        try Foundation.Data("weights".utf8).write(to: study.folder["encoder/model.safetensors"])
    }

    /// Vectors of the bytes of texts, and the texts that were asked for.
    private final class CountingEncoder: TextEncoder, @unchecked Sendable {
        let name = "counting"
        private(set) var texts: [String] = []

        func embeddings(of texts: [String]) throws -> [[Float]?] {
            self.texts += texts
            return texts.map { text in
                text.utf8.enumerated().reduce(into: [Float](repeating: 0, count: 8)) { $0[$1.offset % 8] += Float($1.element) - 100 }
            }
        }
    }

    private func read(_ encoder: CountingEncoder, notes: (String) -> Void = { _ in }) throws -> MethodStudy {
        try withoutActuallyEscaping(notes) { notes in
            var listener = ReportListener()
            listener.note = notes
            return try study.table { $0.embeddingModel = study.folder["encoder"].path }
                .read(study.folder.url, listener, encoder: encoder, keepsEmbeddings: true)
        }
    }

    @Test("per-input and across-input diversity of embeddings have columns, and no text is encoded twice")
    func everyTextOnce() throws {
        let encoder = CountingEncoder()
        var notes: [String] = []
        let found = try read(encoder) { notes.append($0) }
        #expect(Set(encoder.texts).count == encoder.texts.count && encoder.texts.count == 5)
        for system in found.systems {
            for values in [system.id, system.ood] {
                #expect(values[.perInputEmbedding] != nil && values[.acrossInputEmbedding] != nil)
            }
            #expect(system.gap[.perInputEmbedding] != nil)
        }
        #expect(found.markdown.contains("per-input embedding |") && found.markdown.contains("across-input embedding |"))
        let means = try found.systems.map { try #require($0.id[.perInputEmbedding]).mean }
        #expect(means.allSatisfy { $0 > 0 } && Set(means).count > 2)
        #expect(notes == zip(1..., ["SFT", "best-of-N, N 4", "A, 1", "A, 2", "B, weak"]).map { "measuring \($1) (\($0) of 5)" })
    }

    @Test("a later report finds what an earlier one has measured, but for tables, encoders and draws that are others")
    func keptMeasurements() throws {
        let first = try read(CountingEncoder())
        let encoder = CountingEncoder()
        var notes: [String] = []
        #expect(try read(encoder) { notes.append($0) } == first)
        #expect(encoder.texts.isEmpty)
        #expect(notes.last == "embeddings: 20 tables reused from an earlier report (embeddings.json), 0 measured now")
        // a table that changed
        try study.change(study.table(2, "samples-a-1", "test")) { $0.replacing("alpha", with: "omega") }
        let changed = try read(encoder)
        #expect(!encoder.texts.isEmpty && encoder.texts.allSatisfy { $0.hasPrefix("omega") } && changed != first)
        // another encoder; a file that is no record of measurements
        for damage in ["model.safetensors", "../embeddings.json"] {
            try Foundation.Data("other".utf8).write(to: study.folder["encoder/\(damage)"])
            let again = CountingEncoder()
            #expect(try read(again) == changed)
            #expect(again.texts.count == Set(again.texts).count && again.texts.count > 5)
        }
        // other draws
        let again = CountingEncoder()
        var table = study.table { $0.embeddingModel = study.folder["encoder"].path }
        table.measuring.seed = 7
        _ = try table.read(study.folder.url, encoder: again)
        #expect(!again.texts.isEmpty)
    }

    @Test("texts that are equal to Swift and have other bytes have vectors of their own")
    func bytes() throws {
        try study.change(study.table(1, "samples-sft", "test")) {
            $0.replacing("other2", with: "caf\u{e9}").replacing("other3", with: "cafe\u{301}")
        }
        let encoder = CountingEncoder()
        _ = try read(encoder)
        #expect(Set(encoder.texts.map { Array($0.utf8) }).count == 7)
    }
}
