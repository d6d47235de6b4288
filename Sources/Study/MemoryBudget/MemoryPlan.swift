import Tensor
package import Train

/// What a run is expected to take of the memory, said before its first step, and refused when it is not there.
package struct MemoryPlan {
    /// The program, its libraries, texts and tokens.
    package var program: Int
    package var training: TrainingMemory
    /// The most that the process has had until now, while it loaded.
    package var loaded: Int
    /// The longest item of a pass: no pass can be cut to less.
    package var longest: Int

    /// A plan; see the properties.
    package init(program: Int, training: TrainingMemory, loaded: Int, longest: Int) {
        self.program = program
        self.training = training
        self.loaded = loaded
        self.longest = longest
    }

    /// The expected peak; of tensors with the blocks that are kept beside those in use.
    package var peak: Int { max(loaded, program + Allocator.bound(peak: training.peak)) }

    /// One line with every part.
    package var description: String {
        var parts: [(String, Int)] = [
            ("weights", training.weights), ("optimiser", training.optimizer), ("gradients", training.gradients),
            ("activations", training.activations),
        ]
        if training.caches > 0 { parts.append(("caches", training.caches)) }
        if training.states > 0 { parts.append(("trunk states", training.states)) }
        parts.append(("blocks kept for reuse", Allocator.bound(peak: training.peak) - training.peak))
        parts.append(("program and data", program))
        let text = parts.map { "\($0.0) \(ByteCount(bytes: $0.1))" }.joined(separator: ", ")
        return "memory: \(ByteCount(bytes: peak)) expected at the peak (\(text))"
    }

    /// Measures a trainer and says what it will take.
    /// - Parameters:
    ///   - limit: of the option; what is free when nil.
    ///   - longest: the longest item of a pass.
    ///   - advice: settings of the program that make the optimiser and the weights, or the caches, smaller.
    /// - Throws: `MemoryError` when it is more than there is.
    static func check(
        limit: String?, longest: Int, advice: String, note: (String) -> Void, _ measure: () throws -> TrainingMemory
    ) throws {
        // what loading, sampling and the like have left is of no use to training
        Allocator.shared.releaseKept()
        guard let before = MachineMemory.process() else { return }
        let program = max(0, before.now - Allocator.shared.bytesInUse)
        let plan = MemoryPlan(program: program, training: try measure(), loaded: before.peak, longest: longest)
        // blocks of the size of small passes would lie idle beside those of the real ones
        Allocator.shared.releaseKept()
        let room = [limit.flatMap(ByteCount.init)?.bytes, MachineMemory.available()].compactMap(\.self).min()
        note(plan.description + (room.map { "; \(ByteCount(bytes: $0)) may be used" } ?? ""))
        guard let room, plan.peak > room else { return }
        throw MemoryError(needed: plan.peak, available: room, settings: plan.settings(fitting: room, otherwise: advice))
    }

    /// What to change so that the run takes at most `room`.
    package func settings(fitting room: Int, otherwise advice: String) -> String {
        let free = Allocator.mostInUse(within: room - program)
        let caches = training.caches + training.states
        guard training.fixed + caches <= free, training.training.perToken > 0 else { return advice }
        var tokens = training.trainingTokens(fitting: free) ?? 0
        if training.evaluationTokens > 0, training.evaluation.perToken > 0 {
            // evaluations take twice as many tokens at once as training
            let spare = Double(free - training.weights - training.optimizer) - training.evaluation.fixed
            tokens = min(tokens, Int(max(0, spare) / training.evaluation.perToken / 2))
        }
        let rounded = tokens / 32 * 32
        guard rounded >= longest else {
            return
                "texts of at most \(max(0, tokens)) tokens would fit (--max-source-length, --max-target-length); or \(advice)"
        }
        return "--tokens-per-pass \(rounded) would fit"
    }
}

/// A run would need more memory than there is.
public struct MemoryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Bytes that are expected to be needed.
    public var needed: Int
    /// Bytes that may be used.
    public var available: Int
    /// What would fit.
    public var settings: String

    public var description: String {
        "the run is expected to need \(ByteCount(bytes: needed)) of memory, but only \(ByteCount(bytes: available)) may be used: \(settings)"
    }
}
