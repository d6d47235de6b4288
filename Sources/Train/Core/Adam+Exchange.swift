import Tensor

// Gradients that travel to their owners during the last backward pass of a step. The sums have the same bits as with `step` alone,
// which exchanges after it.
extension Adam {
    /// Whether gradients travel during the last backward pass of a step.
    var overlapsExchange: Bool { shares.overlaps }

    /// Runs the last backward pass of a step, and sums the gradients over all ranks during it. ``step(learningRate:examples:of:)`` must
    /// follow, or ``clearGradients()``. All ranks call it, and have agreed before that none of them has failed.
    /// - Parameters:
    ///   - tape: the tape of the pass, which calls ``complete(_:)``; nil on a rank without a pass.
    ///   - backward: runs the backward pass. It must not use the group.
    /// - Throws: ``CollectiveError`` when the group of ranks is broken. The caller must clear the gradients then.
    func sumGradients(during tape: Tape?, _ backward: () -> Void) throws {
        let awaited = parameters.map { tape?.awaits($0) ?? false }
        summed = try shares.sumGradients(awaiting: awaited) { exchange in
            self.exchange = exchange
            backward()
            self.exchange = nil
        }
    }

    /// Sends the gradient of a parameter, to which the backward pass has added everything. Ignores parameters that the
    /// optimiser does not have.
    func complete(_ parameter: Parameter) {
        if let exchange, let index = places[ObjectIdentifier(parameter)] { exchange.complete(index) }
    }
}
