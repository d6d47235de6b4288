package import Eval
internal import Foundation

/// Where the values of one axis lie on the page.
package struct PictureAxis {
    /// The values that are marked: round numbers, a few of them.
    package let ticks: [Double]
    private let low, high: Double
    private let begin, end: Double
    private let digits: Int

    /// An axis that holds all of some intervals, from one place on the page to another.
    package init(_ intervals: [Interval], from begin: Double, to end: Double) {
        // numbers whose differences would overflow lie at the edge
        let bound = 1e300
        let least = min(max(intervals.map(\.low).min() ?? 0, -bound), bound)
        let most = min(max(intervals.map(\.high).max() ?? 1, -bound), bound)
        // an axis needs room, and that must be more than what large numbers are rounded by
        let room = max(most - least, 1e-9, max(abs(least), abs(most)) * 0x1p-44) * 0.12
        (low, high) = (least - room, most + room)
        (self.begin, self.end) = (begin, end)
        // the round step 1, 2 or 5 · 10ⁿ that makes five parts or fewer
        let rough = (high - low) / 5
        let power = pow(10, log10(rough).rounded(.down))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? 10 * power
        digits = max(0, -Int(log10(step).rounded(.down)))
        ticks = Array(stride(from: (low / step).rounded(.up) * step, through: high, by: step))
    }

    /// The place of a value.
    package func place(_ value: Double) -> Double { begin + (value - low) / (high - low) * (end - begin) }

    /// The text of a mark.
    package func label(_ tick: Double) -> String { String(format: "%.\(digits)f", tick == 0 ? 0 : tick) }
}
