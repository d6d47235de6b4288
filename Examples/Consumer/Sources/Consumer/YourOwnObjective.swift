import Models
import Tensor
import Train

/// REINFORCE as a custom objective: −advantage · log p of a response. The trainer handles accumulation, clipping, the schedule, metrics
/// and snapshots.
final class Reinforce: Objective {
    struct Response {
        var prompt: [Int32]
        var tokens: [Int32]
        var advantage: Float
    }

    let decoder: any TransformerDecoder
    init(_ decoder: any TransformerDecoder) { self.decoder = decoder }

    var stage: String { "reinforce" }
    var parameters: [Parameter] { decoder.parameters }
    func id(of response: Response) -> String { "\(response.prompt)" }
    func tokens(of response: Response) -> Int { response.prompt.count + response.tokens.count }

    func loss(of pass: Pass<Response>, on tape: Tape) -> PassLoss {
        let part = pass.examples
        let batch = TokenBatch(part.map { $0.prompt + $0.tokens.dropLast() })
        // the rows that predict the response's tokens
        let wanted = zip(part, batch.rows).map { $1.lowerBound + $0.prompt.count - 1..<$1.upperBound }
        let hidden = decoder.hidden(batch, wanted: wanted, on: tape)
        let logProbs = decoder.logProbs(hidden, targets: part.flatMap(\.tokens), on: tape).logProbs
        let weights = part.flatMap { response in response.tokens.map { _ in -response.advantage } }
        return PassLoss((logProbs * Tensor(weights, shape: [weights.count])).sum().scaled(by: 1 / Float(pass.batch.count)))
    }
}

/// Trains on a response with a positive and one with a negative advantage: the first becomes more probable.
func useYourOwnObjective(_ decoder: Llama) throws {
    let examples = [([5, 6, 7] as [Int32], 1 as Float), ([8, 9], -1)].map { Reinforce.Response(prompt: [3, 4], tokens: $0, advantage: $1) }
    var config = LoopConfig()
    (config.maxSteps, config.batchSize, config.logSteps) = (6, 2, 1)
    config.optimizer = AdamConfig(learningRate: 1e-2)
    var losses: [Double] = []
    let trainer = try Trainer(Reinforce(decoder), config: config, examples: examples) { event in
        if case .measured(_, let values) = event, let loss = values["loss"] { losses.append(loss) }
    }
    trainer.learningRate = { step, total in 1e-2 * (1 - Double(step) / Double(total)) }
    try trainer.run()
    precondition(losses.count == 6 && losses[5] < losses[0])
}
