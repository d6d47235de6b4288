import Formats
import Models
import Tensor
import Train

// Settings with which a run that does not fit would fit.
extension MemoryPlan {
    /// The bytes that suggested settings leave free of `room` bytes: 3 percent and at least 4 MB. An estimate varies by 1 or 2 MB
    /// between starts of the same run.
    package static func margin(of room: Int) -> Int { max(4_000_000, room / 100 * 3) }

    /// Suggests settings with which the run takes at most `available` bytes less ``margin(of:)``: fewer tokens per pass and fewer
    /// responses that are sampled at the same time, which change no result; otherwise the first ``MemoryChoices/alternatives`` that
    /// fit, with what they cost; otherwise `advice`.
    package func settings(fitting available: Int, otherwise advice: String) -> String {
        let room = available - Self.margin(of: available)
        guard program < room else { return Self.advice(program: program) }
        guard expected > room else {
            return "the work before the first step took \(ByteCount(bytes: loaded)); raise --memory-limit, or \(advice)"
        }
        if let passes = smallerPasses(fitting: room) { return "\(passes) would fit" }
        // choices that save next to nothing are not worth naming
        var least = (bytes: expected / 20 * 19, options: "")
        for change in choices.alternatives {
            let plan = choosing(change.choices)
            if plan.expected <= room { return "\(change.options) would fit (\(change.costs))" }
            if let passes = plan.smallerPasses(fitting: room) { return "\(change.options) \(passes) would fit (\(change.costs))" }
            if plan.expected < least.bytes { least = (plan.expected, change.options) }
        }
        let others = least.options.isEmpty ? "" : "; \(least.options) would need \(ByteCount(bytes: least.bytes))"
        guard let tokens = tokensPerPass(fitting: room), tokens > 0 else { return advice + others }
        return "limit texts to \(Counted(tokens, "token")) (--max-source-length, --max-target-length) with --tokens-per-pass "
            + "\(tokens), or \(advice)" + others
    }

    /// What to do if the program and its data alone need more than is available.
    /// - Parameter program: the bytes of the program and its data.
    static func advice(program: Int) -> String {
        "the program and its data alone need about \(ByteCount(bytes: program)); raise --memory-limit"
    }

    /// The options of smaller passes with which the run takes at most `room` bytes: fewer tokens per pass, or the largest number of
    /// active responses that fits, alone or with fewer tokens per pass; nil if none fit. A pass has at least one item.
    private func smallerPasses(fitting room: Int) -> String? {
        func tokens(of plan: MemoryPlan) -> String? {
            guard let tokens = plan.tokensPerPass(fitting: room), tokens >= max(1, longest) else { return nil }
            return "--tokens-per-pass \(tokens)"
        }
        if let option = tokens(of: self) { return option }
        for fewer in training.fewerActive {
            var plan = self
            plan.training.caches = fewer.caches
            let option = "--max-active-responses \(fewer.responses)"
            if plan.expected <= room { return option }
            if let tokens = tokens(of: plan) { return "\(option) \(tokens)" }
        }
        return nil
    }

    /// The expected peak of training, apart from the peak of loading.
    var expected: Int { program + training.mapped + Allocator.bound(peak: training.peak) }

    /// The largest multiple of 32 tokens per pass with which the run takes at most `room` bytes, or the number itself if it is
    /// smaller than that; nil if the passes are not what takes too much.
    private func tokensPerPass(fitting room: Int) -> Int? {
        // smaller passes would be several in a step, and need the gradients
        guard !training.freesGradients else { return nil }
        let free = Allocator.mostInUse(within: room - program - training.mapped)
        guard training.fixed + training.caches + training.states <= free, training.training.perToken > 0 else { return nil }
        var tokens = training.trainingTokens(fitting: free) ?? 0
        if training.evaluationTokens > 0, training.evaluation.perToken > 0 {
            // evaluation passes hold twice as many tokens as training passes, and no gradients
            let spare = Double(free - training.fixed + training.gradients - training.states) - training.evaluation.fixed
            tokens = min(tokens, Int(max(0, spare) / training.evaluation.perToken / 2))
        }
        return tokens >= 32 ? tokens / 32 * 32 : max(0, tokens)
    }

    /// The plan of the same run with other choices.
    func choosing(_ other: MemoryChoices) -> MemoryPlan {
        var plan = self
        plan.choices = other
        let now = weights.bytes(choices.frozen, choices.precision, master: choices.master ?? .f32, packing: choices.packing)
        let then = weights.bytes(other.frozen, other.precision, master: other.master ?? .f32, packing: other.packing)
        plan.training.weights += then.allocated - now.allocated
        plan.training.packed += then.packed - now.packed
        if plan.training.packed < 0 {
            // copies that were made before the passes were measured count as weights
            plan.training.weights += plan.training.packed
            plan.training.packed = 0
        }
        plan.training.mapped += then.mapped - now.mapped
        if let kind = other.optimizer, kind != choices.optimizer { plan.training.optimizer = training.moments(of: kind) }
        let frees = other.appliesInBackward == true && training.hasOnePass
        if other.gradients != choices.gradients || frees != training.freesGradients {
            plan.training.gradients = training.gradientBytes(as: other.gradients ?? .f32, freed: frees)
            plan.training.freesGradients = frees
            // sums over the ranks are floats
            if training.exchange > 0 {
                plan.training.exchange +=
                    training.sumBytes(as: other.gradients ?? .f32) - training.sumBytes(as: choices.gradients ?? .f32)
            }
        }
        return plan
    }
}
