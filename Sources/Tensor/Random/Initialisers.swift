extension Tensor {
    /// A tensor of independent samples from a normal distribution.
    public static func normal(
        _ shape: Shape, mean: Float = 0, standardDeviation: Float, using generator: inout Philox
    ) -> Tensor {
        uninitialized(shape) { out in
            for i in 0..<shape.count { out[i] = mean + standardDeviation * generator.normal() }
        }
    }

    /// A tensor of independent samples from the uniform distribution over a half-open range.
    public static func uniform(_ shape: Shape, in range: Range<Float>, using generator: inout Philox) -> Tensor {
        let span = range.upperBound - range.lowerBound
        return uninitialized(shape) { out in
            for i in 0..<shape.count { out[i] = range.lowerBound + span * generator.uniform() }
        }
    }

    /// A matrix [rows, columns] with orthonormal rows or columns (whichever are fewer), times `gain`: the factor Q of the QR
    /// decomposition of a matrix of normal samples (Saxe et al. 2014), computed by LAPACK.
    public static func orthogonal(_ rows: Int, _ columns: Int, gain: Float = 1, using generator: inout Philox) -> Tensor {
        let (long, short) = (max(rows, columns), min(rows, columns))
        var a = (0..<long * short).map { _ in generator.normal() }
        precondition(BLAS.orthogonalise(rows: long, columns: short, &a), "LAPACK failed at a \(long) × \(short) QR factorisation")
        return uninitialized([rows, columns]) { out in
            for i in 0..<rows {
                for j in 0..<columns { out[i * columns + j] = gain * (rows >= columns ? a[i * short + j] : a[j * short + i]) }
            }
        }
    }
}
