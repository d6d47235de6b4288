package import Models

/// One ragged batch of prompts, each followed by its targets, and the rows that predict target tokens. The last target token is
/// predicted but not fed to the model.
package struct TargetPass {
    /// The tokens that the model reads.
    package var batch: TokenBatch
    /// The row ranges that predict targets, in the order of ``targets``.
    package let wanted: [Range<Int>]
    /// The target tokens of all sequences, one after another.
    package let targets: [Int32]
    /// The number of target tokens of each sequence.
    package let counts: [Int]

    /// A pass with one target sequence per prompt.
    package init(prompts: [[Int32]], targets: [[Int32]]) {
        batch = TokenBatch(zip(prompts, targets).map { $0 + $1.dropLast() })
        wanted = zip(batch.rows, prompts).map { rows, prompt in rows.lowerBound + prompt.count - 1..<rows.upperBound }
        self.targets = targets.flatMap { $0 }
        counts = targets.map(\.count)
    }

    /// A pass with several answers per prompt. Each prompt is read once. Targets are in the order of prompts and answers.
    /// - Parameter predictingPrompts: whether the tokens of a prompt, except the first, are targets too. They precede those of
    ///   its answers.
    package init(prompts: [[Int32]], answers: [[[Int32]]], predictingPrompts: Bool = false) {
        // a prompt's last token is fed with each answer, because its row predicts the answer's first token
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

    /// A pass with several target sequences for one prompt, which is read once.
    package init(prompt: [Int32], targets: [[Int32]]) {
        // the prompt's last token is fed with each target, because its row predicts the first target token
        let continuations = targets.map { [prompt[prompt.count - 1]] + $0.dropLast() }
        batch =
            prompt.count > 1
            ? TokenBatch(prompts: [Array(prompt.dropLast())], continuations: [continuations]) : TokenBatch(continuations)
        wanted = batch.rows
        self.targets = targets.flatMap { $0 }
        counts = targets.map(\.count)
    }
}

/// Sequence packing: divides a list into parts by number of tokens.
package enum Packing {
    /// Consecutive parts of at most `tokensPerPass` tokens. A longer item is a separate part.
    package static func parts<Item>(_ items: [Item], tokensPerPass: Int, length: (Item) -> Int) -> [[Item]] {
        parts(items, tokensPerPass: tokensPerPass) { item, _ in length(item) }
    }

    /// Works on consecutive parts of at most `tokensPerPass` tokens, one after another.
    /// - Parameters:
    ///   - items: the items.
    ///   - tokensPerPass: the maximum number of tokens of a part, unless it is a single item.
    ///   - length: the number of tokens of an item.
    ///   - progress: called after each part with the numbers of items and tokens so far.
    ///   - body: the work on a part.
    static func forEachPart<Item>(
        of items: [Item], tokensPerPass: Int, length: (Item) -> Int, progress: PartProgressHandler, _ body: ([Item]) throws -> Void
    ) rethrows {
        var (done, tokens) = (0, 0)
        for part in parts(items, tokensPerPass: tokensPerPass, length: length) {
            try body(part)
            done += part.count
            tokens += part.reduce(0) { $0 + length($1) }
            try progress(done, tokens)
        }
    }

    /// Consecutive parts of at most `tokensPerPass` tokens, for items that may share tokens with the preceding item.
    /// - Parameter length: the number of tokens that an item adds to a part whose last item is the second argument; nil for the
    ///   first item of a part.
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

    /// The number of tokens of the largest batch of `batchSize` items, each of which occurs several times.
    package static func total(lengths: [Int], batchSize: Int, repeating count: Int = 1) -> Int {
        lengths.sorted(by: >).flatMap { Array(repeating: $0, count: count) }.prefix(batchSize).reduce(0, +)
    }

    /// The number of tokens of the largest part into which a batch of `batchSize` items can be divided.
    package static func largestPart(lengths: [Int], batchSize: Int, tokensPerPass: Int) -> Int {
        let longest = lengths.sorted(by: >)
        let batch = longest.prefix(batchSize).reduce(0, +)
        return max(longest.first ?? 0, min(batch, tokensPerPass))
    }
}
