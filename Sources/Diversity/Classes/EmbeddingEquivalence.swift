import Eval

/// Two answers are equivalent if the cosine of their embeddings is above a threshold.
public struct EmbeddingEquivalence: AnswerEquivalence {
    /// The default threshold. A suitable value depends on the encoder; there is no published one.
    public static let defaultThreshold = 0.8

    public var name: String { "cosine of embeddings by \(encoder.name) above \(threshold)" }
    public var isCheap: Bool { true }
    private let encoder: any TextEncoder
    private let threshold: Double

    /// The equivalence for an encoder; two answers are equivalent if their cosine is above `threshold`, −1…1.
    public init(_ encoder: any TextEncoder, threshold: Double = defaultThreshold) {
        self.encoder = encoder
        self.threshold = threshold
    }

    public func areEquivalent(_ pairs: [AnswerPair], in collection: TextCollection) throws -> [Bool] {
        let units = try collection.unitVectors(by: encoder)
        return pairs.map { units.cosine($0.first, $0.second) > threshold }
    }

    public func knows(_ text: Int, in collection: TextCollection) throws -> Bool {
        try collection.embeddings(by: encoder)[text] != nil
    }
}

/// The embeddings of all texts, normalised to length 1 and stored contiguously.
struct UnitVectors {
    private var numbers: [Float]
    /// Channels per vector, padded with zeros to a multiple of the SIMD width.
    private let width: Int
    private static let lanes = 8

    /// Normalises the embeddings. Texts without an embedding, or with a zero embedding, have cosine 0 with every text.
    init(_ embeddings: [[Float]?]) {
        let channels = embeddings.lazy.compactMap { $0?.count }.first ?? 0
        width = (channels + Self.lanes - 1) / Self.lanes * Self.lanes
        numbers = Array(repeating: 0, count: width * embeddings.count)
        for (row, vector) in embeddings.enumerated() {
            guard let vector else { continue }
            let norm = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard norm > 0 else { continue }
            for (channel, value) in vector.enumerated() { numbers[row * width + channel] = Float(Double(value) / norm) }
        }
    }

    /// The cosine of two texts.
    func cosine(_ first: Int, _ second: Int) -> Double {
        numbers.withUnsafeBufferPointer { all in
            guard let base = all.baseAddress else { return 0 }
            let (a, b) = (UnsafeRawPointer(base + first * width), UnsafeRawPointer(base + second * width))
            var sums = SIMD8<Float>.zero
            for offset in stride(from: 0, to: width * MemoryLayout<Float>.stride, by: Self.lanes * MemoryLayout<Float>.stride) {
                let x = a.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                let y = b.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                // no fused multiply-add: the compiler may not assume the instruction, so it would be a function call per lane
                sums += x * y
            }
            return Double(sums.sum())
        }
    }

    /// The sum of the vectors of some texts, accumulated in `Double`.
    func sum(of texts: some Sequence<Int>) -> [Double] {
        var sum = [Double](repeating: 0, count: width)
        for text in texts { for channel in 0..<width { sum[channel] += Double(numbers[text * width + channel]) } }
        return sum
    }
}

extension TextCollection {
    /// The embeddings of all texts, normalised to length 1; computed once per encoder.
    func unitVectors(by encoder: any TextEncoder) throws -> UnitVectors {
        try derived("unit embeddings by \(encoder.name)") { UnitVectors(try embeddings(by: encoder)) }
    }
}
