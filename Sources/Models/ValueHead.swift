public import Tensor

/// A linear head that computes a scalar from every hidden state: `(activation(h·w + b) + normalisation) / normalisationStd`.
///
/// It serves as PPO's value function and, at the last token, as the score of a reward model. The two normalisation constants are
/// stored in the checkpoint and never trained.
public final class ValueHead {
    /// The names of the tensors in a checkpoint, in the order of ``parameters``.
    public static let names = [
        "v_head.linear.weight", "v_head.linear.bias", "v_head.normalisation", "v_head.normalisation_std",
    ]
    /// The name of the weight in a sequence classifier, which has no other tensors for the head.
    static let classifierName = "score.weight"
    /// The key of config.json for the constant that a sequence classifier's score lacks.
    static let classifierOffsetKey = "score_offset"
    /// The key of config.json that says that the head has a tanh; absent if it has none.
    static let activationKey = "value_head_activation"

    /// The weight w: [1, C].
    public let weight: Parameter
    /// The bias b: [1].
    public let bias: Parameter
    /// The shift, added to the raw value: [1].
    public let normalisation: Parameter
    /// The standard deviation, by which the shifted value is divided: [1].
    public let normalisationStd: Parameter
    /// Whether a tanh is applied before the normalisation.
    public let usesTanh: Bool
    /// The initial weights of a newly created head, to detect whether they have been trained.
    private let freshWeight: Tensor?
    /// Whether the weights are still those of random initialisation: neither trained nor loaded.
    public var isFresh: Bool { freshWeight?.isIdentical(to: weight.value) ?? false }

    /// Creates a head from its weight [C] or [1, C] and its constants.
    public init(
        weight: Tensor, bias: Float, normalisation: Float = 0, normalisationStd: Float = 1, usesTanh: Bool = false,
        isFresh: Bool = false
    ) {
        self.weight = Parameter(Self.names[0], weight.reshaped([1, weight.count]))
        self.bias = Parameter(Self.names[1], Tensor([bias], shape: [1]))
        self.normalisation = Parameter(Self.names[2], Tensor([normalisation], shape: [1]), isTrainable: false)
        self.normalisationStd = Parameter(Self.names[3], Tensor([normalisationStd], shape: [1]), isTrainable: false)
        self.usesTanh = usesTanh
        freshWeight = isFresh ? self.weight.value : nil
    }

    /// Creates a randomly initialised head: weights from a normal distribution with standard deviation 1/(width + 1), bias 0
    /// (Stiennon et al. 2020).
    public convenience init(width: Int, using generator: inout Philox, usesTanh: Bool = false) {
        self.init(
            weight: .normal([1, width], standardDeviation: 1 / Float(width + 1), using: &generator), bias: 0,
            usesTanh: usesTanh, isFresh: true)
    }

    /// The four parameters, for checkpoints.
    public var parameters: [Parameter] { [weight, bias, normalisation, normalisationStd] }

    /// The value of every row of final hidden states [R, C]: [R].
    public func callAsFunction(_ hidden: Tensor, on tape: Tape? = nil) -> Tensor {
        var raw = hidden.linear(weight.on(tape), bias: bias.on(tape)).reshaped([hidden.shape[0]])
        if usesTanh { raw = raw.tanh() }
        let (shift, deviation) = (normalisation.value.item, normalisationStd.value.item)
        if shift == 0 && deviation == 1 { return raw }
        return (raw + .filled(shift, raw.shape)).scaled(by: 1 / deviation)
    }

    /// Normalises the scores: a score that equals `mean` now becomes 0 afterwards, and a standard deviation of `std` becomes 1.
    ///
    /// The new shift is `old shift − old std · mean`, the new standard deviation `old std · std`. Repeated calls compose.
    public func normalise(mean: Float, std: Float) {
        let (shift, deviation) = (normalisation.value.item, normalisationStd.value.item)
        normalisation.value = Tensor([shift - deviation * mean], shape: [1])
        normalisationStd.value = Tensor([deviation * std], shape: [1])
    }

    /// An independent copy of the head.
    public func copy() -> ValueHead {
        ValueHead(
            weight: weight.value, bias: bias.value.item, normalisation: normalisation.value.item,
            normalisationStd: normalisationStd.value.item, usesTanh: usesTanh, isFresh: isFresh)
    }
}
