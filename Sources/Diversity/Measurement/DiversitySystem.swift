/// Outputs with a name.
public struct DiversitySource: Sendable, Equatable {
    /// The name shown in headings.
    public var name: String
    /// The origin shown in error messages: a file, or wherever the outputs were read from.
    public var place: String
    /// The outputs.
    public var input: DiversityInput

    /// A source. Default for `place`: `name`.
    public init(_ name: String, _ input: DiversityInput, place: String? = nil) {
        self.name = name
        self.place = place ?? name
        self.input = input
    }

    /// Runs `body` and adds ``place`` to errors about rewards.
    func naming<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as DiversityError {
            switch error {
            case .rewardsMissing, .rewardNotFinite: throw DiversityError.inSource(place, error)
            default: throw error
            }
        }
    }
}

/// The outputs of one system: for its inputs, and optionally for out-of-distribution inputs.
public struct DiversitySystem: Sendable, Equatable {
    /// The system's outputs; the in-distribution ones if there are also out-of-distribution outputs.
    public var outputs: DiversitySource
    /// The system's outputs for out-of-distribution inputs, if there are any.
    public var outOfDistribution: DiversitySource?

    /// A system from its sources.
    public init(_ outputs: DiversitySource, outOfDistribution: DiversitySource? = nil) {
        self.outputs = outputs
        self.outOfDistribution = outOfDistribution
    }

    /// A system with a name and its outputs.
    public init(_ name: String, _ outputs: DiversityInput, outOfDistribution: DiversityInput? = nil) {
        self.outputs = DiversitySource(name, outputs)
        self.outOfDistribution = outOfDistribution.map { DiversitySource(name + ", out of distribution", $0) }
    }

    var sources: [DiversitySource] { [outputs] + (outOfDistribution.map { [$0] } ?? []) }
}

extension DiversityConfig {
    /// Returns a copy whose common length suits all compared systems, if there are several sources and no common length is set.
    /// - Throws: ``DiversityError/malformedInput(place:reason:)`` if references are requested and an input has none.
    public func comparing(_ systems: [DiversitySystem]) throws -> DiversityConfig {
        let sources = systems.flatMap(\.sources)
        guard commonLength == nil, sources.count > 1 else { return self }
        var config = self
        let texts = try sources.flatMap { try $0.input.selecting(self).groups.flatMap { $0.outputs.map(\.text) } }
        config.commonLength = LengthControl.commonLength(of: texts)
        return config
    }
}
