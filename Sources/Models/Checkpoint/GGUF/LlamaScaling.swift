import Foundation
import Formats

/// LLaMA 3's scaling of rotary positions, reconstructed from its effect on the frequencies.
///
/// A GGUF file stores the divisor of each frequency: 1 for short wavelengths, `factor` for long ones, and an interpolated value
/// between. Any settings that give the same divisors are equivalent.
struct LlamaScaling {
    let factor: Double
    let high: Double
    let trainedLength: Int

    /// Finds settings that give the divisors `factors`, for heads of `dim` channels; nil if there are none.
    init?(factors: [Double], base: Double, dim: Int) {
        guard factors.count == dim / 2, factors.count >= 1, factors.allSatisfy({ $0.isFinite && $0 > 0 }), base > 1,
            let largest = factors.max(), largest >= 1
        else { return nil }
        let waves = (0..<dim / 2).map { 2 * Double.pi * pow(base, Double(2 * $0) / Double(dim)) }
        // between short and long wavelengths, (1/divisor − 1/factor) / (1 − 1/factor) is linear in 1/wavelength
        let blends = zip(factors, waves).compactMap { divisor, wave -> (place: Double, wave: Double)? in
            guard divisor > 1.0001, divisor < largest * 0.9999 else { return nil }
            return ((1 / divisor - 1 / largest) / (1 - 1 / largest), wave)
        }
        var candidates: [(high: Double, trained: Int)] = []
        if let middle = blends.min(by: { abs($0.place - 0.5) < abs($1.place - 0.5) }) {
            candidates.append((4, Int(clamping: ((middle.place * 3 + 1) * middle.wave).rounded())))
        } else {
            candidates = (4...30).map { (4, 1 << $0) }
        }
        if let first = blends.first, let last = blends.last, first.wave != last.wave {
            // place = (trained / wave − 1) / (high − 1), through the two outermost points
            let slope = (first.place - last.place) / (1 / first.wave - 1 / last.wave)
            let offset = slope / last.wave - last.place
            if offset > 0, slope > 0 {
                candidates.append((1 + 1 / offset, Int(clamping: (slope / offset).rounded())))
                candidates.append(((1 + 1 / offset).rounded(), Int(clamping: (slope / offset).rounded())))
            }
        }
        let published = 8192
        if blends.isEmpty || candidates.contains(where: { abs($0.trained - published) < 8 }) { candidates.insert((4, published), at: 0) }
        for (high, trained) in candidates where trained > 0 && high > 1 {
            let scaling = RotarySettings.Scaling.llama3(
                factor: largest, lowFrequencyFactor: 1, highFrequencyFactor: high, trainedLength: trained)
            let plain = RotarySettings(base: base).frequencies(dim: dim, length: 1)
            let stretched = RotarySettings(base: base, scaling: scaling).frequencies(dim: dim, length: 1)
            let fits = factors.indices.allSatisfy { abs(plain[$0] / stretched[$0] / factors[$0] - 1) < 1e-5 }
            guard fits else { continue }
            (self.factor, self.high, trainedLength) = (largest, high, trained)
            return
        }
        return nil
    }

    /// The value of `rope_scaling` in config.json.
    var configuration: JSONValue {
        RotarySettings(
            scaling: .llama3(factor: factor, lowFrequencyFactor: 1, highFrequencyFactor: high, trainedLength: trainedLength)
        ).scalingConfiguration()
    }
}

extension Int {
    /// The nearest integer in 0...2³¹; 0 for numbers that are not finite.
    fileprivate init(clamping number: Double) {
        self = number.isFinite ? Int(Swift.min(Swift.max(number, 0), 0x1p31)) : 0
    }
}
