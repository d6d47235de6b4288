import Tensor

/// The state of one call of ``Generator/generate(_:options:progress:)``.
///
/// Each step: admit prompts while there is room, process them, feed every active response its last token, draw the next one.
final class GenerationSession {
    private let generator: Generator
    private let decoder: any TransformerDecoder
    private let requests: [GenerationRequest]
    private let options: SamplingOptions
    private let observer: Generator.Observer?
    private let cache: KVCache
    private let promptsAtOnce: Int
    /// Where the states behind the trunk go, when they are wanted.
    private let trunk: TrunkStore?
    private var nextRequest = 0
    private var prompts: [LivePrompt] = []
    private var active: [LiveResponse] = []
    private(set) var results: [[GeneratedResponse]]
    private(set) var sampledTokens = 0

    private static let prefillTokens = Generator.prefillTokens

    init(
        _ generator: Generator, _ requests: [GenerationRequest], _ options: SamplingOptions, _ observer: Generator.Observer? = nil
    ) {
        self.observer = observer
        self.generator = generator
        self.requests = requests
        self.options = options
        decoder = generator.decoder
        results = requests.map { Array(repeating: GeneratedResponse(), count: $0.streams.count) }
        // room for the longest prompts that can be live at once, for the responses, and for the gaps that ragged lengths leave: with so
        // many rows there is always a gap for a response when none is active, and room for a prompt when none is live
        let size = Self.size(
            prompts: requests.map(\.prompt.count), streams: requests.map(\.streams.count), maxActive: generator.maxActive,
            maxNewTokens: options.maxNewTokens)
        promptsAtOnce = size.promptsAtOnce
        cache = KVCache(for: decoder.shape, capacity: size.rows)
        trunk =
            generator.trunkLayers == nil
            ? nil : TrunkStore(requests, maxNewTokens: options.maxNewTokens, width: decoder.shape.hiddenSize)
    }

    /// The rows of the cache for prompts of given lengths with given numbers of responses, and how many prompts are in it at once.
    static func size(
        prompts: [Int], streams: [Int], maxActive: Int, maxNewTokens: Int
    ) -> (rows: Int, promptsAtOnce: Int) {
        let longest = prompts.sorted(by: >)
        let responses = min(maxActive, streams.reduce(0, +))
        let alone = streams.contains { $0 <= 1 }
        let promptsAtOnce = max(1, min(prompts.count, alone ? responses : max(2, responses / 2)))
        let gaps = responses + promptsAtOnce + 1
        return (
            longest.prefix(promptsAtOnce).reduce(0, +) + (longest.first ?? 0) + gaps * (maxNewTokens + 1), promptsAtOnce
        )
    }

    /// One step; false when there is nothing left to do.
    func step() throws -> Bool {
        try admit()
        guard !active.isEmpty else { return false }
        try advance()
        return true
    }

    // MARK: Admission

    private func admit() throws {
        while true {
            try start(waitingOf: prompts)
            let admitted = takePrompts()
            if !admitted.isEmpty {
                try prefill(admitted)
                prompts += admitted
                try start(waitingOf: admitted)
                // the batch is filled before it is extended
                continue
            }
            // responses may have ended with their first token and left room for more
            if !active.isEmpty || (prompts.isEmpty && nextRequest == requests.count) { return }
        }
    }

    /// The next prompts that there is room for, with cache rows for themselves and for a first response each.
    private func takePrompts() -> [LivePrompt] {
        var admitted: [LivePrompt] = []
        var tokens = 0
        while active.count + admitted.count < generator.maxActive, prompts.count + admitted.count < promptsAtOnce,
            nextRequest < requests.count
        {
            let request = requests[nextRequest]
            if !request.streams.isEmpty {
                guard tokens == 0 || tokens + request.prompt.count <= Self.prefillTokens else { break }
                guard let rows = cache.allocate(request.prompt.count) else { break }
                guard let first = cache.allocate(options.maxNewTokens + 1) else {
                    cache.release(rows)
                    break
                }
                admitted.append(
                    LivePrompt(request: nextRequest, rows: rows, reserved: first, streams: request.streams.count))
                tokens += request.prompt.count
            }
            nextRequest += 1
        }
        return admitted
    }

    /// Begins waiting responses of processed prompts while there is room: draws their first token.
    private func start(waitingOf prompts: [LivePrompt]) throws {
        var fresh: [LiveResponse] = []
        for prompt in prompts {
            while let index = prompt.waiting.first, active.count + fresh.count < generator.maxActive,
                let rows = prompt.reserved ?? cache.allocate(options.maxNewTokens + 1)
            {
                prompt.reserved = nil
                prompt.waiting = index + 1..<prompt.waiting.upperBound
                fresh.append(
                    LiveResponse(prompt: prompt, index: index, rows: rows, stream: requests[prompt.request].streams[index]))
            }
        }
        Compute.forEach(fresh.count) { i in
            var logits = fresh[i].prompt.logits
            logits.withUnsafeMutableBufferPointer {
                if let base = $0.baseAddress { draw(fresh[i], logits: base, value: fresh[i].prompt.value) }
            }
        }
        try settle(fresh)
    }

    private func prefill(_ prompts: [LivePrompt]) throws {
        // the prompts see themselves alone, so what is in the cache is not read
        let batch = TokenBatch(prompts.map { requests[$0.request].prompt })
        let wanted = batch.rows.map { $0.upperBound - 1 }
        let last = batch.rows.enumerated().map { index, rows in
            AttentionLayout.Segment(
                queries: index..<index + 1, keyBegin: rows.lowerBound, firstKey: rows.upperBound - 1)
        }
        let (hidden, trunk) = run(
            batch.ids, batch.positions, lengths: batch.lengths, batch.layout, prompts.flatMap { Array($0.rows) },
            wanted: (wanted, AttentionLayout(last)), isPrompt: true)
        let logits = decoder.logits(hidden, validTokens: generator.validTokens)
        let values = generator.valueHead?(hidden).values
        let vocabulary = logits.shape[1]
        let numbers = logits.values
        for (i, prompt) in prompts.enumerated() {
            prompt.logits = Array(numbers[i * vocabulary..<(i + 1) * vocabulary])
            // −∞ marks an id without a token
            guard let greatest = prompt.logits.max(), greatest.isFinite, !prompt.logits.contains(where: \.isNaN) else {
                throw GenerationError.notFinite(index: prompt.request, position: prompt.rows.count - 1)
            }
            prompt.value = values?[i]
            if let trunk { self.trunk?.keep(trunk, rows: batch.rows[i], ofPrompt: prompt.request) }
        }
    }

    // MARK: Decoding

    private func advance() throws {
        var ids: [Int32] = []
        var positions: [Int32] = []
        var rows: [Int] = []
        var segments: [AttentionLayout.Segment] = []
        var wanted: [Int] = []
        var wantedSegments: [AttentionLayout.Segment] = []
        var growing: [LiveResponse] = []
        for response in active {
            let first = response.rows.lowerBound + response.fed
            let segment = AttentionLayout.Segment(
                queries: ids.count..<ids.count + response.next.count, keyBegin: response.rows.lowerBound, firstKey: first,
                prefix: response.prompt.rows)
            segments.append(segment)
            if !response.finished {
                wantedSegments.append(
                    .init(
                        queries: wanted.count..<wanted.count + 1, keyBegin: segment.keyBegin, firstKey: first,
                        prefix: segment.prefix))
                wanted.append(ids.count)
                growing.append(response)
            }
            let position = Int32(response.prompt.rows.count + response.fed)
            positions += position..<position + Int32(response.next.count)
            rows += first..<first + response.next.count
            ids += response.next
            response.fed += response.next.count
        }
        let (hidden, trunk) = run(
            ids, positions, AttentionLayout(segments), rows, wanted: (wanted, AttentionLayout(wantedSegments)),
            stopsBelow: growing.isEmpty)
        if let trunk {
            for (response, segment) in zip(active, segments) {
                self.trunk?.keep(
                    trunk, rows: segment.queries, of: response.prompt.request, response.index,
                    behind: response.prompt.rows.count + response.fed - segment.queries.count)
            }
        }
        let finished = active.filter(\.finished)
        finished.forEach(conclude)
        active = growing
        guard !growing.isEmpty else { return }

        let logits = decoder.logits(hidden, validTokens: generator.validTokens)
        let values = generator.valueHead?(hidden).values
        let vocabulary = logits.shape[1]
        Compute.forEach(growing.count) { i in
            draw(growing[i], logits: logits.mutablePointer + i * vocabulary, value: values?[i])
        }
        active = []
        for response in growing where response.response.logProbs.last?.isNaN != false {
            throw GenerationError.notFinite(
                index: response.prompt.request, position: response.prompt.rows.count + response.fed - 1)
        }
        try settle(growing)
    }

    /// All layers for rows whose keys go into the cache; the rows that are not wanted stop behind the trunk.
    private func run(
        _ ids: [Int32], _ positions: [Int32], lengths: [Int32]? = nil, _ layout: AttentionLayout, _ rows: [Int],
        wanted: (rows: [Int], layout: AttentionLayout), isPrompt: Bool = false, stopsBelow: Bool = false
    ) -> (hidden: Tensor, trunk: Tensor?) {
        let layers = decoder.shape.layerCount
        let trunkLayers = generator.trunkLayers ?? 0
        var context = LayerContext(positions: positions, lengths: lengths, layout: layout, cache: (cache, rows, isRead: !isPrompt))
        var states = decoder.embed(ids, positions: positions, on: nil)
        for layer in 0..<trunkLayers { states = decoder.layer(layer, states, context, on: nil) }
        let trunk = generator.trunkLayers == nil ? nil : states
        if stopsBelow { return (states, trunk) }
        if wanted.rows.count < ids.count && !isPrompt {
            // finished responses go no further: the rest is a smaller batch
            states = states.rows(wanted.rows)
            context = LayerContext(
                positions: wanted.rows.map { positions[$0] }, layout: wanted.layout,
                cache: (cache, wanted.rows.map { rows[$0] }, isRead: true))
        }
        for layer in trunkLayers..<layers {
            if isPrompt && layer == layers - 1 {
                context.wanted = wanted.rows
                context.layout = wanted.layout
            }
            states = decoder.layer(layer, states, context, on: nil)
        }
        if isPrompt && trunkLayers == layers { states = states.rows(wanted.rows) }
        return (decoder.finish(states, on: nil), trunk)
    }

    /// Draws the next token of a response. Called for several responses at once, each with arrays of its own.
    private func draw(_ live: LiveResponse, logits: UnsafeMutablePointer<Float>, value: Float?) {
        let isTooEarly = live.response.tokens.count < options.minNewTokens
        let count = decoder.shape.vocabularySize
        let forbidden = isTooEarly ? generator.ends.ids : []
        var (token, logProb): (Int32, Float)
        if let process = generator.processLogits {
            var row = Array(UnsafeBufferPointer(start: logits, count: count))
            process(&row, live.response.tokens)
            precondition(row.count == count, "processLogits keeps the number of logits")
            token = row.withUnsafeMutableBufferPointer { row in
                row.baseAddress.map {
                    Sampler.choose($0, count: count, options: options, forbidden: forbidden, using: &live.stream).token
                } ?? 0
            }
            logProb = Sampler.logProb(of: token, logits, count: count, options: options)
        } else {
            (token, logProb) = Sampler.choose(
                logits, count: count, options: options, forbidden: forbidden, using: &live.stream)
        }
        live.response.tokens.append(token)
        live.response.logProbs.append(logProb)
        if let value { live.response.values.append(value) }
    }

    /// Decides for every response that has a new token whether it goes on.
    private func settle(_ responses: [LiveResponse]) throws {
        for live in responses {
            sampledTokens += 1
            guard let token = live.response.tokens.last else { continue }
            live.next = [token]
            live.response.ended = generator.ends.contains(token)
            let goesOn = try observer?(live.prompt.request, live.index, live.response.tokens) ?? true
            live.finished = !goesOn || live.response.ended || live.response.tokens.count >= options.maxNewTokens
            // what a reward model reads at the end
            if live.finished { live.next = generator.ends.closed([token]) }
            // the states of the last tokens are still to come when they are wanted
            if live.finished && generator.trunkLayers == nil { conclude(live) } else { active.append(live) }
        }
    }

    private func conclude(_ live: LiveResponse) {
        live.response.trunk = trunk?.rows(of: live.prompt.request, live.index, count: live.prompt.rows.count + live.fed)
        results[live.prompt.request][live.index] = live.response
        cache.release(live.rows)
        live.prompt.unfinished -= 1
        if live.prompt.unfinished == 0 {
            cache.release(live.prompt.rows)
            prompts.removeAll { $0 === live.prompt }
        }
    }
}
