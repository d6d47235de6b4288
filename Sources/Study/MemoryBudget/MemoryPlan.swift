import Formats
import Tensor
package import Train

/// The expected memory of a run. It is reported before the first step, and the run fails if it exceeds the available memory.
package struct MemoryPlan {
    /// The bytes of the program, its libraries, texts and tokens.
    package var program: Int
    /// The memory of tensors during training, part by part.
    package var training: TrainingMemory
    /// The peak memory of the process so far, while it loaded models and data, in bytes.
    package var loaded: Int
    /// The tokens of the longest item of a pass. A pass cannot be smaller than one item.
    package var longest: Int

    /// A plan from its parts; see the properties.
    package init(program: Int, training: TrainingMemory, loaded: Int, longest: Int) {
        self.program = program
        self.training = training
        self.loaded = loaded
        self.longest = longest
    }

    /// The expected peak in bytes, including freed tensor blocks that the allocator keeps for reuse.
    package var peak: Int { max(loaded, program + Allocator.bound(peak: training.peak)) }

    /// One line that lists every part.
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
        return "memory: expected peak \(ByteCount(bytes: peak)) (\(text))"
    }

    /// Measures a trainer's memory, reports the plan, and checks that it fits.
    /// - Parameters:
    ///   - limit: the value of the memory option; nil means the memory that is available.
    ///   - longest: the tokens of the longest item of a pass.
    ///   - advice: the program's settings that reduce the memory of weights, optimiser or caches.
    ///   - measure: measures the trainer's memory.
    /// - Throws: `MemoryError` when the run needs more memory than is available.
    static func check(
        limit: String?, longest: Int, advice: String, note: (String) -> Void, _ measure: () throws -> TrainingMemory
    ) throws {
        // training does not reuse the blocks that loading and sampling left behind
        Allocator.shared.releaseKept()
        guard let before = MachineMemory.process() else { return }
        let program = max(0, before.now - Allocator.shared.bytesInUse)
        let plan = MemoryPlan(program: program, training: try measure(), loaded: before.peak, longest: longest)
        // blocks of the small measured passes would stay unused during training
        Allocator.shared.releaseKept()
        let room = [limit.flatMap(ByteCount.init)?.bytes, MachineMemory.available()].compactMap(\.self).min()
        note(plan.description + (room.map { "; \(ByteCount(bytes: $0)) available" } ?? ""))
        guard let room, plan.peak > room else { return }
        throw MemoryError(needed: plan.peak, available: room, settings: plan.settings(fitting: room, otherwise: advice))
    }

    /// Suggests settings with which the run takes at most `room` bytes.
    package func settings(fitting room: Int, otherwise advice: String) -> String {
        let free = Allocator.mostInUse(within: room - program)
        let caches = training.caches + training.states
        guard training.fixed + caches <= free, training.training.perToken > 0 else { return advice }
        var tokens = training.trainingTokens(fitting: free) ?? 0
        if training.evaluationTokens > 0, training.evaluation.perToken > 0 {
            // evaluation passes hold twice as many tokens as training passes
            let spare = Double(free - training.weights - training.optimizer) - training.evaluation.fixed
            tokens = min(tokens, Int(max(0, spare) / training.evaluation.perToken / 2))
        }
        let rounded = tokens / 32 * 32
        guard rounded >= longest else {
            return
                "limit texts to \(Counted(max(0, tokens), "token")) (--max-source-length, --max-target-length), or \(advice)"
        }
        return "--tokens-per-pass \(rounded) would fit"
    }
}

/// A run would need more memory than is available.
public struct MemoryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes that the run is expected to need.
    public var needed: Int
    /// The bytes that may be used.
    public var available: Int
    /// A suggestion of settings that would fit.
    public var settings: String

    /// One line with both numbers and the suggestion.
    public var description: String {
        "the run needs about \(ByteCount(bytes: needed)) of memory, but only \(ByteCount(bytes: available)) is available: \(settings)"
    }
}
