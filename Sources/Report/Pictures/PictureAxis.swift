package import Eval
internal import Foundation

/// An axis, which maps values to positions on the page.
package struct PictureAxis {
    /// How values are mapped to positions.
    package enum Scale: Sendable {
        /// Equal differences have equal distances.
        case linear
        /// Equal ratios have equal distances; for values above 0.
        case logarithmic
    }

    /// The values with tick marks; by default a few round numbers.
    package let ticks: [Double]
    private let low, high: Double
    private let begin, end: Double
    private let digits: Int
    private let scale: Scale

    /// Creates an axis that covers some intervals, from one position on the page to another.
    /// - Parameters:
    ///   - begin: the position of the smallest values, in pixels.
    ///   - end: the position of the largest values, in pixels.
    ///   - scale: how values are mapped to positions. On a logarithmic axis, values of 0 and below are at its edge.
    ///   - share: the margin on each side, as a fraction of the range of the intervals.
    ///   - marked: the values with tick marks. Default: round numbers.
    package init(
        _ intervals: [Interval], from begin: Double, to end: Double, scale: Scale = .linear, room share: Double = 0.12,
        ticks marked: [Double]? = nil
    ) {
        (self.begin, self.end, self.scale) = (begin, end, scale)
        // clamps values whose differences would overflow to the edge
        let bound = 1e300
        var least = min(max(intervals.map(\.low).filter { !$0.isNaN }.min() ?? 0, -bound), bound)
        var most = min(max(intervals.map(\.high).filter { !$0.isNaN }.max() ?? 1, -bound), bound)
        guard scale == .linear else {
            let positive = intervals.flatMap { [$0.low, $0.high] }.filter { $0 > 0 && $0.isFinite }
            least = log10(max(positive.min() ?? 1, 1e-300))
            most = log10(max(positive.max() ?? 10, 1e-300))
            let room = max(most - least, 0.02) * share
            (low, high) = (least - room, most + room)
            digits = 0
            let decades = Int(low.rounded(.down))...Int(high.rounded(.up))
            let multiples: [Double] = decades.count > 4 ? [1] : decades.count > 2 ? [1, 3] : [1, 2, 5]
            let (low, high) = (low, high)
            let step = max(1, decades.count / 6)
            ticks =
                marked
                ?? decades.filter { $0 % step == 0 }.flatMap { decade in multiples.map { $0 * pow(10, Double(decade)) } }
                .filter { (low...high).contains(log10($0)) }
            return
        }
        // the axis needs a margin above the rounding error of large numbers
        let greatest = max(abs(least), abs(most))
        // if all values are equal, the axis extends by a fifth of their magnitude on each side
        let room = most > least ? max(most - least, 1e-9, greatest * 0x1p-44) * share : greatest > 0 ? greatest * 0.2 : 0.5
        (low, high) = (least - room, most + room)
        // the smallest round step, 1, 2 or 5 · 10ⁿ, that divides the axis into at most five parts
        let rough = (high - low) / 5
        let power = pow(10, log10(rough).rounded(.down))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? 10 * power
        digits = max(0, -Int(log10(step).rounded(.down)))
        ticks = marked ?? stride(from: (low / step).rounded(.up), through: (high / step).rounded(.down), by: 1).map { $0 * step }
    }

    /// The position of a value, in pixels.
    package func place(_ value: Double) -> Double {
        let value = scale == .linear ? value : value > 0 ? log10(value) : low
        return begin + (value - low) / (high - low) * (end - begin)
    }

    /// The label of a tick mark.
    package func label(_ tick: Double) -> String {
        if tick == 0 { return String(format: "%.\(scale == .linear && digits <= 4 ? digits : 0)f", 0.0) }
        if scale == .logarithmic || digits > 4 { return Self.short(tick) }
        if abs(tick) >= 10_000, abs(tick) < 1e15, tick.truncatingRemainder(dividingBy: 1000) == 0 { return "\(Self.short(tick / 1000))k" }
        if abs(tick) >= 1e15 { return Self.short(tick) }
        return String(format: "%.\(digits)f", tick)
    }

    /// A number with at most four significant digits.
    private static func short(_ value: Double) -> String { String(format: "%.4g", value) }
}
