import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Adapters that PEFT saved against what PEFT computes with them.
@Suite struct AdapterParityTests {
    @Test("logits with the adapter, without it and after merging", arguments: AdapterFixture.all)
    func logits(_ name: String) throws {
        let fixture = try AdapterFixture(name)
        let (bare, merged) = (fixture.decoder.withoutAdapter(), fixture.decoder.merged())
        let plain = try LanguageModel.load(Fixtures.url("models/\(fixture.expected.model)")).decoder
        #expect(fixture.expected.sequences.count == 2)
        for (index, sequence) in fixture.expected.sequences.enumerated() {
            func stored(_ name: String) throws -> Tensor { try #require(fixture.tensors["\(name).\(index)"]).tensor }
            func found(_ decoder: any TransformerDecoder) -> Tensor { decoder.logits(decoder.alone(sequence.tokens)) }
            expectSmallError(found(fixture.decoder), try stored("logits"), 1e-5, name)
            expectSmallError(found(merged), try stored("merged"), 1e-5, "\(name) merged")
            expectSmallError(found(bare), try stored("base"), 1e-5, "\(name) bare")
            #expect(found(bare).isIdentical(to: found(plain)), "without its adapter the model is the one that it was, bit for bit")
            #expect((try stored("logits") - stored("base")).sumOfSquares() > 0.01 * (try stored("base").sumOfSquares()))
        }
    }

    @Test("loss and every gradient of the adapter, and none of anything else", arguments: AdapterFixture.all)
    func gradients(_ name: String) throws {
        let fixture = try AdapterFixture(name)
        let decoder = fixture.decoder
        for recomputes in [false, true] {
            decoder.parameters.forEach { $0.clearGradient() }
            let tape = Tape(recomputingLayers: recomputes)
            let loss = fixture.loss(decoder, on: tape)
            expectClose([loss.item], [fixture.expected.loss], relative: 1e-5, absolute: 0, label: name)
            tape.backward(from: loss)
            let adapter = try #require(decoder.adapter)
            #expect(adapter.parameters.map { "base_model.model.\($0.name)" }.sorted() == fixture.expected.trainable)
            var squares = 0.0
            for parameter in adapter.parameters {
                let expected = try #require(fixture.tensors["gradients.base_model.model.\(parameter.name)"]).tensor
                let found = try #require(parameter.gradient, "\(name) \(parameter.name)")
                squares += found.sumOfSquares()
                expectSmallError(found, expected, 1e-4, "\(name) \(parameter.name)")
            }
            expectClose([squares.squareRoot()], [fixture.expected.gradientNorm], relative: 1e-4, absolute: 0, label: name)
            let trained = Set(decoder.parameters.filter(\.isTrainable).map(\.name))
            #expect(trained == Set(adapter.parameters.map(\.name)))
            #expect(decoder.parameters.allSatisfy { ($0.gradient != nil) == trained.contains($0.name) })
            #expect(decoder.parameterCounts.trainable == adapter.parameters.reduce(0) { $0 + $1.value.count })
        }
    }

    @Test("four steps of AdamW on the adapter", arguments: AdapterFixture.all)
    func steps(_ name: String) throws {
        let fixture = try AdapterFixture(name)
        let trained = fixture.decoder.parameters.filter(\.isTrainable)
        let before = fixture.decoder.withoutAdapter().parameters.map(\.value)
        var first = trained.map { Tensor.zeros($0.value.shape) }
        var second = first
        var losses: [Float] = []
        for number in 1...4 {
            trained.forEach { $0.clearGradient() }
            let tape = Tape()
            let loss = fixture.loss(fixture.decoder, on: tape)
            losses.append(loss.item)
            tape.backward(from: loss)
            let step = AdamStep(
                learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, number: number, gradientScale: 1)
            for (index, parameter) in trained.enumerated() {
                step.apply(
                    gradient: try #require(parameter.gradient), to: &parameter.value, first: &first[index], second: &second[index])
            }
        }
        expectClose(losses, fixture.expected.adamWLosses, relative: 2e-5, absolute: 0, label: name)
        for (new, old) in zip(fixture.decoder.withoutAdapter().parameters, before) { #expect(new.value.sharesMemory(with: old)) }
    }

    @Test("merged weights, and only those that are adapted take memory", arguments: AdapterFixture.all)
    func merged(_ name: String) throws {
        let fixture = try AdapterFixture(name)
        let (decoder, merged) = (fixture.decoder, fixture.decoder.merged())
        #expect(merged.adapter == nil && merged.parameters.allSatisfy { $0.isTrainable })
        var compared = 0
        for (key, tensor) in fixture.tensors where key.hasPrefix("merged.weight.") {
            let parameter = try #require(merged.parameters.first { key == "merged.weight.\($0.name)" })
            let expected = merged.isStoredTransposed(parameter) ? tensor.tensor.transposed() : tensor.tensor
            expectSmallError(parameter.value, expected, 1e-6, key)
            compared += 1
        }
        #expect(compared == 1)
        let changed = Set(try #require(decoder.adapter).modules.map { "\($0.name).weight" })
        for (new, old) in zip(merged.parameters, decoder.withoutAdapter().parameters) {
            #expect(new.name == old.name && new.value.sharesMemory(with: old.value) == !changed.contains(new.name))
        }
        try withTemporaryFolder { folder in
            let whole = folder.appendingPathComponent("whole")
            try fixture.model.merged().save(to: whole)
            let again = try LanguageModel.load(whole)
            #expect(again.decoder.adapter == nil && again.decoder.configuration() == decoder.configuration())
            for (new, old) in zip(again.decoder.parameters, merged.parameters) { #expect(new.value.isIdentical(to: old.value)) }
        }
    }

    @Test("text with the cache is that of whole passes", arguments: ["lora-all-linear", "dora", "lora-gpt2", "dora-gpt2"])
    func generation(_ name: String) throws {
        let decoder = try AdapterFixture(name).decoder
        let prompt: [Int32] = [5, 9, 23, 11]
        let response = try Generator(decoder, endOfSequence: nil).generate(
            [GenerationRequest(prompt: prompt, streams: [Philox(seed: 0)])], options: .greedy(maxNewTokens: 16))[0][0]
        var text = prompt
        for token in response.tokens {
            let logits = decoder.logits(decoder.alone(text).rows([text.count - 1])).values
            try #require(logits.firstIndex(of: logits.max() ?? 0) == Int(token), "after \(text.count) tokens")
            text.append(token)
        }
        #expect(text.count == 20)
        let bare = try Generator(decoder.withoutAdapter(), endOfSequence: nil).generate(
            [GenerationRequest(prompt: prompt, streams: [Philox(seed: 0)])], options: .greedy(maxNewTokens: 16))[0][0]
        #expect(bare.tokens != response.tokens)
    }

    @Test("saved and loaded again: the same tensors, settings and keys", arguments: AdapterFixture.all)
    func roundTrip(_ name: String) throws {
        let fixture = try AdapterFixture(name)
        try withTemporaryFolder { folder in
            let saved = folder.appendingPathComponent("saved")
            try fixture.model.save(to: saved)
            #expect(!FileManager.default.fileExists(atPath: saved.appendingPathComponent("config.json").path))
            let again = try LanguageModel.load(saved)
            let (old, new) = (try #require(fixture.decoder.adapter), try #require(again.decoder.adapter))
            #expect(old.configuration == new.configuration && old.base == new.base)
            #expect(old.modules.map(\.name) == new.modules.map(\.name) && old.modules.map(\.scale) == new.modules.map(\.scale))
            for (a, b) in zip(old.parameters, new.parameters) { #expect(a.name == b.name && a.value.isIdentical(to: b.value)) }
            var (first, second) = (
                try JSONValue(contentsOf: fixture.folder.appendingPathComponent("adapter_config.json")),
                try JSONValue(contentsOf: saved.appendingPathComponent("adapter_config.json"))
            )
            for key in first.members?.map(\.key) ?? [] where first[key]?.isNull == true { first[key] = nil }
            for key in second.members?.map(\.key) ?? [] where second[key]?.isNull == true { second[key] = nil }
            // where the model is, is written in full; numbers may be spelt otherwise
            first["base_model_name_or_path"] = .string(old.base)
            for key in first.members?.map(\.key) ?? [] where first[key]?.double != nil {
                #expect(first[key]?.double == second[key]?.double)
                (first[key], second[key]) = (nil, nil)
            }
            let keys = Set(first.members?.map(\.key) ?? []).union(second.members?.map(\.key) ?? [])
            for key in keys { #expect(first[key] == second[key], "\(key)") }
            let stored = try WeightStore(file: saved.appendingPathComponent("adapter_model.safetensors"))
            #expect(stored.names == fixture.expected.trainable)
        }
    }
}
