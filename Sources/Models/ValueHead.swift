public import Tensor

/// A scalar read from every hidden state: `(activation(h·w + b) + normalisation) / normalisationStd`.
///
/// It serves as PPO's value function and, at the last token, as the reward model's score. The two normalisation numbers are stored in
/// the checkpoint and never trained.
public final class ValueHead {
    /// The names in a checkpoint, in the order of the initialiser's values.
    public static let names = [
        "v_head.linear.weight", "v_head.linear.bias", "v_head.normalisation", "v_head.normalisation_std",
    ]
    /// The name of the weight in a sequence classifier, where it is the whole head.
    static let classifierName = "score.weight"
    /// The key of config.json that holds what a sequence classifier's score lacks.
    static let classifierOffsetKey = "score_offset"
    /// The key of config.json that says that the head has a tanh; it is not there where it has none.
    static let activationKey = "value_head_activation"

    /// w: [1, C].
    public let weight: Parameter
    /// b: [1].
    public let bias: Parameter
    /// Added to the raw value.
    public let normalisation: Parameter
    /// What the shifted value is divided by.
    public let normalisationStd: Parameter
    /// Whether a tanh comes before the normalisation.
    public let usesTanh: Bool
    /// The weights of a head that was just made, to tell when they have been trained.
    private let freshWeight: Tensor?
    /// Whether the weights were just made and are as they were made: never trained, never loaded.
    public var isFresh: Bool { freshWeight?.isIdentical(to: weight.value) ?? false }

    /// A head from its four numbers or arrays.
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

    /// A fresh head: N(0, 1/(width + 1)) weights (standard deviation), zero bias, as Stiennon et al. 2020 do.
    public convenience init(width: Int, using generator: inout Philox, usesTanh: Bool = false) {
        self.init(
            weight: .normal([1, width], standardDeviation: 1 / Float(width + 1), using: &generator), bias: 0,
            usesTanh: usesTanh, isFresh: true)
    }

    /// All four parameters, for checkpoints.
    public var parameters: [Parameter] { [weight, bias, normalisation, normalisationStd] }

    /// The value of every row of final hidden states [R, C]: [R].
    public func callAsFunction(_ hidden: Tensor, on tape: Tape? = nil) -> Tensor {
        var raw = hidden.linear(weight.on(tape), bias: bias.on(tape)).reshaped([hidden.shape[0]])
        if usesTanh { raw = raw.tanh() }
        let (shift, deviation) = (normalisation.value.item, normalisationStd.value.item)
        if shift == 0 && deviation == 1 { return raw }
        return (raw + .filled(shift, raw.shape)).scaled(by: 1 / deviation)
    }

    /// Composes a further normalisation of the scores: afterwards the old scores' `mean` maps to 0 and `std` to 1.
    ///
    /// The new shift is `old shift − old std · mean`, the new deviation `old std · std`; applying it twice is therefore right.
    public func normalise(mean: Float, std: Float) {
        let (shift, deviation) = (normalisation.value.item, normalisationStd.value.item)
        normalisation.value = Tensor([shift - deviation * mean], shape: [1])
        normalisationStd.value = Tensor([deviation * std], shape: [1])
    }

    /// An independent head with the same values.
    public func copy() -> ValueHead {
        ValueHead(
            weight: weight.value, bias: bias.value.item, normalisation: normalisation.value.item,
            normalisationStd: normalisationStd.value.item, usesTanh: usesTanh, isFresh: isFresh)
    }
}
