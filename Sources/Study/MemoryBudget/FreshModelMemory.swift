package import Models

/// The least memory that a randomly initialised model takes, computed from its configuration alone, before any tensor is
/// allocated.
package struct FreshModelMemory {
    /// The expected bytes. A `Double`, because a configuration can ask for more than an `Int` can hold.
    package var bytes: Double

    /// The bytes of a layer besides its weights: names, objects and minimum block sizes.
    private static let bytesPerLayer = 6000.0

    /// The memory of a model with this configuration: 4 bytes per parameter, or 16 in training, plus a constant per layer.
    /// - Parameter isTrained: whether each weight also needs a gradient and two optimiser moments.
    package init(_ settings: LlamaConfiguration, isTrained: Bool) {
        bytes = settings.parameterCount * (isTrained ? 16 : 4) + Double(settings.layerCount) * Self.bytesPerLayer
    }

    /// Checks that the model fits.
    /// - Parameter limit: the value of the memory option; nil means the memory that is available.
    /// - Throws: `MemoryError` when the model needs more.
    package func check(limit: String?) throws {
        let own = MachineMemory.process()?.now ?? 0
        let room = [limit.flatMap(ByteCount.init)?.bytes, MachineMemory.available()].compactMap(\.self).min()
        guard let room, bytes + Double(own) > Double(room) else { return }
        throw MemoryError(
            needed: Int(min(bytes + Double(own), 0x1p62)), available: room,
            settings: "use a smaller model (--hidden-size, --intermediate-size, --num-hidden-layers, --vocabulary-size)")
    }
}
