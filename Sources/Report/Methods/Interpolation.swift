import Eval

/// Values on the straight line between two systems, at the place where a quantity that both have has a given value.
struct Interpolation {
    /// How far from the first to the second, 0…1.
    let weight: Double
    /// How much the quantity grows from the first to the second.
    let run: Double
    /// The quantity of both, for every seed and prompt of those like training.
    let places: (first: [[String: Double]], second: [[String: Double]])

    /// A value there: what the two systems' own values make of it, and what the chance of the place adds.
    struct Value {
        /// With the chance of the place in it.
        var whole: SeedValues
        /// Without it.
        var own: SeedValues
        /// How steeply the value changes with the quantity.
        var slope: Double
    }

    /// The quantity itself, less its mean: its chance.
    private var chance: SeedValues? {
        SeedValues(mixed(places.first, places.second)).map { centred($0) }
    }

    /// A metric at the place; nil where one of the two lacks it.
    func value(
        _ metric: Experiment.Metric, _ first: MethodLines.Point, _ second: MethodLines.Point,
        _ split: KeyPath<MeasuredSystem, [SystemMeasurement]>, minusBase: Bool
    ) -> Value? {
        func cells(_ point: MethodLines.Point) -> [[String: Double]]? {
            let own = point.own[keyPath: split].compactMap { $0.prompts[metric] }
            guard own.count == point.own.id.count, !own.isEmpty else { return nil }
            guard minusBase else { return own }
            let base = point.base[keyPath: split].compactMap { $0.prompts[metric] }
            guard base.count == own.count else { return nil }
            return zip(own, base).map { common($0, $1) { $0 - $1 } }
        }
        if let from = cells(first), let to = cells(second) {
            let values = mixed(from, to)
            let steps = zip(from, to).map { from, to in common(from, to) { $1 - $0 } }
            guard let own = SeedValues(values), let step = SeedValues(steps) else { return nil }
            let slope = step.mean / run
            // on the same prompts the chances of value and place belong together
            let deviations = zip(values, mixed(places.first, places.second)).map { common($0, $1) { $0 - slope * $1 } }
            if split == \MeasuredSystem.id, let joint = SeedValues(deviations) {
                return Value(whole: moved(joint, to: own.mean), own: own, slope: slope)
            }
            return Value(whole: withChance(own, slope), own: own, slope: slope)
        }
        let (from, to) = (
            first.own[keyPath: split].compactMap { $0.across[metric] }, second.own[keyPath: split].compactMap { $0.across[metric] }
        )
        guard from.count == first.own.id.count, to.count == from.count, !from.isEmpty else { return nil }
        // a diversity over more prompts is another quantity
        guard zip(from, to).allSatisfy({ $0.inputs == $1.inputs }) else { return nil }
        // both are over the same prompts: their chances are taken to go together, which errs on the safe side
        let mixed = zip(from, to).map { from, to in
            let deviation = (1 - weight) * from.variance.squareRoot() + weight * to.variance.squareRoot()
            return SystemMeasurement.Across(
                value: (1 - weight) * from.value + weight * to.value, variance: deviation * deviation,
                degrees: min(from.degrees, to.degrees), inputs: from.inputs)
        }
        let own = SeedValues(mixed)
        let slope = (SeedValues(to).mean - SeedValues(from).mean) / run
        return Value(whole: withChance(own, slope), own: own, slope: slope)
    }

    /// A value in minus one out of distribution: the place's chance, which both have, counts once.
    func difference(_ id: Value, _ ood: Value) -> SeedValues {
        let own = id.own.minus(ood.own)
        return withChance(own, id.slope - ood.slope)
    }

    private func withChance(_ value: SeedValues, _ slope: Double) -> SeedValues {
        guard slope != 0, let chance else { return value }
        return value.minus(chance.times(slope))
    }

    private func mixed(_ first: [[String: Double]], _ second: [[String: Double]]) -> [[String: Double]] {
        zip(first, second).map { first, second in common(first, second) { (1 - weight) * $0 + weight * $1 } }
    }

    private func common(_ first: [String: Double], _ second: [String: Double], _ body: (Double, Double) -> Double) -> [String: Double] {
        first.reduce(into: [:]) { cells, cell in
            if let other = second[cell.key] { cells[cell.key] = body(cell.value, other) }
        }
    }

    private func centred(_ values: SeedValues) -> SeedValues { moved(values, to: 0) }

    private func moved(_ values: SeedValues, to mean: Double) -> SeedValues {
        let shift = mean - values.mean
        return SeedValues(seeds: values.seeds.map { $0 + shift }, variance: values.variance, degrees: values.degrees)
    }
}
