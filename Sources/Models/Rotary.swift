package import Tensor

/// How positions turn into rotation angles.
public struct RotarySettings: Sendable, Equatable {
    /// The ways in which released models stretch their positions.
    public enum Scaling: Sendable, Equatable {
        case none
        /// Positions divided by a factor.
        case linear(factor: Double)
        /// A larger base for sequences beyond the trained length; up to that length, which is what the table holds, it changes nothing.
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

    /// The angular frequencies of a head of `dim` channels: base^(−2i/dim), stretched.
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

    /// Cosines and sines of positions 0..<positions.
    package func table(dim: Int, positions: Int) -> RotaryTable {
        let frequencies = frequencies(dim: dim, length: positions).map { Float($0) }
        // angles are products of floats, as the models were trained with
        func fill(_ function: (Double) -> Double) -> Tensor {
            Tensor(
                (0..<positions).flatMap { position in frequencies.map { Float(function(Double(Float(position) * $0))) } },
                shape: [positions, dim / 2])
        }
        return RotaryTable(cosines: fill { cosine($0) }, sines: fill { sine($0) })
    }

    func configuration() -> [String: ConfigurationValue] {
        var rope: [String: ConfigurationValue]?
        switch scaling {
        case .none: rope = nil
        case .linear(let factor): rope = ["rope_type": .string("linear"), "factor": .number(factor)]
        case .dynamic(let factor, let trained):
            rope = [
                "rope_type": .string("dynamic"), "factor": .number(factor),
                "original_max_position_embeddings": .integer(trained),
            ]
        case .llama3(let factor, let low, let high, let trained):
            rope = [
                "rope_type": .string("llama3"), "factor": .number(factor), "low_freq_factor": .number(low),
                "high_freq_factor": .number(high), "original_max_position_embeddings": .integer(trained),
            ]
        }
        return ["rope_theta": .number(base), "rope_scaling": rope.map { .object($0) } ?? .null]
    }
}
