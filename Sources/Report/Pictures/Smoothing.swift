/// Smooths and thins long or noisy lines for drawing.
package enum Smoothing {
    /// Bias-corrected exponential moving averages (Kingma and Ba, 2015, section 3): of x₁ … xₜ with weights (1 − α)ᵗ⁻ⁱ, divided
    /// by the sum of the weights, where α = 2 / (k + 1) for a span of k points.
    package static func averages(_ values: [Double], span: Int) -> [Double] {
        let keep = 1 - 2 / (Double(max(1, span)) + 1)
        var (sum, weight) = (0.0, 0.0)
        return values.map { value in
            sum = keep * sum + value
            weight = keep * weight + 1
            return sum / weight
        }
    }

    /// The span for a number of points: a tenth of them, at least 3.
    package static func span(of count: Int) -> Int { max(3, count / 10) }

    /// The indices of the points to draw instead of all. The points are divided into equal parts; the first, the smallest and
    /// the largest point of each part are kept, and the last point of all. All indices if there are few points.
    package static func thinned(_ values: [Double], parts: Int) -> [Int] {
        guard values.count > 3 * max(1, parts) + 1 else { return Array(values.indices) }
        var places: [Int] = []
        for part in 0..<parts {
            let range = (part * values.count / parts)..<((part + 1) * values.count / parts)
            guard let least = range.min(by: { values[$0] < values[$1] }), let most = range.max(by: { values[$0] < values[$1] }) else {
                continue
            }
            places += Set([range.lowerBound, least, most]).sorted()
        }
        if places.last != values.count - 1 { places.append(values.count - 1) }
        return places
    }
}
