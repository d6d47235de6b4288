extension TextPattern {
    /// Splits every piece at the matches or, if `inverted` is true, at the text between them.
    func split(_ pieces: inout Pieces, _ behavior: SplitBehavior, inverted: Bool) {
        pieces.split { bytes, range, output in
            let text = UnsafeBufferPointer(rebasing: bytes[range])
            let base = range.lowerBound
            var collector = SplitCollector(behavior)
            var done = 0
            forEachMatch(in: text) { match in
                if done != match.lowerBound {
                    collector.add(base + done..<base + match.lowerBound, isMatch: inverted, to: &output)
                }
                collector.add(base + match.lowerBound..<base + match.upperBound, isMatch: !inverted, to: &output)
                done = match.upperBound
            }
            if done != text.count { collector.add(base + done..<base + text.count, isMatch: inverted, to: &output) }
            collector.finish(&output)
        }
    }
}
