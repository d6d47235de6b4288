public import Formats
import Tensor

/// The settings of a rotary position embedding: how positions become rotation angles.
public struct RotarySettings: Sendable, Equatable {
    /// A method of extending the context of a rotary position embedding.
    public enum Scaling: Sendable, Equatable {
        /// No scaling.
        case none
        /// Linear position interpolation: positions are divided by a factor.
        case linear(factor: Double)
        /// Dynamic NTK scaling: a larger base for sequences beyond the trained length. No effect up to that length.
        case dynamic(factor: Double, trainedLength: Int)
        /// LLaMA 3.1: low frequencies are divided by a factor, high ones are kept, and those between are interpolated.
        case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, trainedLength: Int)
        /// YaRN (Peng et al. 2023).
        case yarn(YaRN)
        /// LongRoPE (Ding et al. 2024), as in Phi 3: every frequency is divided by its own factor, `short` for sequences up to
        /// the trained length and `long` for longer ones. Cosines and sines are multiplied by `magnitude`.
        case longRoPE(short: [Double], long: [Double], magnitude: Double, trainedLength: Int)
    }

    /// The parameters of YaRN, named after the keys of config.json.
    public struct YaRN: Sendable, Equatable {
        var factor: Double
        var trainedLength: Int
        var betaFast = 32.0
        var betaSlow = 1.0
        var truncates = true
        /// The factor of cosines and sines.
        var magnitude: Double
    }

    /// The base of the geometric series of frequencies (`rope_theta`).
    public var base: Double
    /// The context extension method.
    public var scaling: Scaling

    /// Creates settings. Default: base 10,000 without scaling, as in LLaMA.
    public init(base: Double = 10_000, scaling: Scaling = .none) {
        self.base = base
        self.scaling = scaling
    }

    /// The factor of cosines and sines.
    package var magnitude: Double {
        switch scaling {
        case .none, .linear, .dynamic, .llama3: 1
        case .yarn(let yarn): yarn.magnitude
        case .longRoPE(_, _, let magnitude, _): magnitude
        }
    }

    /// The length beyond which frequencies depend on the length of the sequence; nil if they never do.
    var trainedLength: Int? {
        switch scaling {
        case .none, .linear, .llama3, .yarn: nil
        case .dynamic(_, let trained), .longRoPE(_, _, _, let trained): trained
        }
    }

    /// The angular frequencies of `dim` rotated channels in a sequence of `length` tokens: base^(−2i/dim), scaled.
    package func frequencies(dim: Int, length: Int) -> [Double] {
        var base = base
        if case .dynamic(let factor, let trained) = scaling, length > trained {
            let stretch = factor * Double(length) / Double(trained) - (factor - 1)
            base *= power(stretch, Double(dim) / Double(dim - 2))
        }
        let plain = (0..<(dim + 1) / 2).map { 1 / power(base, Double(2 * $0) / Double(dim)) }
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
        case .yarn(let yarn):
            // the channel that makes this many rotations within the trained length
            func channel(_ turns: Double) -> Double {
                Double(dim) * logarithm(Double(yarn.trainedLength) / (2 * Double.pi * turns)) / (2 * logarithm(base))
            }
            var (low, high) = (channel(yarn.betaFast), channel(yarn.betaSlow))
            if yarn.truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
            (low, high) = (max(low, 0), min(high, Double(dim - 1)))
            if low == high { high += 0.001 }
            return plain.enumerated().map { index, frequency in
                let ramp = min(max((Double(index) - low) / (high - low), 0), 1)
                return ramp * frequency / yarn.factor + (1 - ramp) * frequency
            }
        case .longRoPE(let short, let long, _, let trained):
            return zip(plain, length > trained ? long : short).map { $0 / $1 }
        }
    }

    /// The value of `rope_scaling` for config.json.
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
        case .yarn(let yarn):
            [
                "rope_type": "yarn", "factor": JSONValue(yarn.factor), "original_max_position_embeddings": JSONValue(yarn.trainedLength),
                "attention_factor": JSONValue(yarn.magnitude), "beta_fast": JSONValue(yarn.betaFast), "beta_slow": JSONValue(yarn.betaSlow),
                "truncate": .bool(yarn.truncates),
            ]
        case .longRoPE(let short, let long, let magnitude, let trained):
            [
                "rope_type": "longrope", "short_factor": .array(short.map { JSONValue($0) }),
                "long_factor": .array(long.map { JSONValue($0) }),
                "attention_factor": JSONValue(magnitude), "original_max_position_embeddings": JSONValue(trained),
            ]
        }
    }
}
