public import Tensor
public import Testing

/// Expects two tensors to have one shape and elements that differ by at most `absolute + relative · |expected|`.
///
/// The order of the judgement: shapes, then numbers that are not finite (they must be the same on both sides), then all elements. A
/// failure says how many are outside and shows the worst. Returns the largest difference found, NaN when it could not be taken.
@discardableResult
public func expectClose(
    _ actual: Tensor, _ expected: Tensor, relative: Double = 1e-4, absolute: Double = 1e-6, label: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) -> Double {
    guard actual.shape == expected.shape else {
        Issue.record("\(label) shape \(actual.shape), expected \(expected.shape)", sourceLocation: sourceLocation)
        return .nan
    }
    return expectClose(
        actual.values, expected.values, relative: relative, absolute: absolute, label: label, sourceLocation: sourceLocation)
}

/// Like the form for tensors, for arrays; their counts are their shapes.
@discardableResult
public func expectClose<Actual: BinaryFloatingPoint, Expected: BinaryFloatingPoint>(
    _ actual: [Actual], _ expected: [Expected], relative: Double = 1e-4, absolute: Double = 1e-6, label: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) -> Double {
    let comparison = Closeness(actual, expected, relative: relative, absolute: absolute)
    if let complaint = comparison.complaint {
        Issue.record("\(label) \(complaint)", sourceLocation: sourceLocation)
    }
    return comparison.largestError
}

/// Like the form for tensors, for two numbers.
@discardableResult
public func expectClose<Actual: BinaryFloatingPoint, Expected: BinaryFloatingPoint>(
    _ actual: Actual, _ expected: Expected, relative: Double = 1e-4, absolute: Double = 1e-6, label: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) -> Double {
    expectClose(
        [actual], [expected], relative: relative, absolute: absolute, label: label, sourceLocation: sourceLocation)
}

/// Expects two lists of tensors to have the same shapes and bits.
package func expectIdentical(
    _ results: [Tensor], _ expected: [Tensor], _ label: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(results.count == expected.count, "\(label)", sourceLocation: sourceLocation)
    for (index, (result, expected)) in zip(results, expected).enumerated() {
        #expect(result.isIdentical(to: expected), "\(label), result \(index)", sourceLocation: sourceLocation)
    }
}

/// How two arrays of numbers differ: the judgement of `expectClose`, apart from the reporting.
public struct Closeness: Sendable, Equatable {
    /// What is wrong in one line; nil when nothing is.
    public let complaint: String?
    /// The largest difference of two finite elements; NaN when the arrays could not be compared element by element.
    public let largestError: Double

    /// Compares; see `expectClose`.
    public init<Actual: BinaryFloatingPoint, Expected: BinaryFloatingPoint>(
        _ actual: [Actual], _ expected: [Expected], relative: Double, absolute: Double
    ) {
        guard actual.count == expected.count else {
            (complaint, largestError) = ("\(actual.count) numbers, expected \(expected.count)", .nan)
            return
        }
        let pairs = zip(actual, expected).map { (Double($0), Double($1)) }
        // two infinities of one sign are equal, two NaNs as well
        let odd = pairs.indices.filter { index in
            let (a, e) = pairs[index]
            return !(a.isFinite && e.isFinite) && a != e && !(a.isNaN && e.isNaN)
        }
        if let first = odd.first {
            complaint =
                "\(odd.count) of \(pairs.count) numbers are not finite on one side only; the first is at \(first): "
                + "\(pairs[first].0), expected \(pairs[first].1)"
            largestError = .nan
            return
        }
        var (outside, worst, worstExcess, largest) = (0, 0, -Double.infinity, 0.0)
        for (index, (a, e)) in pairs.enumerated() where e.isFinite {
            let error = abs(a - e)
            let excess = error - (absolute + relative * abs(e))
            if excess > 0 { outside += 1 }
            if excess > worstExcess { (worst, worstExcess) = (index, excess) }
            largest = max(largest, error)
        }
        largestError = largest
        complaint =
            outside == 0
            ? nil
            : "\(outside) of \(pairs.count) numbers are outside of \(absolute) + \(relative)·|expected|; the worst is at "
                + "\(worst): \(pairs[worst].0), expected \(pairs[worst].1)"
    }
}

/// Whether two numbers are equal to 1e-9 of the larger of the two, or of 1.
public func isClose(_ actual: Double, _ expected: Double, _ tolerance: Double = 1e-9) -> Bool {
    abs(actual - expected) <= tolerance * max(1, abs(actual), abs(expected))
}
