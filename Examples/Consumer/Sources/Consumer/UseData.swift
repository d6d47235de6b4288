import Data

/// Loads posts, trains a tokenizer on them, and makes training examples.
func useData() throws -> [TokenisedExample] {
    let corpus = try GeneratedPosts(
        train: 16, validation: 2, test: 2, oodTrain: 2, oodValidation: 2, oodTest: 2
    ).corpus()
    let posts = try corpus.examples(in: "train")
    let tokenizer = try BPETrainer(vocabularySize: 300).train(on: posts.map(\.post))
    let text = posts[0].summary
    let ids = tokenizer.encode(text, addingSpecialTokens: false)
    precondition(tokenizer.decode(ids, skippingSpecialTokens: true) == text)
    let examples = try SFTTokenisation(maximumSource: 64, maximumTarget: 32).tokenise(posts, with: tokenizer).examples
    precondition(examples.count == 16)
    return examples
}
