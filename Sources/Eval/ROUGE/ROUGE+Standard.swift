extension ROUGE {
    /// The scores in the most widely used form, that of `rouge-score`.
    public struct StandardScores: Codable, Sendable, Equatable {
        /// Clipped unigram overlap.
        public var rouge1: Score
        /// Clipped bigram overlap.
        public var rouge2: Score
        /// Longest common subsequence of the whole texts.
        public var rougeL: Score
        /// Union of the longest common subsequences of lines, summary-level ROUGE-L.
        public var rougeLsum: Score

        /// The scores for no overlap.
        public static let zero = StandardScores(rouge1: .zero, rouge2: .zero, rougeL: .zero, rougeLsum: .zero)
    }

    /// ROUGE as computed by the Python package `rouge-score` 0.1.2.
    ///
    /// Text is lower-cased, and every run of characters outside `a–z 0–9` separates words. With ``stems``, words longer than
    /// three characters are reduced by ``PorterStemmer``. `F = 2PR / (P + R)`, or 0 without overlap. Lsum treats the lines of a
    /// text (separated by `\n`) as its sentences; insert a newline between sentences to get sentence-wise scores. For
    /// single-line texts, Lsum equals L.
    public struct Standard: Codable, Sendable, Equatable {
        /// Whether words are stemmed.
        public var stems: Bool

        /// A scorer with or without stemming.
        public init(stems: Bool = false) {
            self.stems = stems
        }

        /// The scores of a text against one reference.
        public func score(_ hypothesis: String, reference: String) -> StandardScores {
            var table = WordTable()
            let hypothesisLines = lines(hypothesis, &table)
            let referenceLines = lines(reference, &table)
            let candidate = hypothesisLines.flatMap { $0 }
            let target = referenceLines.flatMap { $0 }
            return StandardScores(
                rouge1: overlap(candidate, target, order: 1), rouge2: overlap(candidate, target, order: 2),
                rougeL: subsequence(candidate, target), rougeLsum: summary(hypothesisLines, referenceLines))
        }

        /// The scores of a text against several references: for each score, the reference with the highest F, as in the
        /// package's `score_multi`. Zero if there is no reference; among equally good references, the first one is used.
        public func score(_ hypothesis: String, references: [String]) -> StandardScores {
            let scores = references.map { score(hypothesis, reference: $0) }
            func best(_ kind: (StandardScores) -> Score) -> Score {
                guard var best = scores.first.map(kind) else { return .zero }
                for score in scores.dropFirst().map(kind) where score.f > best.f { best = score }
                return best
            }
            return StandardScores(
                rouge1: best(\.rouge1), rouge2: best(\.rouge2), rougeL: best(\.rougeL), rougeLsum: best(\.rougeLsum))
        }

        /// The words of `text` as UTF-8 bytes, stemmed if ``stems`` is set.
        package func words(of text: String) -> [[UInt8]] {
            var words: [[UInt8]] = []
            forEachLine(of: text) { words += $0 }
            return words
        }

        /// The word IDs of each line. A line break always separates words, so the concatenated lines are the words of the text.
        private func lines(_ text: String, _ table: inout WordTable) -> [[Int32]] {
            var lines: [[Int32]] = []
            forEachLine(of: text) { words in lines.append(words.map { table.id(of: $0) }) }
            return lines
        }

        private func forEachLine(of text: String, _ body: ([[UInt8]]) -> Void) {
            var words: [[UInt8]] = []
            var word: [UInt8] = []
            func endWord() {
                guard !word.isEmpty else { return }
                words.append(stems && word.count > 3 ? PorterStemmer.stem(word) : word)
                word.removeAll()
            }
            for scalar in text.unicodeScalars {
                switch scalar.value {
                case 0x30...0x39, 0x61...0x7A: word.append(UInt8(scalar.value))
                case 0x41...0x5A: word.append(UInt8(scalar.value + 32))
                case 0x212A: word.append(0x6B)  // the Kelvin sign's lower case is the letter k
                case 0x130:  // the dotted capital I becomes i and a combining dot, which separates
                    word.append(0x69)
                    endWord()
                case 0x0A:
                    endWord()
                    body(words)
                    words.removeAll()
                default: endWord()
                }
            }
            endWord()
            body(words)
        }

        private func result(_ overlap: Int, _ hypothesisCount: Int, _ referenceCount: Int) -> Score {
            let precision = Double(overlap) / Double(max(hypothesisCount, 1))
            let recall = Double(overlap) / Double(max(referenceCount, 1))
            let sum = precision + recall
            return Score(precision: precision, recall: recall, f: sum > 0 ? 2 * precision * recall / sum : 0)
        }

        private func overlap(_ candidate: [Int32], _ target: [Int32], order: Int) -> Score {
            var pairs = PairTable()
            func ngrams(_ ids: [Int32]) -> [Int32] {
                order == 1 ? ids : zip(ids, ids.dropFirst()).map { pairs.id(of: $0, $1) }
            }
            let hypothesis = ngrams(candidate)
            let reference = ngrams(target)
            var counts: [Int32: Int] = [:]
            for id in reference { counts[id, default: 0] += 1 }
            var overlap = 0
            for id in hypothesis {
                guard let left = counts[id], left > 0 else { continue }
                counts[id] = left - 1
                overlap += 1
            }
            return result(overlap, hypothesis.count, reference.count)
        }

        private func subsequence(_ candidate: [Int32], _ target: [Int32]) -> Score {
            guard !candidate.isEmpty, !target.isEmpty else { return .zero }
            return result(LongestCommonSubsequence.length(target, candidate), candidate.count, target.count)
        }

        /// Union LCS of section 3.2 of the ROUGE paper, without the double counting of the original Perl program: a word of the
        /// union counts at most as often as it remains unmatched in both texts.
        private func summary(_ hypothesis: [[Int32]], _ reference: [[Int32]]) -> Score {
            let hypothesisCount = hypothesis.reduce(0) { $0 + $1.count }
            let referenceCount = reference.reduce(0) { $0 + $1.count }
            guard hypothesisCount > 0, referenceCount > 0 else { return .zero }
            var leftInHypothesis: [Int32: Int] = [:]
            var leftInReference: [Int32: Int] = [:]
            for line in hypothesis { for id in line { leftInHypothesis[id, default: 0] += 1 } }
            for line in reference { for id in line { leftInReference[id, default: 0] += 1 } }
            var hits = 0
            for line in reference {
                var union: Set<Int> = []
                for other in hypothesis {
                    union.formUnion(LongestCommonSubsequence.indices(line, other, onTie: .first))
                }
                for index in union.sorted() {
                    let id = line[index]
                    guard let here = leftInHypothesis[id], here > 0, let there = leftInReference[id], there > 0 else {
                        continue
                    }
                    leftInHypothesis[id] = here - 1
                    leftInReference[id] = there - 1
                    hits += 1
                }
            }
            return result(hits, hypothesisCount, referenceCount)
        }
    }
}
