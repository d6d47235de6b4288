// The output projection fused with log-softmax. Logits exist only for one chunk of rows at a time; the matrix [R, V] never does.

/// The maximum number of logits in memory at a time: 32 MiB. Each chunk reads the whole projection (in 32-bit floats it also
/// packs it), twice in training.
package enum LogitChunk {
    @TaskLocal package static var count = 8_388_608
}

/// How logits follow from the product with the output projection: `cap · tanh((h Wᵀ + bias) / cap)`.
public struct LogitForm {
    /// A bias [V]; nil for none.
    public var bias: Tensor?
    /// The bound of the logits (soft-capping, as in Gemma 2); nil for none.
    public var cap: Float?

    /// Creates a form. Default: logits are the product itself.
    public init(bias: Tensor? = nil, cap: Float? = nil) {
        self.bias = bias
        self.cap = cap
    }

    /// The same form, off any tape.
    var detached: LogitForm { LogitForm(bias: bias?.widened().detached, cap: cap) }

    /// Turns products into logits, in place: `rows` rows of `vocabulary` elements.
    func apply(to products: UnsafeMutablePointer<Float>, rows: Int, vocabulary: Int) {
        let kernels = Kernels.current
        guard bias != nil || cap != nil else { return }
        Compute.forRows(rows, width: vocabulary) { range in
            let first = products + range.lowerBound * vocabulary
            if let bias { kernels.pointee.add_bias(range.count, vocabulary, bias.pointer, first) }
            if let cap { kernels.pointee.soft_cap(range.count * vocabulary, cap, first) }
        }
    }
}

/// The logits of a matrix of hidden states, computed chunk by chunk.
struct ChunkedLogits {
    let hidden: Tensor
    let weight: Tensor
    let form: LogitForm
    /// The number of token IDs that are in use. The logits of all further IDs are −∞.
    let validTokens: Int

    /// The rows of a chunk: all chunks have about the same number, at most what fits into ``LogitChunk``'s count, but 16 in any
    /// case.
    var chunkRows: Int {
        let (rows, most) = (hidden.shape[0], max(16, LogitChunk.count / max(1, weight.shape[0])))
        let chunks = max(1, (rows + most - 1) / most)
        return max(1, (rows + chunks - 1) / chunks)
    }

    func forEachChunk(_ body: (Range<Int>, UnsafeMutablePointer<Float>) -> Void) {
        let (rows, vocabulary) = (hidden.shape[0], weight.shape[0])
        Storage(byteCount: min(rows, chunkRows) * vocabulary * 4).withFloats { logits in
            for begin in stride(from: 0, to: rows, by: chunkRows) {
                let range = begin..<min(rows, begin + chunkRows)
                LinearProducts.forward(.floats(hidden.pointer + begin * hidden.shape[1]), rows: range.count, weight, into: logits)
                form.apply(to: logits, rows: range.count, vocabulary: vocabulary)
                if validTokens < vocabulary {
                    for row in 0..<range.count {
                        (logits + row * vocabulary + validTokens).update(
                            repeating: -.infinity, count: vocabulary - validTokens)
                    }
                }
                body(range, logits)
            }
        }
    }

    /// Lets `body` replace a row of logits by its gradient, and multiplies that by the derivative of the soft cap.
    func withSlope(_ row: UnsafeMutablePointer<Float>, _ body: () -> Void) {
        guard let cap = form.cap else { return body() }
        let kernels = Kernels.current
        // unused IDs have a logit of −∞ and a gradient of 0; leave them out
        let count = min(validTokens, weight.shape[0])
        Storage(byteCount: count * 4).withFloats { logits in
            logits.update(from: row, count: count)
            body()
            kernels.pointee.soft_cap_gradient(count, cap, logits, row)
        }
    }

    /// Adds the gradients of one chunk, given those of its logits: dH = dL W, dW = dLᵀ H, and db = the column sums of dL.
    func addGradients(
        _ dlogits: UnsafePointer<Float>, _ range: Range<Int>, dhidden: UnsafeMutablePointer<Float>?,
        dweight: (UnsafeMutablePointer<Float>, beta: Float)?, dbias: UnsafeMutablePointer<Float>? = nil
    ) {
        let width = weight.shape[1]
        if let dbias { RowSums.add(dlogits, rows: range.count, width: weight.shape[0], to: dbias) }
        let isShared = dhidden != nil && dweight != nil
        let rows = isShared ? LinearProducts.sharedByGradients(dlogits, rows: range.count, weight) : .floats(dlogits)
        if let dhidden {
            LinearProducts.inputGradient(rows, rows: range.count, weight, into: dhidden + range.lowerBound * width)
        }
        if let dweight {
            LinearProducts.weightGradient(
                rows, .floats(hidden.pointer + range.lowerBound * width), rows: range.count, weight.shape, into: dweight.0,
                beta: dweight.beta)
        }
    }
}

private func check(_ hidden: Tensor, _ weight: Tensor, _ targets: [Int32], validTokens: Int?) {
    precondition(
        hidden.shape.rank == 2 && weight.shape.rank == 2 && hidden.shape[1] == weight.shape[1]
            && targets.count == hidden.shape[0],
        "log-probabilities need hidden [R, C], a projection [V, C] and R targets, not \(hidden.shape), \(weight.shape), "
            + "\(targets.count)")
    let tokens = min(validTokens ?? weight.shape[0], weight.shape[0])
    precondition(
        targets.allSatisfy { $0 >= 0 && Int($0) < tokens },
        "target \(targets.first { $0 < 0 || Int($0) >= tokens } ?? 0) is outside the \(tokens) tokens")
}

/// Log-probabilities of given tokens and, optionally, the entropies of their distributions.
public struct TokenLogProbs {
    /// log p(target) for every row: [R].
    public let logProbs: Tensor
    /// The entropy of each row's distribution, in nats: [R]. Nil unless requested.
    public let entropies: Tensor?
}

extension Tensor {
    /// The logits of every row: [R, V], with −∞ for unused token IDs. For inspection and small vocabularies; training uses
    /// ``logProbs(_:targets:temperature:validTokens:withEntropy:form:)`` or
    /// ``crossEntropy(_:targets:rowWeights:validTokens:form:)``. No gradient flows through it.
    /// - Parameters:
    ///   - weight: the output projection [V, C].
    ///   - validTokens: the number of token IDs in use. Default: V.
    ///   - form: bias and soft cap of the logits.
    public func logits(_ weight: Tensor, validTokens: Int? = nil, form: LogitForm = LogitForm()) -> Tensor {
        let result = detached.linear(weight.detached)
        let vocabulary = weight.shape[0]
        form.detached.apply(to: result.mutablePointer, rows: shape[0], vocabulary: vocabulary)
        guard let validTokens, validTokens < vocabulary else { return result }
        for row in 0..<shape[0] {
            (result.mutablePointer + row * vocabulary + validTokens).update(
                repeating: -.infinity, count: vocabulary - validTokens)
        }
        return result
    }

    /// The log-probability of one target token per row: log softmax(h Wᵀ / temperature), where this tensor is h [R, C].
    ///
    /// Gradients flow to h, the weight and the bias. Logits are computed chunk by chunk, and again in the backward pass unless
    /// only h needs a gradient and there is no entropy.
    /// - Parameters:
    ///   - weight: the output projection [V, C].
    ///   - targets: the token ID of each row, R in all.
    ///   - temperature: divides the logits.
    ///   - validTokens: the number of token IDs in use; the others have probability 0. Default: V.
    ///   - withEntropy: whether to compute the entropy of each row's distribution, too.
    ///   - form: bias and soft cap of the logits.
    public func logProbs(
        _ weight: Tensor, targets: [Int32], temperature: Float = 1, validTokens: Int? = nil, withEntropy: Bool = false,
        form: LogitForm = LogitForm()
    ) -> TokenLogProbs {
        check(self, weight, targets, validTokens: validTokens)
        let kernels = Kernels.current
        let logits = ChunkedLogits(
            hidden: widened().detached, weight: weight.detached, form: form.detached, validTokens: validTokens ?? weight.shape[0])
        let vocabulary = weight.shape[0]
        let rows = shape[0]
        let logSumExps = Tensor.uninitialized([rows]) { _ in }
        let entropies = Tensor.uninitialized([withEntropy ? rows : 0]) { _ in }
        // d logProb / d hidden does not depend on the incoming gradient: it is computed here, while the logits exist. With a
        // frozen projection nothing else is needed, and the backward pass needs no logits
        let isSlopeEnough = node != nil && weight.node == nil && form.bias?.node == nil && !withEntropy
        let slopes = isSlopeEnough ? Tensor.uninitialized(shape) { _ in } : nil
        let result = Tensor.uninitialized([rows]) { out in
            logits.forEachChunk { range, chunk in
                Compute.forChunks(range.count, grain: max(1, 65_536 / vocabulary)) { part in
                    for i in part {
                        let row = range.lowerBound + i
                        let x = chunk + i * vocabulary
                        func logProb() -> Float {
                            if temperature != 1 { kernels.pointee.scale(vocabulary, 1 / temperature, x, x) }
                            let lse = kernels.pointee.log_sum_exp(vocabulary, 1, x)
                            logSumExps.mutablePointer[row] = lse
                            out[row] = x[Int(targets[row])] - lse
                            if withEntropy {
                                entropies.mutablePointer[row] = lse - kernels.pointee.softmax_mean(vocabulary, lse, x)
                            }
                            return lse
                        }
                        guard slopes != nil else {
                            _ = logProb()
                            continue
                        }
                        logits.withSlope(x) {
                            kernels.pointee.cross_entropy_gradient(vocabulary, logProb(), -1 / temperature, targets[row], x)
                        }
                    }
                }
                if let slopes { logits.addGradients(chunk, range, dhidden: slopes.mutablePointer, dweight: nil) }
            }
        }
        // one operation with two outputs: log-probabilities and entropies, stacked as [2, R] on the tape
        let operation = { (places: [Int?]) in
            Operation.linearLogProbs(
                LinearLogProbs(
                    logits: logits, targets: targets, temperature: temperature, logSumExps: logSumExps,
                    entropies: withEntropy ? entropies : nil, slopes: slopes, places: places))
        }
        guard withEntropy else {
            return TokenLogProbs(logProbs: Tensor.recorded(result, from: [self, weight, form.bias], operation), entropies: nil)
        }
        let both = Tensor.recorded(
            Tensor.stacked([result.reshaped([1, rows]), entropies.reshaped([1, rows])]), from: [self, weight, form.bias], operation)
        return TokenLogProbs(
            logProbs: both.rows([0]).reshaped([rows]), entropies: both.rows([1]).reshaped([rows]))
    }

    /// The weighted sum of cross-entropies, Σ wᵢ · −log softmax(h Wᵀ)[targetᵢ], as a scalar, where this tensor is h [R, C].
    ///
    /// Gradients are computed together with the value, one chunk of rows at a time, so logits are computed only once.
    /// - Parameters:
    ///   - weight: the output projection [V, C].
    ///   - targets: the token ID of each row, R in all.
    ///   - rowWeights: the weight wᵢ of each row, R in all.
    ///   - validTokens: the number of token IDs in use; the others have probability 0. Default: V.
    ///   - form: bias and soft cap of the logits.
    public func crossEntropy(
        _ weight: Tensor, targets: [Int32], rowWeights: [Float], validTokens: Int? = nil, form: LogitForm = LogitForm()
    ) -> Tensor {
        check(self, weight, targets, validTokens: validTokens)
        precondition(rowWeights.count == targets.count, "\(rowWeights.count) row weights for \(targets.count) targets")
        let kernels = Kernels.current
        let logits = ChunkedLogits(
            hidden: widened().detached, weight: weight.detached, form: form.detached, validTokens: validTokens ?? weight.shape[0])
        let vocabulary = weight.shape[0]
        let rows = shape[0]
        var losses = [Double](repeating: 0, count: rows)
        let dhidden = node == nil ? nil : Tensor.uninitialized(shape) { _ in }
        let dweight = weight.node == nil ? nil : Tensor.uninitialized(weight.shape) { _ in }
        let dbias = form.bias?.node == nil ? nil : Tensor.zeros([vocabulary])
        losses.withUnsafeMutableBufferPointer { losses in
            nonisolated(unsafe) let losses = losses
            logits.forEachChunk { range, chunk in
                Compute.forChunks(range.count, grain: max(1, 65_536 / vocabulary)) { part in
                    for i in part {
                        let row = range.lowerBound + i
                        let x = chunk + i * vocabulary
                        let lse = kernels.pointee.log_sum_exp(vocabulary, 1, x)
                        losses[row] = Double(rowWeights[row]) * Double(lse - x[Int(targets[row])])
                        if dhidden != nil || dweight != nil || dbias != nil {
                            logits.withSlope(x) {
                                kernels.pointee.cross_entropy_gradient(vocabulary, lse, rowWeights[row], targets[row], x)
                            }
                        }
                    }
                }
                logits.addGradients(
                    chunk, range, dhidden: dhidden?.mutablePointer,
                    dweight: dweight.map { ($0.mutablePointer, beta: range.lowerBound == 0 ? 0 : 1) }, dbias: dbias?.mutablePointer)
            }
        }
        if rows == 0, let dweight { dweight.mutablePointer.update(repeating: 0, count: dweight.count) }
        return Tensor.recorded(Tensor(Float(losses.reduce(0, +))), from: [self, weight, form.bias]) {
            .linearCrossEntropy(LinearCrossEntropy(gradients: [dhidden, dweight, dbias], places: $0))
        }
    }
}

struct LinearCrossEntropy {
    /// The gradients of the hidden states, the projection and the bias; nil where none is needed.
    let gradients: [Tensor?]
    let places: [Int?]

    func backward(_ gradient: Tensor, on tape: Tape) {
        let factor = gradient.item
        for case (let part?, let place) in zip(gradients, places) {
            tape.add(factor == 1 ? part : part.scaled(by: factor), to: place)
        }
    }
}

struct LinearLogProbs {
    let logits: ChunkedLogits
    let targets: [Int32]
    let temperature: Float
    let logSumExps: Tensor
    let entropies: Tensor?
    /// d logProb / d hidden [R, C]; nil unless that is all that the backward pass needs.
    let slopes: Tensor?
    let places: [Int?]

    // d logit = (1/temperature) (g (onehot − p) − h p (log p + H)) with g and h the gradients of log-prob and entropy
    func backward(_ gradient: Tensor, on tape: Tape) {
        let kernels = Kernels.current
        let (rows, vocabulary) = (logits.hidden.shape[0], logits.weight.shape[0])
        if let slopes {
            let width = slopes.shape[1]
            let dhidden = Tensor.uninitialized(slopes.shape) { out in
                Compute.forRows(rows, width: width) { range in
                    for row in range {
                        kernels.pointee.scale(
                            width, gradient.pointer[row], slopes.pointer + row * width, out + row * width)
                    }
                }
            }
            return tape.add(dhidden, to: places[0])
        }
        let dhidden = places[0] == nil ? nil : Tensor.uninitialized(logits.hidden.shape) { _ in }
        let dbias = places[2] == nil ? nil : Tensor.zeros([vocabulary])
        let scratch = Tensor.uninitialized([entropies == nil ? 0 : min(rows, logits.chunkRows), vocabulary]) { _ in }
        tape.accumulate(into: places[1], shape: logits.weight.shape) { dweight, beta in
            if rows == 0 && beta == 0 { dweight.update(repeating: 0, count: logits.weight.count) }
            run(dhidden: dhidden, dweight: (dweight, beta))
        }
        if places[1] == nil { run(dhidden: dhidden, dweight: nil) }
        if let dhidden { tape.add(dhidden, to: places[0]) }
        if let dbias { tape.add(dbias, to: places[2]) }

        func run(dhidden: Tensor?, dweight: (UnsafeMutablePointer<Float>, beta: Float)?) {
            logits.forEachChunk { range, chunk in
                Compute.forChunks(range.count, grain: max(1, 65_536 / vocabulary)) { part in
                    for i in part {
                        let row = range.lowerBound + i
                        let x = chunk + i * vocabulary
                        logits.withSlope(x) {
                            if temperature != 1 { kernels.pointee.scale(vocabulary, 1 / temperature, x, x) }
                            let lse = logSumExps.pointer[row]
                            if let entropies {
                                let extra = scratch.mutablePointer + i * vocabulary
                                extra.update(repeating: 0, count: vocabulary)
                                let mean = lse - entropies.pointer[row]
                                kernels.pointee.entropy_gradient(
                                    vocabulary, lse, mean, gradient.pointer[rows + row] / temperature, x, extra)
                                kernels.pointee.cross_entropy_gradient(
                                    vocabulary, lse, -gradient.pointer[row] / temperature, targets[row], x)
                                kernels.pointee.add(vocabulary, x, extra, x)
                            } else {
                                kernels.pointee.cross_entropy_gradient(
                                    vocabulary, lse, -gradient.pointer[row] / temperature, targets[row], x)
                            }
                        }
                    }
                }
                logits.addGradients(
                    chunk, range, dhidden: dhidden?.mutablePointer,
                    dweight: dweight.map { ($0.0, beta: range.lowerBound == 0 ? $0.beta : 1) }, dbias: dbias?.mutablePointer)
            }
        }
    }
}
