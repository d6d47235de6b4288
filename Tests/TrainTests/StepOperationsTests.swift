import Models
import Testing
import Train

/// Operation counts of whole steps, against numbers that are calculated by hand for 3 layers of 1920 weights with 16 channels, of which
/// the first is frozen, and 24 token IDs. The pieces are those of DecoderOperationsTests.
@Suite struct StepOperationsTests {
    private static func operations() throws -> StepOperations {
        let decoder = try TinyModel.llama()
        Freezing(fraction: 0.4).apply(to: decoder)
        return StepOperations(decoder)
    }

    /// A prompt of 3 tokens with answers of 3 and 2, whose last tokens are not read: 6 rows, of which 4 predict a token.
    private let texts = [PromptLengths(prompt: 3, continuations: [3, 2])]

    @Test func lossesOnAnswers() throws {
        let operations = try Self.operations()
        // forward, backward, and the frozen projection twice
        #expect(operations.answers(texts) == OperationCount(products: 62_464 + 78_848 + 4 * 384 * 4, attention: 3456 + 4480))
        // prompts too: 6 rows in the last layer and the projection
        #expect(
            operations.answers(texts, predictsPrompts: true)
                == OperationCount(products: 69_120 + 92_160 + 4 * 384 * 6, attention: 3648 + 4864))
        #expect(operations.answers(texts + texts) == 2 * operations.answers(texts))
    }

    @Test func rewardModelsReadWholeAnswersAndScoreTheLastToken() throws {
        let texts = [PromptLengths(prompt: 3, continuations: [2, 1])]
        #expect(
            try Self.operations().pairs(texts)
                == OperationCount(products: 55_808 + 65_536 + 3 * 2 * 16 * 2, attention: 3008 + 3584))
    }

    @Test func samplingReadsEachTokenOnce() throws {
        #expect(try Self.operations().sampling(texts) == OperationCount(products: 62_464 + 2 * 384 * 4, attention: 3456))
    }

    @Test func decodingIsSamplingWithoutThePassOverPrompts() throws {
        let operations = try Self.operations()
        // the prompt's 3 rows, of which one is wanted and predicts the first token of both answers
        #expect(
            operations.decoding(texts)
                == OperationCount(products: 62_464 - 23_040 - 4864 + 2 * 384 * 3, attention: 3456 - 768 - 192))
        #expect(operations.decoding([PromptLengths(prompt: 3, continuations: [1, 1])]) == .zero)
    }

    @Test func policyOptimisation() throws {
        let operations = try Self.operations()
        let sampling = OperationCount(products: 65_536, attention: 3456)
        // layers 1 and 2 for the predicting rows, and the projection
        let reference = OperationCount(products: 39_424 + 3072, attention: 2240)
        // 10 rows with the end-of-sequence tokens, 4 of them new in layer 0; the last layer and the head for two rows
        let reward = OperationCount(products: 38_400 + 11_776 + 15_360 + 64, attention: 2752 + 832 + 1536)
        let epoch = OperationCount(products: 39_424 + 78_848 + 6144, attention: 2240 + 4480)
        #expect(
            operations.policy(texts, epochs: 2, sharedLayers: 1, hasValueHead: false) == sampling + reference + reward + 2 * epoch)
        // the values of 4 rows in sampling, and with a backward pass in each epoch
        #expect(
            operations.policy(texts, epochs: 2, sharedLayers: 1, hasValueHead: true)
                == sampling + reference + reward + 2 * epoch + OperationCount(products: 128 + 2 * 384))
    }
}
