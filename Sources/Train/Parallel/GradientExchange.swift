import Tensor

/// The sum of all ranks' gradients while it is being made: it sends each bucket when its gradients are complete, in the order of
/// the buckets.
///
/// From ``complete(_:)`` to ``end()`` of the exchange, nothing may read, change or clear the gradient of that parameter. A tape
/// complies: after it has reported a parameter, it neither adds to its gradient nor reads it.
package final class GradientExchange {
    private let parameters: [Parameter]
    private let collective: any Collective
    private let buckets: GradientBuckets
    private var isComplete: [Bool]
    /// The number of buckets that have been sent.
    private var sentCount = 0
    /// The memory of the gradients that this rank owns, once it has been taken.
    private var owned: [Storage?]
    /// The thread that sums buckets during a backward pass; nil where all of them are summed at the end.
    private let thread: ExchangeThread?
    /// The parameters whose gradients are zeros that the exchange has made.
    private(set) var isMade: [Bool]

    /// Begins an exchange. All ranks do so with the same parameters and settings.
    /// - Parameters:
    ///   - parameters: the parameters of an optimiser.
    ///   - owners: the owner of each.
    ///   - included: whether the gradient of each travels.
    ///   - awaited: whether a backward pass will still add to the gradient of each. May differ among ranks.
    ///   - collective: the group. Until ``end()`` has returned, only the exchange may use it.
    ///   - config: the sizes of buckets.
    ///   - overlaps: whether buckets are summed by another thread as soon as they are complete. With one bucket there is nothing to gain.
    init(
        _ parameters: [Parameter], owners: [Int], included: [Bool], awaited: [Bool], among collective: any Collective,
        config: ExchangeConfig, overlaps: Bool
    ) {
        (self.parameters, self.collective) = (parameters, collective)
        isComplete = awaited.map { !$0 }
        owned = parameters.map { _ in nil }
        isMade = parameters.map { _ in false }
        let buckets = GradientBuckets(
            counts: parameters.map(\.value.count), owners: owners, included: included, ranks: collective.size, config: config)
        self.buckets = buckets
        thread = overlaps && buckets.buckets.count > 1 ? ExchangeThread(among: collective, length: buckets.length) : nil
        sendComplete()
    }

    /// Says that nothing more is added to the gradient of a parameter. Never waits for other ranks.
    package func complete(_ index: Int) {
        isComplete[index] = true
        sendComplete()
    }

    /// Sends the remaining buckets and waits until all sums have been made. It must be called.
    /// - Throws: ``CollectiveError`` when the group is broken.
    func end() throws {
        if let thread {
            isComplete = isComplete.map { _ in true }
            sendComplete()
            return try thread.end()
        }
        let sum = BucketSum(among: collective, length: buckets.length)
        for bucket in buckets.buckets { try sum.add(memory(of: bucket)) }
    }

    /// Gives the thread the next buckets whose gradients are complete.
    private func sendComplete() {
        guard let thread else { return }
        while sentCount < buckets.buckets.count, buckets.buckets[sentCount].parameters.allSatisfy({ isComplete[$0] }) {
            thread.send(memory(of: buckets.buckets[sentCount]))
            sentCount += 1
        }
    }

    private func memory(of bucket: GradientBuckets.Bucket) -> BucketMemory {
        BucketMemory(
            parts: bucket.slices.enumerated().map { rank, slices in
                slices.map { slice in
                    let gradient = rank == collective.rank ? own(slice.parameter) : parameters[slice.parameter].gradient?.storage
                    return BucketMemory.Part(gradient: gradient, range: slice.range)
                }
            })
    }

    /// The memory of a gradient that this rank owns: floats that nothing else uses, into which the sum can be written.
    private func own(_ index: Int) -> Storage? {
        if let known = owned[index] { return known }
        let parameter = parameters[index]
        if parameter.gradient == nil {
            parameter.gradient = .zeros(parameter.value.shape)
            isMade[index] = true
        }
        // copies memory that is shared or in a narrow format
        parameter.gradient?.update { _ in }
        owned[index] = parameter.gradient?.storage
        return owned[index]
    }
}
