import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Model folders that name several tokens as the end of a response.
@Suite struct EndTokenTests {
    private func model(configuration: JSONValue? = nil, generation: JSONValue? = nil) throws -> LanguageModel {
        LanguageModel(decoder: try TinyModel.llama(), source: configuration, generation: generation)
    }

    @Test("generation_config.json counts over config.json; what is no token of the model is passed over")
    func precedence() throws {
        let cases: [(configuration: JSONValue?, generation: JSONValue?, expected: [Int32])] = [
            (nil, nil, []), (["eos_token_id": 5], nil, [5]), (["eos_token_id": [5, 6]], nil, [5, 6]),
            (["eos_token_id": [5, 6]], ["eos_token_id": 7], [7]), (["eos_token_id": 5], ["eos_token_id": [7, 8, 7]], [7, 8]),
            (["eos_token_id": 5], ["temperature": 0.5], [5]), (["eos_token_id": 5], ["eos_token_id": nil], [5]),
            (["eos_token_id": 5], ["eos_token_id": []], [5]), (["eos_token_id": nil], ["eos_token_id": nil], []),
            (nil, ["eos_token_id": -1], []), (["eos_token_id": 40], ["eos_token_id": [40, 3]], [3]),
            (["eos_token_id": "2"], ["eos_token_id": [true, 1.5, 4.0]], [4]), (["eos_token_id": 0], nil, [0]),
        ]
        for item in cases {
            let model = try model(configuration: item.configuration, generation: item.generation)
            #expect(model.endTokens == item.expected, "\(item)")
        }
    }

    /// What is no token id is refused with its file, in config.json, in a section of it, in generation_config.json and in GGUF files.
    @Test(
        "an end that is no token id is refused by name",
        arguments: [
            ("\"2\"", "is \"2\""), ("-1", "is -1"), ("1.5", "is 1.5"), ("[[2]]", "holds [ 2 ]"), ("[2, \"3\"]", "holds \"3\""),
            ("true", "is true"),
            ("[2, -3]", "holds -3"), ("[null]", "holds null"), ("{\"id\": 2}", "is {"), ("1e300", "is 1e300"),
        ])
    func noTokenID(_ value: String, _ words: String) throws {
        try withTemporaryFolder { parent in
            let bad = try JSONValue(parsing: Array(value.utf8), file: "value")
            func check(_ name: String, _ change: (inout LanguageModel) -> Void) throws {
                var model = LanguageModel(decoder: try TinyModel.llama())
                model.source = model.decoder.configuration()
                change(&model)
                let folder = parent.appendingPathComponent(name)
                try model.save(to: folder)
                let error = #expect(throws: ModelError.self) { try ModelError.naming(folder.path) { try LanguageModel.load(folder) } }
                let text = error.map { "\($0)" } ?? ""
                #expect(text.hasPrefix("\(folder.path)/\(name): eos_token_id \(words)"), "\(text)")
                #expect(text.hasSuffix("it must be a token id (an integer of at least 0) or a list of token ids") && !text.contains("\n"))
            }
            try check("config.json") {
                $0.source?["eos_token_id"] = bad
            }
            try check("generation_config.json") { $0.generation = ["eos_token_id": bad] }
        }
    }

    @Test("ends that are named as numbers in another form, none, or beyond the model's rows are no error")
    func otherForms() throws {
        for (value, expected) in [("2.0", [2]), ("[]", []), ("null", []), ("[3, 3]", [3]), ("4000", []), ("[5, 4000]", [5])]
            as [(String, [Int32])]
        {
            try withTemporaryFolder { parent in
                var model = LanguageModel(decoder: try TinyModel.llama())
                model.source = model.decoder.configuration()
                model.source?["eos_token_id"] = try JSONValue(parsing: Array(value.utf8), file: "value")
                let folder = parent.appendingPathComponent("model")
                try model.save(to: folder)
                #expect(try LanguageModel.load(folder).endTokens == expected, "\(value)")
            }
        }
    }

    @Test("a token that is learned joins the ends")
    func added() throws {
        var several = try model(configuration: ["eos_token_id": 9], generation: ["eos_token_id": [5, 6], "top_k": 3])
        #expect(several.addEnd(2) && several.endTokens == [2, 5, 6] && several.generation?["top_k"] == 3)
        #expect(!several.addEnd(6) && several.endTokens == [2, 5, 6])
        var single = try model(configuration: ["eos_token_id": 5])
        #expect(single.addEnd(2) && single.endTokens == [2, 5])
        var none = try model()
        #expect(!none.addEnd(2) && none.endTokens.isEmpty, "the tokenizer's counts anyway")
    }

    @Test("saving keeps what the files name, and generation_config.json says what counted")
    func saving() throws {
        func saved(_ model: LanguageModel) throws -> (configuration: JSONValue?, generation: JSONValue?, ends: [Int32]) {
            try withTemporaryFolder { parent in
                let folder = parent.appendingPathComponent("model")
                try model.save(to: folder, tokens: SpecialTokens(begin: 1, end: 2, padding: 0))
                let files = ModelFolder(folder)
                return (
                    try files.configuration()["eos_token_id"], try files.generationConfiguration()?["eos_token_id"],
                    try LanguageModel.load(folder).endTokens
                )
            }
        }
        let decoder = try TinyModel.llama()
        func configured(_ ends: JSONValue?) -> JSONValue {
            var configuration = decoder.configuration()
            configuration["eos_token_id"] = ends
            return configuration
        }
        let cases: [(configuration: JSONValue?, generation: JSONValue?, ends: [Int32])] = [
            ([2, 5], [2, 5], [2, 5]), ([5, 6], nil, [5, 6]), (2, [2, 5], [2, 5]), (5, nil, [5]), ([2, 5], [7], [7]),
        ]
        for item in cases {
            let result = try saved(
                LanguageModel(
                    decoder: decoder, source: configured(item.configuration),
                    generation: item.generation.map { ["eos_token_id": $0] }))
            #expect(result.ends == item.ends && result.configuration == item.configuration, "\(item)")
            #expect(result.generation == (item.generation ?? item.configuration), "\(item)")
        }
        let plain = try saved(LanguageModel(decoder: decoder))
        #expect(plain.configuration == 2 && plain.generation == 2 && plain.ends == [2])
    }

    @Test("a response ends with the first of several ends", arguments: [1, 3, 64])
    func generation(maxActive: Int) throws {
        let decoder = try TinyModel.llama()
        let options = SamplingOptions(maxNewTokens: 14)
        let requests = GeneratorTests.requests(GeneratorTests.lengths)
        let single = try Generator(decoder, endOfSequence: nil, maxActive: maxActive).generate(requests, options: options)
        let ends = EndTokens(closing: 2, ids: [2, 9, 11, 30], visible: [11])
        let several = try Generator(decoder, ends: ends, maxActive: maxActive).generate(requests, options: options)
        var seen: Set<Int32> = []
        for (free, ended) in zip(single.joined(), several.joined()) {
            let cut = free.tokens.firstIndex(where: ends.contains).map { $0 + 1 } ?? free.tokens.count
            #expect(ended.tokens == Array(free.tokens.prefix(cut)))
            #expect(ended.ended == ends.contains(ended.tokens.last ?? -1))
            if ended.ended, let last = ended.tokens.last { seen.insert(last) }
        }
        #expect(seen.count >= 3, "several ends were drawn: \(seen)")
        // none of them is drawn too early
        var late = options
        late.minNewTokens = 4
        for answer in try Generator(decoder, ends: ends, maxActive: maxActive).generate(requests, options: late).joined() {
            #expect(answer.tokens.prefix(4).allSatisfy { !ends.contains($0) } && answer.tokens.count >= 4)
        }
    }

    @Test("states behind the trunk are those of the response with one closing token", arguments: [1, 64])
    func trunk(maxActive: Int) throws {
        let decoder = try TinyModel.llama()
        let ends = EndTokens(closing: 2, ids: [2, 9, 11, 30], visible: [11])
        let requests = GeneratorTests.requests(GeneratorTests.lengths)
        let responses = try Generator(decoder, ends: ends, maxActive: maxActive, trunkLayers: 2)
            .generate(requests, options: SamplingOptions(maxNewTokens: 14))
        for (request, answers) in zip(requests, responses) {
            for answer in answers {
                let text = request.prompt + ends.closed(answer.tokens)
                let expected = decoder.run(TokenBatch([text]), layers: 0..<2)
                expectClose(try #require(answer.trunk).tensor, expected, relative: 1e-5, absolute: 1e-5)
            }
        }
    }

    @Test func responsesAreClosedOnce() {
        let ends = EndTokens(closing: 2, ids: [2, 9, 11], visible: [11])
        #expect(ends.closed([4, 5]) == [4, 5, 2] && ends.closed([4, 2]) == [4, 2] && ends.closed([]) == [2])
        #expect(ends.closed([4, 9]) == [4, 2], "another special end gives way")
        #expect(ends.closed([4, 11]) == [4, 11, 2], "a word stays")
        #expect(EndTokens(closing: nil, ids: [9]).closed([4, 9]) == [4, 9])
        #expect(EndTokens(closing: 2, ids: [9]).contains(2) == false && EndTokens(closing: 2).contains(2))
    }

    @Test("a head that was normalised by the deviation of equal scores is refused where it scores")
    func noiseOfEqualScores() throws {
        for (shift, deviation, isRefused) in [
            (-0.181717, 1e-6, true), (-5, 1e-6, true), (-2000, 1e-3, true), (-5, 1e-3, false), (0, 1, false), (0.3, 0.01, false),
        ] as [(Float, Float, Bool)] {
            let head = ValueHead(
                weight: .zeros([1, 16]), bias: 0.181717, normalisation: shift, normalisationStd: deviation)
            try withTemporaryFolder { parent in
                let folder = parent.appendingPathComponent("model")
                try LanguageModel(decoder: try TinyModel.llama(), head: head).save(to: folder)
                guard isRefused else {
                    _ = try LanguageModel.loadRewardModel(folder)
                    return
                }
                let error = #expect(throws: CheckpointError.self) { try LanguageModel.loadRewardModel(folder) }
                #expect(error?.description.contains("v_head.normalisation_std") == true)
                #expect(error?.description.contains("rounding noise") == true)
                _ = try LanguageModel.load(folder)
            }
        }
    }
}
