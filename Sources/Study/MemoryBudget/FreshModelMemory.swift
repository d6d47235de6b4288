package import Models

/// What a model from scratch takes at the least, known from its configuration alone: checked before any of it is made.
package struct FreshModelMemory {
    /// Expected bytes. Not an `Int`, which a configuration can exceed.
    package var bytes: Double

    /// What a layer takes besides its numbers: names, objects and the smallest blocks of its weights.
    private static let bytesPerLayer = 6000.0

    /// - Parameter isTrained: whether there are gradients and two moments for each weight, too.
    package init(_ settings: LlamaConfiguration, isTrained: Bool) {
        bytes = settings.parameterCount * (isTrained ? 16 : 4) + Double(settings.layerCount) * Self.bytesPerLayer
    }

    /// - Parameter limit: of the option; what is free when nil.
    /// - Throws: `MemoryError` when it is more than there is.
    package func check(limit: String?) throws {
        let own = MachineMemory.process()?.now ?? 0
        let room = [limit.flatMap(ByteCount.init)?.bytes, MachineMemory.available()].compactMap(\.self).min()
        guard let room, bytes + Double(own) > Double(room) else { return }
        throw MemoryError(
            needed: Int(min(bytes + Double(own), 0x1p62)), available: room,
            settings: "make the model smaller (--hidden-size, --intermediate-size, --num-hidden-layers, --vocabulary-size)")
    }
}
