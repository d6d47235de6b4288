package import Models

/// Prompts and what is read behind them as one ragged batch, with the rows that predict target tokens. The last target token is predicted
/// but never fed.
package struct TargetPass {
    package var batch: TokenBatch
    package let wanted: [Range<Int>]
    package let targets: [Int32]
    /// How many of the targets each sequence has.
    package let counts: [Int]

    /// For every prompt one target.
    package init(prompts: [[Int32]], targets: [[Int32]]) {
        batch = TokenBatch(zip(prompts, targets).map { $0 + $1.dropLast() })
        wanted = zip(batch.rows, prompts).map { rows, prompt in rows.lowerBound + prompt.count - 1..<rows.upperBound }
        self.targets = targets.flatMap { $0 }
        counts = targets.map(\.count)
    }

    /// Several answers behind each prompt, which is read once: targets are in the order of prompts and answers.
    /// - Parameter predictingPrompts: whether the tokens of a prompt but the first are targets, too, in front of its answers'.
    package init(prompts: [[Int32]], answers: [[[Int32]]], predictingPrompts: Bool = false) {
        // a prompt's last token is fed with each answer: it is where the answer's first token is predicted
        batch = TokenBatch(
            prompts: prompts.map { Array($0.dropLast()) },
            continuations: zip(prompts, answers).map { prompt, answers in answers.map { Array(prompt.suffix(1)) + $0.dropLast() } })
        var (wanted, targets, counts, next) = ([Range<Int>](), [Int32](), [Int](), 0)
        for (index, (prompt, answers)) in zip(prompts, answers).enumerated() {
            if predictingPrompts, prompt.count > 1 {
                wanted.append(batch.promptRows[index])
                targets += prompt.dropFirst()
                counts.append(prompt.count - 1)
            }
            for answer in answers {
                wanted.append(batch.rows[next])
                targets += answer
                counts.append(answer.count)
                next += 1
            }
        }
        (self.wanted, self.targets, self.counts) = (wanted, targets, counts)
    }

    /// Several targets behind one prompt, which is read once.
    package init(prompt: [Int32], targets: [[Int32]]) {
        // the prompt's last token is fed with each target: it is where the first target token is predicted
        let continuations = targets.map { [prompt[prompt.count - 1]] + $0.dropLast() }
        batch =
            prompt.count > 1
            ? TokenBatch(prompts: [Array(prompt.dropLast())], continuations: [continuations]) : TokenBatch(continuations)
        wanted = batch.rows
        self.targets = targets.flatMap { $0 }
        counts = targets.map(\.count)
    }
}

/// Cuts a list into parts by their number of tokens.
package enum Packing {
    /// Consecutive parts of at most `tokensPerPass` tokens (an item that is longer is a part of its own).
    package static func parts<Item>(_ items: [Item], tokensPerPass: Int, length: (Item) -> Int) -> [[Item]] {
        parts(items, tokensPerPass: tokensPerPass) { item, _ in length(item) }
    }

    /// The same where an item may share tokens with the one before it.
    /// - Parameter length: the tokens that an item adds to a part whose last item is the second argument; nil at the beginning of a part.
    package static func parts<Item>(_ items: [Item], tokensPerPass: Int, length: (Item, Item?) -> Int) -> [[Item]] {
        var result: [[Item]] = []
        var used = 0
        for item in items {
            let tokens = result.last?.last.map { length(item, $0) } ?? 0
            if result.isEmpty || used + tokens > tokensPerPass {
                result.append([item])
                used = length(item, nil)
            } else {
                result[result.count - 1].append(item)
                used += tokens
            }
        }
        return result
    }

    /// The tokens of the largest part that a batch of some items can be cut into.
    package static func largestPart(lengths: [Int], batchSize: Int, tokensPerPass: Int) -> Int {
        let longest = lengths.sorted(by: >)
        let batch = longest.prefix(batchSize).reduce(0, +)
        return max(longest.first ?? 0, min(batch, tokensPerPass))
    }
}
