/// Splits text by the Unicode classes of its scalars.
enum ClassRuns {
    /// Splits at every scalar of a class.
    static func split(
        _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, at splitter: UnicodeClass,
        _ behavior: SplitBehavior, _ output: inout [Range<Int>]
    ) {
        let text = UnsafeBufferPointer(rebasing: bytes[range])
        var collector = SplitCollector(behavior)
        let base = range.lowerBound
        var done = 0
        var position = 0
        UnicodeClass.basicPlane.withUnsafeBufferPointer { classes in
            while position < text.count {
                let (value, length) = UTF8Scan.scalar(text, position)
                let set = value < 0x10000 ? UnicodeClass(rawValue: classes[Int(value)]) : UnicodeClass.of(value)
                if set.isDisjoint(with: splitter) {
                    position += length
                    continue
                }
                if done < position { collector.add(base + done..<base + position, isMatch: false, to: &output) }
                collector.add(base + position..<base + position + length, isMatch: true, to: &output)
                position += length
                done = position
            }
        }
        if done < position { collector.add(base + done..<base + position, isMatch: false, to: &output) }
        collector.finish(&output)
    }

    /// Splits text into the matches of `\w+|[^\w\s]+`.
    static func words(
        _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout [Range<Int>]
    ) {
        let text = UnsafeBufferPointer(rebasing: bytes[range])
        var start = 0
        /// The class of the run since `start`: `.word`, `.space` or neither.
        var kind: UnicodeClass = .space
        var position = 0
        while position < text.count {
            let (value, length) = UTF8Scan.scalar(text, position)
            let next = UnicodeClass.of(value).intersection([.word, .space])
            if next != kind {
                if kind != .space { output.append(range.lowerBound + start..<range.lowerBound + position) }
                start = position
                kind = next
            }
            position += length
        }
        if kind != .space, start < position {
            output.append(range.lowerBound + start..<range.lowerBound + position)
        }
    }
}
