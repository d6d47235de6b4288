public import Formats
import Tensor

/// How positions turn into rotation angles.
public struct RotarySettings: Sendable, Equatable {
    /// The ways in which released models stretch their positions.
    public enum Scaling: Sendable, Equatable {
        case none
        /// Positions divided by a factor.
        case linear(factor: Double)
        /// A larger base for sequences beyond the trained length; up to that length it changes nothing.
        case dynamic(factor: Double, trainedLength: Int)
        /// LLaMA 3.1: low frequencies divided by a factor, high ones kept, a blend between.
        case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, trainedLength: Int)
    }
    /// The base of the geometric series of frequencies.
    public var base: Double
    /// The stretching.
    public var scaling: Scaling

    /// LLaMA's own base without stretching, unless given.
    public init(base: Double = 10_000, scaling: Scaling = .none) {
        self.base = base
        self.scaling = scaling
    }

    /// The angular frequencies of a head of `dim` channels in a sequence of `length` tokens: base^(−2i/dim), stretched.
    package func frequencies(dim: Int, length: Int) -> [Double] {
        var base = base
        if case .dynamic(let factor, let trained) = scaling, length > trained {
            let stretch = factor * Double(length) / Double(trained) - (factor - 1)
            base *= power(stretch, Double(dim) / Double(dim - 2))
        }
        let plain = (0..<dim / 2).map { 1 / power(base, Double(2 * $0) / Double(dim)) }
        switch scaling {
        case .none, .dynamic: return plain
        case .linear(let factor): return plain.map { $0 / factor }
        case .llama3(let factor, let low, let high, let trained):
            return plain.map { frequency in
                let wavelength = 2 * Double.pi / frequency
                if wavelength < Double(trained) / high { return frequency }
                if wavelength > Double(trained) / low { return frequency / factor }
                let blend = (Double(trained) / wavelength - low) / (high - low)
                return (1 - blend) * frequency / factor + blend * frequency
            }
        }
    }

    /// `rope_scaling` as config.json has it.
    public func scalingConfiguration() -> JSONValue {
        switch scaling {
        case .none: .null
        case .linear(let factor): ["rope_type": "linear", "factor": JSONValue(factor)]
        case .dynamic(let factor, let trained):
            ["rope_type": "dynamic", "factor": JSONValue(factor), "original_max_position_embeddings": JSONValue(trained)]
        case .llama3(let factor, let low, let high, let trained):
            [
                "rope_type": "llama3", "factor": JSONValue(factor), "low_freq_factor": JSONValue(low),
                "high_freq_factor": JSONValue(high), "original_max_position_embeddings": JSONValue(trained),
            ]
        }
    }

    /// Reads `rope_theta` and `rope_scaling` (Transformers 4) or `rope_parameters` (Transformers 5).
    /// - Throws: ``ModelError`` for scaling that is not here, or that lacks a number.
    public init(reading file: ConfigurationReader, contextLength: Int) throws {
        let section = try file.section("rope_parameters") ?? file.section("rope_scaling")
        let base = try section?.positiveNumber("rope_theta") ?? file.positiveNumber("rope_theta") ?? 10_000
        guard let section else {
            self.init(base: base)
            return
        }
        func factor(_ key: String) throws -> Double {
            guard let value = try section.positiveNumber(key) else {
                throw ModelError.configuration(key: "rope_scaling.\(key)", problem: "is missing")
            }
            return value
        }
        let trained = try section.optionalCount("original_max_position_embeddings") ?? contextLength
        let type = try section.optionalString("rope_type") ?? section.optionalString("type") ?? "default"
        switch type {
        case "default": self.init(base: base)
        case "linear": self.init(base: base, scaling: .linear(factor: try factor("factor")))
        case "dynamic":
            // Transformers stretches beyond max_position_embeddings, whatever original_max_position_embeddings says
            self.init(base: base, scaling: .dynamic(factor: try factor("factor"), trainedLength: contextLength))
        case "llama3":
            self.init(
                base: base,
                scaling: .llama3(
                    factor: try factor("factor"), lowFrequencyFactor: try factor("low_freq_factor"),
                    highFrequencyFactor: try factor("high_freq_factor"), trainedLength: trained))
        default: throw ModelError.unsupported("rope scaling of type '\(type)'")
        }
    }
}
