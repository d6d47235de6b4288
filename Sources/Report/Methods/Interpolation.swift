import Eval

/// Interpolates linearly between two systems, at the point where a quantity of both has a given value.
struct Interpolation {
    /// The interpolation weight of the second system, from 0 to 1.
    let weight: Double
    /// The increase of the quantity from the first system to the second.
    let run: Double
    /// The quantity for both systems, per seed and in-distribution prompt.
    let places: (first: [[String: Double]], second: [[String: Double]])

    /// An interpolated value, with and without the sampling error of the point at which it is interpolated.
    struct Value {
        /// The value including the sampling error of the point.
        var whole: SeedValues
        /// The value without that error.
        var own: SeedValues
        /// The change of the value per unit of the quantity.
        var slope: Double
    }

    /// The sampling error of the interpolated quantity: its values minus their mean.
    private var chance: SeedValues? {
        SeedValues(mixed(places.first, places.second)).map { centred($0) }
    }

    /// A metric interpolated at the point; nil if one of the two systems lacks it.
    /// - Parameter minusBase: whether to subtract the value of the base on the same prompt.
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
            // on the same prompts, the errors of the value and of the point are correlated, so they are combined per prompt
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
        // diversities over different numbers of inputs are not comparable
        guard zip(from, to).allSatisfy({ $0.inputs == $1.inputs }) else { return nil }
        // both diversities use the same prompts: assuming perfectly correlated errors is conservative
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

    /// The value in distribution minus the value out of distribution. The error of the point, which is common to both, counts
    /// once.
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
