import Formats
import Models
import Tensor
import Train

// Packed copies that a run in bf16 precision does without if it does not fit otherwise. Results have the same bits, so nothing about it is
// an option or a part of a checkpoint.
extension MemoryPlan {
    /// The plan of the same run with packed copies of as many weights as fit into `room` bytes: first those of trained weights are
    /// given up, then the others. If the run does not fit in any case, it keeps none.
    package func givingUpCopies(fitting room: Int) -> MemoryPlan {
        var plan = self
        for packing in PackedCopies.allCases.drop(while: { $0 != choices.packing }) where plan.expected > room {
            var other = choices
            other.packing = packing
            let smaller = choosing(other)
            if smaller.expected < plan.expected { plan = smaller }
        }
        return plan
    }

    /// One line that says which copies are not kept, and what that saves; nil if all are kept.
    package var packingNote: String? {
        var all = choices
        all.packing = .all
        let saved = choosing(all).expected - expected
        let weights: String
        switch choices.packing {
        case .all: return nil
        case .frozen: weights = "trained weights"
        case .none: weights = "weights"
        }
        return "packed copies of \(weights) are not kept: \(ByteCount(bytes: saved)) saved; products take somewhat longer, "
            + "and results stay the same"
    }

    /// The copies to give up before passes are measured, which make copies themselves: the run could not fit with them, whatever its passes
    /// take.
    /// - Parameters:
    ///   - run: the settings of the run.
    ///   - models: its models.
    ///   - optimizer: the optimiser; nil if nothing is trained.
    ///   - weights: the memory of the weights.
    ///   - program: the bytes of the program.
    ///   - held: the bytes of tensors that exist.
    ///   - room: the bytes that the run may take.
    static func packing(
        _ run: RunSettings, _ models: RunModels, optimizer: AdamConfig?, weights: WeightMemory, program: Int, held: Int, fitting room: Int
    ) -> PackedCopies {
        var least = TrainingMemory()
        least.weights = held
        if let optimizer {
            least.trained = models.model.parameters.filter(\.isTrainable).map(\.value.shape)
            if !optimizer.appliesInBackward { least.gradients = least.gradientBytes(as: run.gradientFormat, freed: false) }
        }
        least.add(weights, created: 0)
        let plan = MemoryPlan(
            program: program, training: least, loaded: 0, longest: 0, weights: weights,
            choices: MemoryChoices(run, optimizer: optimizer, mayApplyInBackward: false))
        return plan.givingUpCopies(fitting: room).choices.packing
    }
}
