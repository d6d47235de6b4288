/// Outputs under a name.
public struct DiversitySource: Sendable, Equatable {
    /// For headings.
    public var name: String
    /// For errors: a file, or whatever else the outputs were read from.
    public var place: String
    /// The outputs.
    public var input: DiversityInput

    /// A source; its place is its name unless said otherwise.
    public init(_ name: String, _ input: DiversityInput, place: String? = nil) {
        self.name = name
        self.place = place ?? name
        self.input = input
    }

    /// Puts the source to what `body` misses in it.
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

/// What one system wrote: for inputs, and for inputs out of distribution where there are any.
public struct DiversitySystem: Sendable, Equatable {
    /// Its outputs; in distribution, where there are others.
    public var outputs: DiversitySource
    /// Its outputs for inputs out of distribution.
    public var outOfDistribution: DiversitySource?

    /// A system from its sources.
    public init(_ outputs: DiversitySource, outOfDistribution: DiversitySource? = nil) {
        self.outputs = outputs
        self.outOfDistribution = outOfDistribution
    }

    /// A system by its name.
    public init(_ name: String, _ outputs: DiversityInput, outOfDistribution: DiversityInput? = nil) {
        self.outputs = DiversitySource(name, outputs)
        self.outOfDistribution = outOfDistribution.map { DiversitySource(name + ", out of distribution", $0) }
    }

    var sources: [DiversitySource] { [outputs] + (outOfDistribution.map { [$0] } ?? []) }
}

extension DiversityConfig {
    /// The same with one common length for all that is compared, where there is more than one source and none was chosen.
    /// - Throws: ``DiversityError/malformedInput(place:reason:)`` for an input without the reference that is asked for.
    public func comparing(_ systems: [DiversitySystem]) throws -> DiversityConfig {
        let sources = systems.flatMap(\.sources)
        guard commonLength == nil, sources.count > 1 else { return self }
        var config = self
        let texts = try sources.flatMap { try $0.input.selecting(self).groups.flatMap { $0.outputs.map(\.text) } }
        config.commonLength = LengthControl.commonLength(of: texts)
        return config
    }
}
