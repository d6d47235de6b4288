/// What the generator needs of a row of logits: the greatest, a draw, a log-probability.
package enum TokenSampling {
    /// The index of the greatest logit, the first of equals.
    package static func argmax(_ logits: UnsafePointer<Float>, count: Int) -> Int {
        Kernels.current.pointee.argmax(count, logits)
    }

    /// log Σ exp(logit / temperature).
    package static func logSumExp(_ logits: UnsafePointer<Float>, count: Int, temperature: Float) -> Float {
        Kernels.current.pointee.log_sum_exp(count, 1 / temperature, logits)
    }

    /// The token at which the running sum of softmax(logits / temperature) exceeds `uniform`.
    package static func draw(
        _ logits: UnsafePointer<Float>, count: Int, temperature: Float, logSumExp: Float, uniform: Float
    ) -> Int {
        Kernels.current.pointee.sample(count, 1 / temperature, logSumExp, uniform, logits)
    }
}
