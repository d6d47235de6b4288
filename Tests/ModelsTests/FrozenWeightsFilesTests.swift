import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// What is saved of models whose frozen weights are held in narrower formats, and adapters beside them.
@Suite struct FrozenWeightsFilesTests {
    private static let narrow: [FrozenFormat] = [.bf16, .int8]

    private func contents(_ folder: URL) throws -> [String: Data] {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return Dictionary(uniqueKeysWithValues: try files.map { ($0.lastPathComponent, try Data(contentsOf: $0)) })
    }

    /// Everything that can be written of a model, in a new folder.
    private func saved(_ model: LanguageModel, to folder: URL) throws -> [String: Data] {
        var all: [String: Data] = [:]
        func add(_ name: String, _ write: (URL) throws -> Void) throws {
            let target = folder.appendingPathComponent(name)
            try write(target)
            for (file, data) in try contents(target) { all["\(name)/\(file)"] = data }
        }
        try add("f32") { try model.save(to: $0) }
        try add("bf16") { try model.save(to: $0, as: .bfloat16) }
        try add("checkpoint") { try model.save(to: $0, keepingFrozen: true) }
        try add("classifier") { try model.saveClassifier(to: $0) }
        for type in LanguageModel.GGUFType.allCases {
            try add("gguf-\(type)") { target in
                try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
                try model.saveGGUF(to: target.appendingPathComponent("model.gguf"), as: type)
            }
        }
        return all
    }

    private func expectSame(_ first: [String: Data], _ second: [String: Data], _ label: String) {
        #expect(!first.isEmpty && first.keys.sorted() == second.keys.sorted())
        for (name, data) in first {
            let isSame = data == second[name]
            #expect(isSame, "\(label): \(name)")
        }
    }

    @Test("files have the numbers as they were read", arguments: [ElementType.float32, .bfloat16, .float16], narrow)
    func files(type: ElementType, format: FrozenFormat) throws {
        try withTemporaryFolder { folder in
            let start = folder.appendingPathComponent("start")
            try FrozenModels.save(type, to: start)
            let model = try FrozenModels.load(start)
            let before = try saved(model, to: folder.appendingPathComponent("before"))
            let held = try FrozenWeights.hold([model.decoder], as: format)
            #expect(held.after < held.before || type != .float32 && format == .bf16)
            let after = try saved(model, to: folder.appendingPathComponent("after"))
            expectSame(before, after, "held")
            // and so do those of a run that resumes from the checkpoint
            let resumed = try FrozenModels.load(folder.appendingPathComponent("after/checkpoint"))
            try FrozenWeights.hold([resumed.decoder], as: format)
            for (a, b) in zip(model.decoder.parameters, resumed.decoder.parameters) {
                // what is trained is stored as floats
                let hasFormat = a.isTrainable || a.value.storage.format == b.value.storage.format
                #expect(a.value.isIdentical(to: b.value) && hasFormat, "\(a.name)")
            }
            expectSame(after, try saved(resumed, to: folder.appendingPathComponent("resumed")), "resumed")
        }
    }

    /// Without a file, the rounded numbers are all there is; they are the same after a checkpoint.
    @Test("weights that come from no file", arguments: narrow)
    func withoutFile(format: FrozenFormat) throws {
        try withTemporaryFolder { folder in
            let model = LanguageModel(decoder: FrozenModels.reference(of: try TinyModel.llama()), head: TinyModel.head())
            try FrozenWeights.hold([model.decoder], as: format)
            let values = model.decoder.parameters.map(\.value)
            let first = try saved(model, to: folder.appendingPathComponent("first"))
            let resumed = try LanguageModel.load(folder.appendingPathComponent("first/checkpoint"))
            resumed.decoder.parameters.forEach { $0.isTrainable = false }
            for (parameter, value) in zip(resumed.decoder.parameters, values) { #expect(parameter.value.isIdentical(to: value)) }
            try FrozenWeights.hold([resumed.decoder], as: format)
            for (parameter, value) in zip(resumed.decoder.parameters, values) {
                #expect(parameter.value.isIdentical(to: value) && parameter.value.storage.format == value.storage.format)
            }
            expectSame(first, try saved(resumed, to: folder.appendingPathComponent("second")), "resumed")
        }
    }

    /// GGUF's blocks of what is held in blocks are the same blocks.
    @Test func blocksOfGGUF() throws {
        try withTemporaryFolder { folder in
            try FrozenModels.save(.float32, to: folder.appendingPathComponent("start"))
            let decoder = FrozenModels.reference(of: try FrozenModels.load(folder.appendingPathComponent("start")).decoder)
            // in memory that no file has
            for parameter in decoder.parameters { parameter.value.update { _ in } }
            try FrozenWeights.hold([decoder], as: .int8)
            let file = folder.appendingPathComponent("model.gguf")
            try LanguageModel(decoder: decoder).saveGGUF(to: file, as: .q8_0)
            for (a, b) in zip(try LanguageModel.load(file).decoder.parameters, decoder.parameters) where FrozenModels.isHeld(b) {
                #expect(a.name == b.name && a.value.isIdentical(to: b.value), "\(a.name)")
            }
        }
    }

    /// Blocks whose largest integer is not 127 are rounded again in memory, and stay as they were in files.
    @Test func foreignBlocks() throws {
        try withTemporaryFolder { folder in
            try FrozenModels.save(.float32, to: folder.appendingPathComponent("start"))
            let urls = ["made", "foreign", "again"].map { folder.appendingPathComponent("\($0).gguf") }
            try FrozenModels.load(folder.appendingPathComponent("start")).saveGGUF(to: urls[0], as: .q8_0)
            var bytes = try bytes(of: urls[0])
            let entries = try GGUFFile(urls[0]).entries
            let place = try #require(entries.first { $0.name == "token_embd.weight" }).range.lowerBound
            for index in place + 2..<place + 34 { bytes[index] = UInt8(index % 5) }
            try Data(bytes).write(to: urls[1])
            let decoder = FrozenModels.reference(of: try LanguageModel.load(urls[1]).decoder)
            let values = decoder.parameters.map(\.value)
            try FrozenWeights.hold([decoder], as: .int8)
            for (parameter, value) in zip(decoder.parameters, values) {
                let isForeign = parameter === decoder.embeddingParameters[0]
                #expect(parameter.value.sharesMemory(with: value) != isForeign, "\(parameter.name)")
                #expect(parameter.value.unrounded.isIdentical(to: value), "\(parameter.name)")
            }
            try LanguageModel(decoder: decoder).saveGGUF(to: urls[2], as: .q8_0)
            let saved = try tensorBytes(urls[2])
            for (name, data) in try tensorBytes(urls[1]) { #expect(saved[name] == data, "\(name)") }
        }
    }

    private func tensorBytes(_ file: URL) throws -> [String: [UInt8]] {
        let all = try bytes(of: file)
        return Dictionary(uniqueKeysWithValues: try GGUFFile(file).entries.map { ($0.name, Array(all[$0.range])) })
    }

    @Test("adapters are merged into the numbers as they were read", arguments: narrow, [false, true])
    func merging(format: FrozenFormat, decomposes: Bool) throws {
        try withTemporaryFolder { folder in
            let start = folder.appendingPathComponent("start")
            try FrozenModels.save(.bfloat16, to: start)
            let base = try FrozenModels.load(start).decoder
            let decoder = try base.adapted(
                by: AdapterConfiguration(rank: 3, decomposesWeights: decomposes), base: start.path, using: Philox(seed: 2))
            decoder.shakeAdapter()
            let folders = ["before", "after"].map { folder.appendingPathComponent($0) }
            try LanguageModel(decoder: decoder).merged().save(to: folders[0])
            try FrozenWeights.hold([decoder, base], as: format)
            let isHeld = decoder.parameters.filter(FrozenModels.isHeld).allSatisfy { $0.value.storage.narrow != nil }
            #expect(isHeld)
            try LanguageModel(decoder: decoder).merged().save(to: folders[1])
            expectSame(try contents(folders[0]), try contents(folders[1]), "merged")
        }
    }

    @Test("gradients through held weights are those through the same numbers as floats", arguments: narrow, Compute.Precision.allCases)
    func gradients(format: FrozenFormat, precision: Compute.Precision) throws {
        try withTemporaryFolder { folder in
            let start = folder.appendingPathComponent("start")
            try FrozenModels.save(.float32, to: start)
            let held = try FrozenModels.load(start).decoder.adapted(
                by: AdapterConfiguration(rank: 3), base: start.path, using: Philox(seed: 2))
            held.shakeAdapter()
            try FrozenWeights.hold([held], as: format)
            let wide = held.copy()
            for parameter in wide.parameters { parameter.value = parameter.value.widened() }
            let batch = TokenBatch([[5, 6, 7, 8, 9, 10]])
            let losses = [held, wide].map { decoder in
                Compute.$precision.withValue(precision) {
                    let tape = Tape()
                    let loss = decoder.crossEntropy(
                        decoder.hidden(batch, wanted: [0..<5], on: tape), targets: [6, 7, 8, 9, 10], rowWeights: [1, 1, 1, 1, 1], on: tape)
                    tape.backward(from: loss)
                    return loss.detached
                }
            }
            #expect(losses[0].isIdentical(to: losses[1]))
            let adapters = try [held, wide].map { try #require($0.adapter).parameters }
            for (a, b) in zip(adapters[0], adapters[1]) {
                #expect(try #require(a.gradient).isIdentical(to: try #require(b.gradient)), "\(a.name)")
            }
            #expect(held.parameters.filter(FrozenModels.isHeld).allSatisfy { $0.value.storage.narrow != nil })
        }
    }
}
