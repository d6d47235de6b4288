/// Operations on one row of logits for generation: argmax, log-sum-exp and sampling.
package enum TokenSampling {
    /// The index of the greatest logit; the first one in case of ties.
    package static func argmax(_ logits: UnsafePointer<Float>, count: Int) -> Int {
        Kernels.current.pointee.argmax(count, logits)
    }

    /// log Σ exp(logit / temperature).
    package static func logSumExp(_ logits: UnsafePointer<Float>, count: Int, temperature: Float) -> Float {
        Kernels.current.pointee.log_sum_exp(count, 1 / temperature, logits)
    }

    /// Samples a token: the first one at which the cumulative sum of softmax(logits / temperature) exceeds `uniform`, a random
    /// number in [0, 1). `logSumExp` is the row's value for the same temperature.
    package static func draw(
        _ logits: UnsafePointer<Float>, count: Int, temperature: Float, logSumExp: Float, uniform: Float
    ) -> Int {
        Kernels.current.pointee.sample(count, 1 / temperature, logSumExp, uniform, logits)
    }
}
