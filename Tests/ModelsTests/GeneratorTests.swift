import Models
import Tensor
import Testing
import _TestSupport

@Suite struct GeneratorTests {
    static let end: Int32 = 2
    static let lengths = [3, 1, 60, 12, 7, 1, 25]

    /// Requests with one to four streams each; a stream is named by prompt and number.
    static func requests(_ lengths: [Int], streams: (Int) -> Int = { $0 % 4 + 1 }, seed: UInt64 = 5) -> [GenerationRequest] {
        let random = Philox(seed: seed)
        return TinyModel.prompts(lengths, seed: seed).enumerated().map { index, prompt in
            GenerationRequest(
                prompt: prompt,
                streams: (0..<streams(index)).map { random.split(UInt64(index)).split(UInt64($0)) })
        }
    }

    /// Expects that tokens, log-probabilities and values are those of a full forward pass over each response alone.
    private func check(
        _ responses: [[GeneratedResponse]], to requests: [GenerationRequest], by generator: Generator,
        _ options: SamplingOptions
    ) throws {
        #expect(responses.count == requests.count)
        for (request, answers) in zip(requests, responses) {
            #expect(answers.count == request.streams.count)
            for answer in answers {
                #expect((1...options.maxNewTokens).contains(answer.tokens.count))
                #expect(answer.tokens.dropLast().allSatisfy { $0 != generator.endOfSequence })
                #expect(answer.ended == (answer.tokens.last == generator.endOfSequence))
                #expect(answer.ended || answer.tokens.count == options.maxNewTokens)
                expectClose(
                    answer.logProbs,
                    generator.decoder.logProbs(
                        of: answer.tokens, after: request.prompt,
                        temperature: options.temperature == 0 ? 1 : options.temperature,
                        validTokens: generator.validTokens),
                    relative: 0, absolute: 2e-5)
                if let head = generator.valueHead {
                    let states = generator.decoder.alone(request.prompt + answer.tokens.dropLast())
                    expectClose(
                        answer.values, Array(head(states).values.suffix(answer.tokens.count)), relative: 1e-5,
                        absolute: 1e-5)
                } else {
                    #expect(answer.values.isEmpty)
                }
            }
        }
    }

    @Test("cached decoding equals the full forward pass", arguments: [1, 3, 64])
    func cache(maxActive: Int) throws {
        let generator = Generator(
            try TinyModel.llama(), valueHead: TinyModel.head(), endOfSequence: Self.end, maxActive: maxActive)
        for options in [
            SamplingOptions(maxNewTokens: 14), SamplingOptions(maxNewTokens: 9, temperature: 0.6),
            SamplingOptions(maxNewTokens: 1), .greedy(maxNewTokens: 6),
        ] {
            let requests = Self.requests(Self.lengths)
            let responses = try generator.generate(requests, options: options)
            try check(responses, to: requests, by: generator, options)
            if options.maxNewTokens > 1 && options.temperature > 0 {
                // the case must hold both kinds of ending
                let all = responses.flatMap { $0 }
                #expect(all.contains { $0.ended } && !all.allSatisfy(\.ended))
            }
        }
    }

    @Test("layers with a window keep of long prompts what the window reaches")
    func windowedCache() throws {
        func bytes(_ kind: TinyModel.Kind, _ prompts: [Int]) throws -> Int {
            let generator = Generator(try kind.make(layers: 4), endOfSequence: nil)
            return generator.cacheBytes(prompts: prompts, streams: 4, maxNewTokens: 1)
                - generator.cacheBytes(prompts: [1], streams: 4, maxNewTokens: 1)
        }
        // 4 layers with 2 heads of 4 channels; the longest prompt is counted twice, once for the gap that it may need
        #expect(try bytes(.qwen3, [101]) == 4 * 2 * 4 * 200 * 2 * 8)
        #expect(try bytes(.mistral, [101]) == 4 * 2 * 4 * 10 * 2 * 4)
        // every other layer of Gemma 3 has a window
        #expect(try bytes(.gemma3, [101]) == 2 * 2 * 4 * (200 + 10) * 2 * 6)
        #expect(try bytes(.mistral, [6]) == bytes(.llama, [6]), "prompts within the window change nothing")
    }

    @Test("a cache of bfloat16 numbers is as near to 32-bit floats as its rounding, and gives the same with any batch")
    func narrowCache() throws {
        let options = SamplingOptions(maxNewTokens: 14)
        let requests = Self.requests(Self.lengths)
        let decoder = try TinyModel.llama()
        let runs = try [64, 1].map { maxActive in
            try Compute.$precision.withValue(.bf16) {
                try Generator(decoder, endOfSequence: Self.end, maxActive: maxActive).generate(requests, options: options)
                    .flatMap { $0 }
            }
        }
        var greatest: Float = 0
        let prompts = requests.flatMap { request in request.streams.map { _ in request.prompt } }
        for (prompt, (response, alone)) in zip(prompts, zip(runs[0], runs[1])) {
            #expect(response.tokens == alone.tokens && response.ended == alone.ended)
            expectClose(response.logProbs, alone.logProbs, relative: 0, absolute: 1e-2)
            let full = decoder.logProbs(of: response.tokens, after: prompt, temperature: 1, validTokens: decoder.shape.vocabularySize)
            expectClose(response.logProbs, full, relative: 0, absolute: 0.15)
            for (a, b) in zip(response.logProbs, full) { greatest = max(greatest, abs(a - b)) }
        }
        #expect(greatest > 1e-5, "nothing was rounded")
    }

    @Test(
        "many answers to one prompt, which decoding processes together, are those of each alone", arguments: Compute.Precision.allCases,
        [TinyModel.Kind.llama, .mistral, .gemma3, .bloom])
    func answersToOnePrompt(precision: Compute.Precision, kind: TinyModel.Kind) throws {
        let options = SamplingOptions(maxNewTokens: 14)
        let requests = Self.requests([60, 41]) { 9 - 2 * $0 }
        let decoder = try kind.make(layers: 4)
        let runs = try [64, 1].map { maxActive in
            try Compute.$precision.withValue(precision) {
                try Generator(decoder, endOfSequence: Self.end, maxActive: maxActive).generate(requests, options: options)
                    .flatMap { $0 }
            }
        }
        #expect(runs[0].count == 16 && runs[1].count == 16)
        for (together, alone) in zip(runs[0], runs[1]) {
            #expect(together.tokens == alone.tokens && together.ended == alone.ended)
            expectClose(together.logProbs, alone.logProbs, relative: 0, absolute: precision == .f32 ? 1e-5 : 1e-2)
        }
    }

    @Test("a response depends on its prompt and stream alone", arguments: [1, 2, 5, 64])
    func independence(maxActive: Int) throws {
        let decoder = try TinyModel.llama()
        let options = SamplingOptions(maxNewTokens: 12, temperature: 1.1, topK: 30, topP: 0.95)
        var generator = Generator(decoder, valueHead: TinyModel.head(), endOfSequence: Self.end, maxActive: maxActive)
        let requests = Self.requests(Self.lengths)
        let together = try generator.generate(requests, options: options)
        let backwards = try Array(generator.generate(requests.reversed(), options: options).reversed())
        generator.maxActive = 1
        for (index, request) in requests.enumerated() {
            for (number, stream) in request.streams.enumerated() {
                let alone = try generator.generate(
                    [GenerationRequest(prompt: request.prompt, streams: [stream])], options: options)[0][0]
                for other in [together[index][number], backwards[index][number]] {
                    #expect(other.tokens == alone.tokens && other.ended == alone.ended)
                    expectClose(other.logProbs, alone.logProbs, relative: 0, absolute: 1e-5)
                    expectClose(other.values, alone.values, relative: 0, absolute: 1e-5)
                }
            }
        }
        // streams differ, so do responses
        #expect(Set(together[3].map(\.tokens)).count == together[3].count)
    }

    @Test("the minimum length and ids without a token restrict the draw, not the log-probabilities")
    func restrictions() throws {
        // few tokens, so that the end comes up often
        let decoder = try TinyModel.llama(vocabulary: 9)
        let prompts = TinyModel.prompts([4, 2, 9, 1, 5, 5], vocabulary: 9)
        let requests = prompts.enumerated().map { index, prompt in
            GenerationRequest(prompt: prompt, streams: (0..<8).map { Philox(seed: UInt64(index * 8 + $0)) })
        }
        let generator = Generator(decoder, endOfSequence: Self.end, validTokens: 7)
        for temperature: Float in [1, 0] {
            let free = SamplingOptions(maxNewTokens: 10, temperature: temperature)
            var bound = free
            bound.minNewTokens = 4
            let early = try generator.generate(requests, options: free).flatMap { $0 }
            // a greedy response may never end by itself; sampled ones do
            #expect(temperature == 0 || early.contains { $0.tokens.count < 5 }, "the case must need the bound")
            let responses = try generator.generate(requests, options: bound)
            #expect(responses.flatMap { $0 }.allSatisfy { $0.tokens.count >= 5 })
            #expect(temperature == 0 || responses.flatMap { $0 }.contains { $0.ended })
            #expect(responses.flatMap { $0 }.flatMap(\.tokens).allSatisfy { $0 < 7 })
            try check(responses, to: requests, by: generator, bound)
        }
    }

    @Test("greedy takes the most probable token and needs no stream")
    func greedy() throws {
        let generator = Generator(try TinyModel.llama(), endOfSequence: Self.end)
        let requests = Self.requests(Self.lengths, streams: { _ in 2 })
        let options = SamplingOptions(maxNewTokens: 8, temperature: 0, topK: 5, topP: 0.5)
        for (request, answers) in zip(requests, try generator.generate(requests, options: options)) {
            #expect(answers[0].tokens == answers[1].tokens)
            var text = request.prompt
            for token in answers[0].tokens {
                let last = generator.decoder.alone(text).rows([text.count - 1])
                let logits = last.logits(generator.decoder.projection.value).values
                #expect(logits.firstIndex(of: logits.max() ?? 0) == Int(token))
                text.append(token)
            }
        }
        let plain = try generator.generate(requests, options: .greedy(maxNewTokens: 8))
        #expect(plain.map { $0.map(\.tokens) } == (try generator.generate(requests, options: options)).map { $0.map(\.tokens) })
    }

    @Test("states behind the trunk are those of a full pass", arguments: 0...3, [1, 4, 64])
    func trunk(layers: Int, maxActive: Int) throws {
        let decoder = try TinyModel.llama()
        let generator = Generator(
            decoder, valueHead: TinyModel.head(), endOfSequence: Self.end, maxActive: maxActive, trunkLayers: layers)
        let requests = Self.requests(Self.lengths)
        let options = SamplingOptions(maxNewTokens: 7)
        let responses = try generator.generate(requests, options: options)
        try check(responses, to: requests, by: generator, options)
        for (request, answers) in zip(requests, responses) {
            for answer in answers {
                let text = request.prompt + answer.tokens + (answer.ended ? [] : [Self.end])
                let expected = decoder.run(TokenBatch([text]), layers: 0..<layers)
                expectClose(try #require(answer.trunk).tensor, expected, relative: 1e-5, absolute: 1e-5)
            }
        }
        // asking for states changes nothing else
        var plain = generator
        plain.trunkLayers = nil
        let same = try plain.generate(requests, options: options)
        #expect(same.map { $0.map(\.tokens) } == responses.map { $0.map(\.tokens) })
        #expect(same.flatMap { $0 }.allSatisfy { $0.trunk == nil })
    }

    @Test("without an end, responses are as long as allowed and their states have no end either")
    func endless() throws {
        let generator = Generator(try TinyModel.llama(), endOfSequence: nil, trunkLayers: 2)
        let responses = try generator.generate(Self.requests([3, 5]), options: SamplingOptions(maxNewTokens: 20))
        for (answers, length) in zip(responses, [3, 5]) {
            for answer in answers {
                #expect(answer.tokens.count == 20 && !answer.ended)
                #expect(answer.trunk?.tensor.shape == [length + 20, 16])
            }
        }
    }

    /// Many shapes of batches, so that rows of the cache are taken and given back in many orders.
    @Test("any mix of prompts, streams and room is served", arguments: 0..<40)
    func mixtures(seed: Int) throws {
        var random = Philox(seed: UInt64(seed) + 100)
        let decoder = try TinyModel.llama(layers: 1, vocabulary: 12)
        let maxNewTokens = Int.random(in: 1...24, using: &random)
        let lengths = (0..<Int.random(in: 1...30, using: &random)).map { _ in
            Bool.random(using: &random) ? Int.random(in: 1...4, using: &random) : Int.random(in: 1...80, using: &random)
        }
        let counts = lengths.map { _ in Int.random(in: 0...(seed % 3 == 0 ? 1 : 6), using: &random) }
        let prompts = lengths.map { TinyModel.tokens($0, vocabulary: 12, using: &random) }
        let requests = zip(prompts, counts).enumerated().map { index, item in
            GenerationRequest(
                prompt: item.0, streams: (0..<item.1).map { Philox(seed: UInt64(index)).split(UInt64($0)) })
        }
        let generator = Generator(
            decoder, endOfSequence: Bool.random(using: &random) ? 2 : nil,
            maxActive: Int.random(in: 1...9, using: &random), trunkLayers: Bool.random(using: &random) ? 1 : nil)
        let options = SamplingOptions(maxNewTokens: maxNewTokens)
        var steps: [Int] = []
        let responses = try generator.generate(requests, options: options) { steps.append($0) }
        try check(responses, to: requests, by: generator, options)
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $0 <= $1 })
        #expect((steps.last ?? 0) == responses.reduce(0) { $0 + $1.reduce(0) { $0 + $1.tokens.count } })
    }

    @Test("one thread and two threads give the same responses")
    func threads() throws {
        let generator = Generator(try TinyModel.llama(vocabulary: 500), endOfSequence: Self.end)
        func responses(_ threads: Int) throws -> [[GeneratedResponse]] {
            try Compute.$threads.withValue(threads) {
                try generator.generate(Self.requests(Self.lengths), options: SamplingOptions(maxNewTokens: 10))
            }
        }
        let (one, two) = (try responses(1), try responses(2))
        #expect(one.map { $0.map(\.tokens) } == two.map { $0.map(\.tokens) })
        expectClose(
            one.flatMap { $0.flatMap(\.logProbs) }, two.flatMap { $0.flatMap(\.logProbs) }, relative: 0, absolute: 1e-6)
    }

    @Test("prompts without tokens or without room are refused before anything is computed")
    func badPrompts() throws {
        let generator = Generator(try TinyModel.llama(context: 20), endOfSequence: Self.end)
        func ask(_ lengths: [Int]) throws -> [[GeneratedResponse]] {
            try generator.generate(Self.requests(lengths), options: SamplingOptions(maxNewTokens: 9)) { _ in
                Issue.record("something was sampled")
            }
        }
        #expect(throws: GenerationError.emptyPrompt(index: 1)) { try ask([3, 0]) }
        #expect(throws: GenerationError.promptTooLong(index: 2, tokens: 11, room: 10)) { try ask([10, 1, 11]) }
        #expect(GenerationError.promptTooLong(index: 2, tokens: 11, room: 10).description.contains("room for 10"))
        let fitting = try generator.generate(Self.requests([10]), options: SamplingOptions(maxNewTokens: 9))
        #expect(fitting[0].count == 1)
        #expect(try generator.generate([], options: SamplingOptions(maxNewTokens: 9)).isEmpty)
    }

    @Test("numbers that are not finite stop the generation")
    func notFinite() throws {
        let options = SamplingOptions(maxNewTokens: 5)
        for bad in [Float.nan, .infinity] {
            let decoder = try TinyModel.llama()
            // two tokens' projections: with an infinity, one of the two logits is +∞
            decoder.projection.value.update { ($0[7 * 16], $0[8 * 16]) = (bad, -bad) }
            #expect(throws: GenerationError.notFinite(index: 0, position: 2)) {
                try Generator(decoder, endOfSequence: Self.end).generate(Self.requests([3, 4]), options: options)
            }
        }
        // an embedding that comes up only after some tokens
        let decoder = try TinyModel.llama()
        let requests = Self.requests([3], streams: { _ in 1 })
        let response = try Generator(decoder, endOfSequence: Self.end).generate(requests, options: options)[0][0]
        let second = response.tokens[1]
        try #require(!requests[0].prompt.contains(second) && response.tokens[0] != second && second != Self.end)
        decoder.embeddingParameters[0].value.update { $0[Int(second) * 16] = .nan }
        #expect(throws: GenerationError.notFinite(index: 0, position: 4)) {
            try Generator(decoder, endOfSequence: Self.end).generate(requests, options: options)
        }
    }

    @Test("what the progress handler throws ends the generation")
    func interruption() throws {
        struct Stop: Error {}
        let generator = Generator(try TinyModel.llama(), endOfSequence: nil)
        var calls = 0
        #expect(throws: Stop.self) {
            try generator.generate(Self.requests([3]), options: SamplingOptions(maxNewTokens: 50)) { _ in
                calls += 1
                if calls == 3 { throw Stop() }
            }
        }
        #expect(calls == 3)
    }
}
