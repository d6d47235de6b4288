internal import Formats
internal import Foundation

/// Formatting of numbers for display.
package enum Quantity {
    /// A rate, such as "1,460", "23.1" or "0.25".
    package static func rate(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        return value >= 99.95 ? grouped(value) : String(format: value >= 9.995 ? "%.1f" : "%.2f", value)
    }

    /// An integer with thousands separators, such as "12,345".
    package static func grouped(_ value: Double) -> String {
        guard abs(value) < 1e15 else { return String(format: "%.3g", value) }
        return Counted.grouped(Int(value.rounded()))
    }

    /// A duration in seconds, such as "45s", "3:12" or "1:02:03".
    package static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "–" }
        let total = Int(max(0, seconds).rounded())
        if total < 60 { return "\(total)s" }
        let minutes = String(format: total < 3600 ? "%d:%02d" : "%02d:%02d", total / 60 % 60, total % 60)
        return total < 3600 ? minutes : "\(total / 3600):\(minutes)"
    }

    /// A loss or score with four significant digits, such as "4.758", "0.01234" or "1.2e-05".
    package static func loss(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-infinity" : "infinity" }
        let magnitude = abs(value)
        if magnitude != 0 && (magnitude < 1e-3 || magnitude >= 1e6) { return String(format: "%.1e", value) }
        let decimals =
            switch magnitude {
            case 1000...: 0
            case 100...: 1
            case 10...: 2
            case 0, 0.1...: 3
            default: 5
            }
        return String(format: "%.\(decimals)f", value)
    }
}
