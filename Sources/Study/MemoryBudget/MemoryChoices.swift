package import Models
package import Tensor
package import Train

/// The settings of a run that decide how much memory weights and the optimiser take.
package struct MemoryChoices: Sendable, Equatable {
    /// The optimiser; nil if nothing is trained.
    package var optimizer: OptimizerKind?
    /// The format of frozen weights.
    package var frozen: FrozenFormat
    /// The format of trained weights; nil if nothing is trained.
    package var master: MasterFormat?
    /// The format of gradients; nil if nothing is trained.
    package var gradients: GradientFormat?
    /// Whether each weight is updated in the backward pass; nil if the run cannot do that, or would save nothing by it.
    package var appliesInBackward: Bool?
    /// The precision of products.
    package var precision: Compute.Precision
    /// The weights of which products keep packed copies. It is no option: a run gives up as many copies as it must to fit.
    package var packing = PackedCopies.all

    /// Choices; see the properties.
    package init(
        optimizer: OptimizerKind? = nil, frozen: FrozenFormat = .f32, master: MasterFormat? = nil, gradients: GradientFormat? = nil,
        appliesInBackward: Bool? = nil, precision: Compute.Precision = .f32
    ) {
        (self.optimizer, self.frozen, self.master, self.gradients) = (optimizer, frozen, master, gradients)
        (self.appliesInBackward, self.precision) = (appliesInBackward, precision)
    }

    /// The choices of a run.
    /// - Parameters:
    ///   - run: the settings of the run.
    ///   - optimizer: the optimiser; nil if nothing is trained.
    ///   - mayApplyInBackward: whether updates in the backward pass are possible and save memory.
    init(_ run: RunSettings, optimizer: AdamConfig?, mayApplyInBackward: Bool) {
        self.init(optimizer: optimizer?.kind, frozen: run.frozenFormat, precision: Compute.precision)
        guard let optimizer else { return }
        (master, gradients) = (run.masterFormat, run.gradientFormat)
        appliesInBackward = optimizer.appliesInBackward ? true : mayApplyInBackward ? false : nil
    }

    /// Another choice, with the options that make it.
    package struct Change: Sendable {
        /// The choice.
        package var choices: MemoryChoices
        /// The options, as on the command line.
        package var options: String
        /// What the options cost, in words.
        package var costs: String
    }

    /// One setting with another value.
    private struct Step {
        var option: String
        var cost: String
        /// How much it changes a run: smaller numbers are tried first.
        var weight: Int
        var apply: (inout MemoryChoices) -> Void
    }

    /// Other choices that can take less memory, those that change the run least first.
    package var alternatives: [Change] {
        let combinations = [optimizers, formats, gradientFormats, masters, precisions, updates].reduce([[]]) { found, steps in
            found.flatMap { list in steps.map { list + [$0].compactMap(\.self) } }
        }
        let sorted = combinations.filter { !$0.isEmpty }.enumerated().sorted { a, b in
            let (first, second) = (Self.weight(of: a.element), Self.weight(of: b.element))
            return first == second ? a.offset < b.offset : first < second
        }
        return sorted.map { _, steps in
            var choices = self
            steps.forEach { $0.apply(&choices) }
            return Change(
                choices: choices, options: steps.map(\.option).joined(separator: " "), costs: steps.map(\.cost).joined(separator: "; "))
        }
    }

    private static func weight(of steps: [Step]) -> Int { steps.reduce(0) { $0 + $1.weight } }

    /// Optimisers that keep less than the run's, with what they cost. A new kind that saves memory gets a line here.
    private var optimizers: [Step?] {
        guard let optimizer else { return [nil] }
        let costs: [(name: String, cost: String, weight: Int)] = [
            ("adamw8bit", "the optimiser's moments are rounded to 8 bits", 1),
            ("lion", "lion is another rule of a step, which needs a learning rate 3 to 10 times smaller", 9),
            ("adafactor", "adafactor is another rule of a step, without a first moment", 10),
        ]
        return [nil]
            + costs.compactMap { line in
                guard let kind = OptimizerKind(rawValue: line.name), kind.bytesPerWeight < optimizer.bytesPerWeight else { return nil }
                return Step(option: "--optimizer \(line.name)", cost: line.cost, weight: line.weight) { $0.optimizer = kind }
            }
    }

    /// Formats of frozen weights that are narrower than the run's.
    private var formats: [Step?] {
        let bf16 = Step(
            option: "--frozen-dtype bf16", cost: "frozen weights are rounded to bfloat16, with 8 significant bits", weight: 2
        ) { $0.frozen = .bf16 }
        let int8 = Step(
            option: "--frozen-dtype int8", cost: "frozen weights are rounded to 8-bit integers, and products with them take more time",
            weight: 3
        ) { $0.frozen = .int8 }
        switch frozen {
        case .f32: return [nil, bf16, int8]
        case .bf16: return [nil, int8]
        case .int8: return [nil]
        }
    }

    /// A narrower format of gradients.
    private var gradientFormats: [Step?] {
        guard gradients == .f32 else { return [nil] }
        let cost = "gradients are kept in bfloat16, with 8 significant bits, and rounded at random in each pass"
        return [nil, Step(option: "--gradient-dtype bf16", cost: cost, weight: 3) { $0.gradients = .bf16 }]
    }

    /// Updates in the backward pass.
    private var updates: [Step?] {
        guard appliesInBackward == false else { return [nil] }
        let cost = "the results stay the same, but a bad gradient may be found after some weights are updated"
        return [nil, Step(option: "--apply-in-backward true", cost: cost, weight: 0) { $0.appliesInBackward = true }]
    }

    /// A narrower format of trained weights.
    private var masters: [Step?] {
        guard master == .f32 else { return [nil] }
        let cost = "trained weights are kept in bfloat16, with 8 significant bits, and rounded at random in each step"
        return [nil, Step(option: "--master-dtype bf16", cost: cost, weight: 5) { $0.master = .bf16 }]
    }

    /// The other precision of products, which keeps other copies of weights.
    private var precisions: [Step?] {
        switch precision {
        case .f32:
            [nil, Step(option: "--dtype bf16", cost: "factors of products are rounded to bfloat16", weight: 4) { $0.precision = .bf16 }]
        case .bf16: [nil, Step(option: "--dtype f32", cost: "products take more time", weight: 4) { $0.precision = .f32 }]
        }
    }
}
