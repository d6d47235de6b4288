import Tensor

/// The state of one call of ``Generator/generate(_:options:progress:observer:)``.
///
/// Each step admits and processes prompts while there is room, feeds every active response its last token and samples the next
/// one.
final class GenerationSession {
    private let generator: Generator
    private let decoder: any TransformerDecoder
    private let requests: [GenerationRequest]
    private let options: SamplingOptions
    private let observer: Generator.Observer?
    private let cache: KVCache
    private let size: CacheSize
    /// The store of the states after the trunk; nil if they are not needed.
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
        // Room for the longest prompts that can be live at once, for the responses, and for gaps that different lengths leave.
        // With this many rows there is always a gap for a response when none is active, and room for a prompt when none is live.
        let size = CacheSize(
            decoder, prompts: requests.map(\.prompt.count), streams: requests.map(\.streams.count), maxActive: generator.maxActive,
            maxNewTokens: options.maxNewTokens)
        self.size = size
        cache = KVCache(for: decoder.shape, capacity: size.rows, isWindowed: size.isWindowed)
        trunk =
            generator.trunkLayers == nil
            ? nil : TrunkStore(requests, maxNewTokens: options.maxNewTokens, width: decoder.shape.hiddenSize)
    }

    /// Performs one step; returns false when nothing is left to do.
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
                // fill the batch before extending it
                continue
            }
            // responses may have ended with their first token and left room for more
            if !active.isEmpty || (prompts.isEmpty && nextRequest == requests.count) { return }
        }
    }

    /// Admits the next prompts for which there is room, each with cache rows for itself and for a first response.
    private func takePrompts() -> [LivePrompt] {
        var admitted: [LivePrompt] = []
        var tokens = 0
        while active.count + admitted.count < generator.maxActive, prompts.count + admitted.count < size.promptsAtOnce,
            nextRequest < requests.count
        {
            let request = requests[nextRequest]
            if !request.streams.isEmpty {
                guard tokens == 0 || tokens + request.prompt.count <= Self.prefillTokens else { break }
                let count = request.prompt.count
                guard let place = cache.allocate(count, windowed: size.windowed(prompt: count)) else { break }
                guard let first = allocateResponse() else {
                    cache.release(place)
                    break
                }
                admitted.append(
                    LivePrompt(request: nextRequest, place: place, reserved: first, streams: request.streams.count))
                tokens += request.prompt.count
            }
            nextRequest += 1
        }
        return admitted
    }

    /// Allocates cache rows for a response and its closing token; nil if there is no room.
    private func allocateResponse() -> KVCache.Place? {
        let count = options.maxNewTokens + 1
        return cache.allocate(count, windowed: size.windowed(response: count))
    }

    /// Starts waiting responses of processed prompts while there is room, by sampling their first token.
    private func start(waitingOf prompts: [LivePrompt]) throws {
        var fresh: [LiveResponse] = []
        for prompt in prompts {
            while let index = prompt.waiting.first, active.count + fresh.count < generator.maxActive,
                let place = prompt.reserved ?? allocateResponse()
            {
                prompt.reserved = nil
                prompt.waiting = index + 1..<prompt.waiting.upperBound
                fresh.append(
                    LiveResponse(prompt: prompt, index: index, place: place, stream: requests[prompt.request].streams[index]))
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
        // prompts see only themselves, so the cache is not read
        let batch = TokenBatch(prompts.map { requests[$0.request].prompt })
        let wanted = batch.rows.map { $0.upperBound - 1 }
        let last = batch.rows.enumerated().map { index, rows in
            AttentionLayout.Segment(
                queries: index..<index + 1, keyBegin: rows.lowerBound, firstKey: rows.upperBound - 1)
        }
        var places = LayerContext.CachePlaces(cache, rows: prompts.flatMap { Array($0.place.whole) }, isRead: false)
        places.windowed = (
            prompts.flatMap { prompt -> [Int?] in
                let kept = prompt.place.windowed
                return Array(repeating: nil, count: prompt.place.whole.count - kept.count) + Array(kept)
            }, batch.layout
        )
        let context = LayerContext(positions: batch.positions, lengths: batch.lengths, layout: batch.layout, cache: places)
        let (hidden, trunk) = run(batch.ids, context, isPrompt: true) {
            $0.wanted = wanted
            $0.layout = AttentionLayout(last)
        }
        let logits = decoder.logits(hidden, validTokens: generator.validTokens)
        let values = generator.valueHead?(hidden).values
        let vocabulary = logits.shape[1]
        let isFinite = Compute.map(prompts.count) { i in
            let own = Array(UnsafeBufferPointer(start: logits.pointer + i * vocabulary, count: vocabulary))
            prompts[i].logits = own
            // −∞ marks an unused token ID
            return (own.max() ?? .nan).isFinite && !own.contains(where: \.isNaN)
        }
        for (i, prompt) in prompts.enumerated() {
            guard isFinite[i] else {
                throw GenerationError.notFinite(index: prompt.request, position: prompt.place.whole.count - 1)
            }
            prompt.value = values?[i]
            if let trunk { self.trunk?.keep(trunk, rows: batch.rows[i], ofPrompt: prompt.request) }
        }
    }

    // MARK: Decoding

    private func advance() throws {
        var ids: [Int32] = []
        var positions: [Int32] = []
        var (whole, windowed) = (Steps(\.whole), Steps(\.windowed))
        var wanted: [Int] = []
        var growing: [LiveResponse] = []
        for response in active {
            whole.add(response, begin: ids.count)
            windowed.add(response, begin: ids.count)
            if !response.finished {
                wanted.append(ids.count)
                growing.append(response)
            }
            let position = Int32(response.prompt.place.whole.count + response.fed)
            positions += position..<position + Int32(response.next.count)
            ids += response.next
            response.fed += response.next.count
        }
        func places(_ chosen: [Int]?, _ segments: KeyPath<Steps, [AttentionLayout.Segment]>) -> LayerContext.CachePlaces {
            func rows(_ steps: Steps) -> [Int] { chosen.map { $0.map { steps.places[$0] } } ?? steps.places }
            var places = LayerContext.CachePlaces(cache, rows: rows(whole), isRead: true)
            places.windowed = (rows(windowed), AttentionLayout(windowed[keyPath: segments]))
            return places
        }
        let segments = whole.all
        let context = LayerContext(positions: positions, layout: AttentionLayout(segments), cache: places(nil, \.all))
        // finished responses stop after the trunk: the remaining layers run on a smaller batch
        let rest =
            wanted.count == ids.count
            ? nil
            : LayerContext(
                positions: wanted.map { positions[$0] }, layout: AttentionLayout(whole.wanted), cache: places(wanted, \.wanted))
        let (hidden, trunk) = run(ids, context, above: rest.map { ($0, wanted) }, stopsBelow: growing.isEmpty)
        if let trunk {
            for (response, segment) in zip(active, segments) {
                self.trunk?.keep(
                    trunk, rows: segment.queries, of: response.prompt.request, response.index,
                    behind: response.prompt.place.whole.count + response.fed - segment.queries.count)
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
                index: response.prompt.request, position: response.prompt.place.whole.count + response.fed - 1)
        }
        try settle(growing)
    }

    /// Runs all layers for rows whose keys and values are added to the cache.
    /// - Parameters:
    ///   - ids: the token IDs of the rows.
    ///   - context: the context of the rows.
    ///   - above: the rows that continue after the trunk, and their context; nil if all rows do.
    ///   - isPrompt: whether the last layer computes only the wanted rows, which `narrowing` sets.
    ///   - stopsBelow: whether no output is needed after the trunk.
    ///   - narrowing: restricts the context to the wanted rows.
    private func run(
        _ ids: [Int32], _ context: LayerContext, above: (context: LayerContext, rows: [Int])? = nil, isPrompt: Bool = false,
        stopsBelow: Bool = false, narrowing: (inout LayerContext) -> Void = { _ in }
    ) -> (hidden: Tensor, trunk: Tensor?) {
        let layers = decoder.shape.layerCount
        let trunkLayers = generator.trunkLayers ?? 0
        var context = context
        var states = decoder.embed(ids, positions: context.positions, on: nil)
        for layer in 0..<trunkLayers { states = decoder.layer(layer, states, context, on: nil) }
        let trunk = generator.trunkLayers == nil ? nil : states
        if stopsBelow { return (states, trunk) }
        if let above {
            states = states.rows(above.rows)
            context = above.context
        }
        for layer in trunkLayers..<layers {
            if isPrompt && layer == layers - 1 { narrowing(&context) }
            states = decoder.layer(layer, states, context, on: nil)
        }
        if isPrompt && trunkLayers == layers {
            narrowing(&context)
            states = context.selected(states)
        }
        return (decoder.finish(states, on: nil), trunk)
    }

    /// Samples the next token of a response. Called for several responses concurrently, each with its own arrays.
    private func draw(_ live: LiveResponse, logits: UnsafeMutablePointer<Float>, value: Float?) {
        let isTooEarly = live.response.tokens.count < options.minNewTokens
        let count = decoder.shape.vocabularySize
        let forbidden = isTooEarly ? generator.ends.ids : []
        var (token, logProb, drawn): (Int32, Float, Float)
        if let process = generator.processLogits {
            var row = Array(UnsafeBufferPointer(start: logits, count: count))
            process(&row, live.response.tokens)
            precondition(row.count == count, "processLogits must keep the number of logits")
            (token, _, drawn) = row.withUnsafeMutableBufferPointer { row in
                row.baseAddress.map {
                    Sampler.choose($0, count: count, options: options, forbidden: forbidden, using: &live.stream)
                } ?? (0, 0, 0)
            }
            logProb = Sampler.logProb(of: token, logits, count: count, options: options)
        } else {
            (token, logProb, drawn) = Sampler.choose(
                logits, count: count, options: options, forbidden: forbidden, using: &live.stream)
        }
        live.response.tokens.append(token)
        live.response.logProbs.append(logProb)
        live.response.drawLogProbs.append(drawn)
        if let value { live.response.values.append(value) }
    }

    /// Decides which responses continue after a new token, and finishes the others.
    private func settle(_ responses: [LiveResponse]) throws {
        for live in responses {
            sampledTokens += 1
            guard let token = live.response.tokens.last else { continue }
            live.next = [token]
            live.response.ended = generator.ends.contains(token)
            let goesOn = try observer?(live.prompt.request, live.index, live.response.tokens) ?? true
            live.finished = !goesOn || live.response.ended || live.response.tokens.count >= options.maxNewTokens
            // the form that a reward model reads
            if live.finished { live.next = generator.ends.closed([token]) }
            // if trunk states are needed, those of the last tokens are still to be computed
            if live.finished && generator.trunkLayers == nil { conclude(live) } else { active.append(live) }
        }
    }

    private func conclude(_ live: LiveResponse) {
        live.response.trunk = trunk?.rows(of: live.prompt.request, live.index, count: live.prompt.place.whole.count + live.fed)
        results[live.prompt.request][live.index] = live.response
        cache.release(live.place)
        live.prompt.unfinished -= 1
        if live.prompt.unfinished == 0 {
            cache.release(live.prompt.place)
            prompts.removeAll { $0 === live.prompt }
        }
    }
}
