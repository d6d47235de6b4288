/// A number of things with a noun that agrees with it, for messages: "1 step", "12,345 steps".
package struct Counted: CustomStringConvertible, Sendable {
    /// The number with thousands separators, and the noun.
    package let description: String

    /// A number of things.
    /// - Parameters:
    ///   - count: the number.
    ///   - noun: the noun in the singular, such as `step`.
    ///   - plural: the noun in the plural. Default: the singular with an s.
    package init(_ count: some BinaryInteger, _ noun: String, plural: String? = nil) {
        description = "\(Self.grouped(count)) \(Self.form(count, noun, plural ?? noun + "s"))"
    }

    /// The one of two words that agrees with a number: `is` for 1, `are` for any other.
    package static func form(_ count: some BinaryInteger, _ one: String, _ many: String) -> String { count == 1 ? one : many }

    /// A number with thousands separators, such as "12,345".
    package static func grouped(_ count: some BinaryInteger) -> String {
        let digits = String(count.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index).isMultiple(of: 3) { result += "," }
            result.append(digit)
        }
        return count < 0 ? "-" + result : result
    }
}
