package import Models
package import Train

/// The least memory that a randomly initialised model takes, computed from its configuration alone, before any tensor is
/// allocated.
package struct FreshModelMemory {
    /// The expected bytes. A `Double`, because a configuration can ask for more than an `Int` can hold.
    package var bytes: Double

    /// The bytes of a layer besides its weights: names, objects and minimum block sizes.
    private static let bytesPerLayer = 6000.0

    /// The memory of a model with this configuration: 4 bytes per parameter, in training 8 and the moments, plus a constant per
    /// layer.
    /// - Parameter optimizer: the optimiser for which each weight also needs a gradient and moments; nil without training.
    package init(_ settings: LlamaConfiguration, trainedBy optimizer: OptimizerKind?) {
        let perWeight = 4 + (optimizer.map { 4 + $0.bytesPerWeight } ?? 0)
        bytes = settings.parameterCount * perWeight + Double(settings.layerCount) * Self.bytesPerLayer
    }

    /// Checks that the model fits.
    /// - Parameters:
    ///   - limit: the value of the memory option, which is that of each process; nil means the memory that is available.
    ///   - ranks: the number of processes on this machine that each make the model.
    /// - Throws: `MemoryError` when the model needs more.
    package func check(limit: String?, ranks: Int = 1) throws {
        let own = MachineMemory.process()?.now ?? 0
        guard let room = MachineMemory.room(limit: limit, ranks: ranks), bytes + Double(own) > Double(room) else { return }
        throw MemoryError(
            needed: Int(min(bytes + Double(own), 0x1p62)), available: room,
            settings: "use a smaller model (--hidden-size, --intermediate-size, --num-hidden-layers, --vocabulary-size)")
    }
}
