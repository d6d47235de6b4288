import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// The bytes that ranks send to each other, against those that stage 1 of ZeRO needs.
@Suite struct TrafficTests {
    /// Four parameters of 7, 5, 3 and 9 numbers; the third has no gradient on any rank, the second has one on rank 1 alone.
    private static func parameters(rank: Int) -> [Parameter] {
        let parameters = [7, 5, 3, 9].enumerated().map { Parameter("p\($0.offset)", .zeros([$0.element])) }
        for index in [0, 3] { parameters[index].gradient = .zeros(parameters[index].value.shape) }
        if rank == 1 { parameters[1].gradient = .zeros([5]) }
        return parameters
    }

    @Test("a step sends each gradient to its owner and each value from it, and nothing else", arguments: [2, 3, 4], [1, 4, 100])
    func shares(ranks: Int, bucket: Int) throws {
        let counts = [7, 5, 3, 9]
        let isPresent = [true, true, false, true]
        let found = try ThreadCollective.run(ranks) { group in
            let counted = CountingCollective(group)
            let config = configured(ExchangeConfig()) { $0.bucket = bucket }
            let shares = ParameterShares(Self.parameters(rank: group.rank), among: counted, config: config)
            let present = try shares.sumGradients()
            let gradients = counted.bytesSent
            try shares.shareValues(present)
            return (present, gradients, counted.bytesSent - gradients)
        }
        let owners = ParameterShares.owners(counts: counts, ranks: ranks)
        let all = 7 + 5 + 9
        for (rank, sent) in found.enumerated() {
            let own = counts.indices.reduce(0) { owners[$1] == rank && isPresent[$1] ? $0 + counts[$1] : $0 }
            #expect(sent.0 == isPresent)
            // a byte for each parameter and rank says whether there is a gradient
            #expect(sent.1 == 4 * (ranks - 1) + 4 * (all - own), "the gradients of rank \(rank)")
            #expect(sent.2 == 4 * own * (ranks - 1), "the values of rank \(rank)")
        }
        let total = found.reduce(0) { $0 + $1.1 + $1.2 } - 4 * ranks * (ranks - 1)
        #expect(total == 8 * all * (ranks - 1))
    }

    @Test("a trainer counts its steps, without evaluations and checkpoints", arguments: [1, 2, 3])
    func trainer(ranks: Int) throws {
        let steps = 5
        let found = try ThreadCollective.run(ranks) { group in
            let decoder = try TinyModel.llama()
            var config = configured(SFTConfig()) {
                ($0.maxSteps, $0.batchSize, $0.logSteps, $0.evaluationSteps) = (steps, 8, 1, 2)
                $0.freezing = Freezing(fraction: 0.4, freezesEmbeddings: false)
            }
            config.checkpointSteps = 2
            let trainer = try SFTTrainer(
                decoder, config: config, examples: ToyData.examples(20), evaluations: [("v", ToyData.examples(4, seed: 9))],
                collective: group)
            try trainer.run(checkpoint: { _ = try $0.snapshot })
            let trained = decoder.parameters.reduce(0) { $1.isTrainable ? $0 + $1.value.count : $0 }
            return (trained, trainer.traffic, try trainer.traffic.bytesPerStep(among: group))
        }
        #expect(found.allSatisfy { $0.1.steps == steps && $0.2 == found[0].2 })
        #expect(found[0].2 == found.map { Double($0.1.bytesSent) / Double(steps) })
        let needed = Double(8 * found[0].0 * (ranks - 1))
        let sent = found[0].2.reduce(0, +)
        // losses and agreements
        let rest = Double(1000 * ranks * (ranks - 1))
        #expect(found[0].0 > 3000 && sent >= needed && sent <= needed + rest, "\(sent) for \(needed)")
    }

    @Test("a failed exchange is not counted, and its error is passed on")
    func failure() throws {
        let results = ThreadCollective.results(2) { group in
            let counted = CountingCollective(group)
            try counted.barrier()
            let before = counted.bytesSent
            if group.rank == 1 {
                counted.abort("stopped", status: 1)
            } else {
                #expect(throws: CollectiveError.rankFailed(rank: 1, message: "stopped")) { try counted.barrier() }
            }
            return (before, counted.bytesSent)
        }
        for result in results {
            let sent = try result.get()
            #expect(sent.0 == 1 && sent.1 == 1)
        }
    }
}
