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
    /// How the weights take memory, for advice.
    package var weights: WeightMemory
    /// The run's choices that decide how much weights and the optimiser take.
    package var choices: MemoryChoices

    /// A plan from its parts; see the properties.
    package init(
        program: Int, training: TrainingMemory, loaded: Int, longest: Int, weights: WeightMemory = WeightMemory(),
        choices: MemoryChoices = MemoryChoices()
    ) {
        (self.program, self.training, self.loaded, self.longest) = (program, training, loaded, longest)
        (self.weights, self.choices) = (weights, choices)
    }

    /// The expected peak in bytes, including freed tensor blocks that the allocator keeps for reuse.
    package var peak: Int { max(loaded, program + training.mapped + Allocator.bound(peak: training.peak)) }

    /// One line that lists every part that is not 0.
    package var description: String {
        let parts: [(name: String, bytes: Int)] = [
            ("weights", training.weights), ("weights in files", training.mapped), ("packed weights", training.packed),
            ("tables", training.tables), ("optimiser", training.optimizer), ("gradients", training.gradients),
            ("activations", training.activations), ("caches", training.caches), ("trunk states", training.states),
            ("blocks kept for reuse", Allocator.bound(peak: training.peak) - training.peak), ("program and data", program),
        ]
        let text = parts.filter { $0.bytes > 0 }.map { "\($0.name) \(ByteCount(bytes: $0.bytes))" }.joined(separator: ", ")
        return "memory: expected peak \(ByteCount(bytes: peak)) (\(text))"
    }

    /// Measures a trainer's memory, gives up packed copies of weights if the run needs it, reports the plan, and checks that it fits.
    /// - Parameters:
    ///   - run: the settings of the run.
    ///   - models: all models of the run, as they are held during training.
    ///   - session: the session of the run, which shows the plan as a line.
    ///   - optimizer: the optimiser; nil if nothing is trained.
    ///   - mayApplyInBackward: whether no other setting prevents updates in the backward pass. One process alone can make them.
    ///   - longest: the tokens of the longest item of a pass.
    ///   - advice: the program's settings that reduce the memory of weights, optimiser or caches.
    ///   - measure: measures the trainer's memory.
    /// - Throws: `MemoryError` when the run needs more memory than is available.
    static func check(
        _ run: RunSettings, _ models: RunModels, _ session: RunSession, optimizer: AdamConfig? = nil, mayApplyInBackward: Bool = false,
        longest: Int, advice: String, _ measure: () throws -> TrainingMemory
    ) throws {
        // training does not reuse the blocks that loading and sampling left behind
        Allocator.shared.releaseKept()
        // pages of weights are counted separately
        models.forgetPages()
        guard let before = MachineMemory.process() else { return }
        let (held, weights) = (Allocator.shared.bytesInUse, models.memory)
        let program = max(0, before.now - held)
        var packing = PackedCopies.all
        if let room = MachineMemory.room(limit: run.memoryLimit, ranks: session.ranksOnMachine) {
            packing = Self.packing(run, models, optimizer: optimizer, weights: weights, program: program, held: held, fitting: room)
        }
        models.keepCopies(packing, of: weights)
        let left = Allocator.shared.bytesInUse
        var training = try measure()
        training.add(weights, created: Allocator.shared.bytesInUse - left, packing: packing)
        let mayApplyInBackward = mayApplyInBackward && training.hasOnePass && session.collective.size == 1
        var choices = MemoryChoices(run, optimizer: optimizer, mayApplyInBackward: mayApplyInBackward)
        choices.packing = packing
        var plan = MemoryPlan(
            program: program, training: training, loaded: before.peak, longest: longest, weights: weights, choices: choices)
        let room = MachineMemory.room(limit: run.memoryLimit, ranks: session.ranksOnMachine)
        if let room { plan = plan.givingUpCopies(fitting: room) }
        models.keepCopies(plan.choices.packing, of: weights)
        // blocks of the small measured passes would stay unused during training
        Allocator.shared.releaseKept()
        session.say(plan.description + (room.map { "; \(ByteCount(bytes: $0)) available" } ?? ""))
        guard let room, plan.peak > room else {
            if let packingNote = plan.packingNote { session.say(packingNote) }
            return
        }
        throw MemoryError(needed: plan.peak, available: room, settings: plan.settings(fitting: room, otherwise: advice))
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

    /// An error from its parts; see the properties.
    package init(needed: Int, available: Int, settings: String) {
        (self.needed, self.available, self.settings) = (needed, available, settings)
    }

    /// One line with both numbers and the suggestion.
    public var description: String {
        let texts = ByteCount.compared(needed, available)
        let verb = texts.second.hasPrefix("1 ") ? "is" : "are"
        return "the run needs about \(texts.first) of memory, but only \(texts.second) \(verb) available: \(settings)"
    }
}
