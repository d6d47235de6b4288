import Eval

/// Two answers are equivalent if their word overlap is large enough: the ROUGE-1 F measure, computed as in `rouge-score`, is
/// above a threshold.
///
/// This is NoveltyBench's `unigram` equivalence; its threshold, 0.458, is the default.
public struct OverlapEquivalence: AnswerEquivalence {
    /// NoveltyBench's threshold.
    public static let defaultThreshold = 0.458

    public var name: String { "ROUGE-1 F above \(threshold)" }
    public var isCheap: Bool { true }
    private let threshold: Double

    /// The equivalence with a threshold; two answers are equivalent if the F measure is above `threshold`, 0…1.
    public init(threshold: Double = defaultThreshold) { self.threshold = threshold }

    public func areEquivalent(_ pairs: [AnswerPair], in collection: TextCollection) -> [Bool] {
        let overlap = collection.derived("overlap of words") { WordOverlap(collection) }
        return pairs.map { overlap.f($0.first, $0.second, above: threshold) }
    }
}

/// The distinct words of all texts with their counts, and a buffer for comparing one text with many.
private final class WordOverlap {
    /// `starts[t] ..< starts[t + 1]` are the positions of the distinct words of text t in ``words`` and ``counts``.
    private var starts = [0]
    private var words: [Int32] = []
    private var counts: [Int32] = []
    /// The number of words of each text.
    private var totals: [Int32] = []
    /// The count of each word in the loaded text.
    private var loaded: [Int32]
    private var loadedText = -1

    init(_ collection: TextCollection) {
        let all = Homogenisation.words(of: collection, stems: false)
        for ids in all.ids {
            totals.append(Int32(ids.count))
            for id in ids.sorted() {
                if words.count > starts[starts.count - 1], words[words.count - 1] == id {
                    counts[counts.count - 1] += 1
                } else {
                    words.append(id)
                    counts.append(1)
                }
            }
            starts.append(words.count)
        }
        loaded = Array(repeating: 0, count: all.vocabularySize)
    }

    /// Whether the F measure of two texts is above a threshold.
    func f(_ first: Int, _ second: Int, above threshold: Double) -> Bool {
        let (a, b) = (Double(max(totals[first], 1)), Double(max(totals[second], 1)))
        // upper bound: two texts share at most as many words as the shorter one has
        guard 2 * min(a, b) / (a + b) > threshold - 1e-9 else { return false }
        load(first)
        var overlap: Int32 = 0
        for i in starts[second]..<starts[second + 1] { overlap += min(counts[i], loaded[Int(words[i])]) }
        guard overlap > 0 else { return 0 > threshold }
        let (precision, recall) = (Double(overlap) / b, Double(overlap) / a)
        return 2 * precision * recall / (precision + recall) > threshold
    }

    private func load(_ text: Int) {
        guard text != loadedText else { return }
        if loadedText >= 0 { for i in starts[loadedText]..<starts[loadedText + 1] { loaded[Int(words[i])] = 0 } }
        for i in starts[text]..<starts[text + 1] { loaded[Int(words[i])] = counts[i] }
        loadedText = text
    }
}
