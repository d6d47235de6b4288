extension CharacterPattern {
    /// Calls `body` with every match within `range`, from the left, none overlapping.
    func forEachMatch(in bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        let text = UnsafeBufferPointer(rebasing: bytes[range])
        var machine = Machine(count: program.count)
        var start = 0
        while start < text.count, let match = machine.first(program, in: text, from: start) {
            body(range.lowerBound + match.lowerBound..<range.lowerBound + match.upperBound)
            start = match.upperBound
        }
    }

    /// Follows all ways through a program at once. Of those that lead to a match the one counts that begins first and, of these, the one
    /// that an expression tries first.
    private struct Machine {
        /// A way that waits for a character: where it is in the program, and where in the text it began.
        private struct Thread {
            var step: Int
            var start: Int
        }

        private var threads: [Thread] = []
        private var following: [Thread] = []
        /// The place in the text where a step was last reached: no second way goes on from there.
        private var seen: [Int]
        private var pending: [Int] = []

        init(count: Int) {
            seen = Array(repeating: -1, count: count)
        }

        /// The first match at or behind `start`.
        mutating func first(_ program: [Step], in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Range<Int>? {
            var match: Range<Int>?
            threads.removeAll(keepingCapacity: true)
            for index in seen.indices { seen[index] = -1 }
            var position = start
            while true {
                let next = position < text.count ? UTF8Scan.scalar(text, position) : nil
                // ways that begin here come after all that began before
                following.removeAll(keepingCapacity: true)
                var isCut = false
                for thread in threads where !isCut {
                    isCut = follow(thread.step, thread.start, program, text, position, next?.value, &match)
                }
                if !isCut, match == nil { _ = follow(0, position, program, text, position, next?.value, &match) }
                guard let (value, length) = next else { return match }
                threads.removeAll(keepingCapacity: true)
                for thread in following {
                    guard case .character(let set) = program[thread.step], set.contains(value) else { continue }
                    threads.append(Thread(step: thread.step + 1, start: thread.start))
                }
                if threads.isEmpty, match != nil { return match }
                position += length
            }
        }

        /// Follows a way up to the next characters that it needs. Returns whether it matches: then no later way counts.
        private mutating func follow(
            _ step: Int, _ start: Int, _ program: [Step], _ text: UnsafeBufferPointer<UInt8>, _ position: Int, _ next: UInt32?,
            _ match: inout Range<Int>?
        ) -> Bool {
            pending.removeAll(keepingCapacity: true)
            pending.append(step)
            while let step = pending.popLast() {
                if seen[step] == position { continue }
                seen[step] = position
                switch program[step] {
                case .character: following.append(Thread(step: step, start: start))
                case .jump(let target): pending.append(target)
                case .fork(let first, let second):
                    pending.append(second)
                    pending.append(first)
                case .ahead(let set, let isNegated):
                    if (next.map(set.contains) ?? false) != isNegated { pending.append(step + 1) }
                case .lineEnd:
                    if next == nil || next == 0x0A { pending.append(step + 1) }
                case .lineStart:
                    if position == 0 || text[position - 1] == 0x0A { pending.append(step + 1) }
                case .match:
                    match = start..<position
                    return true
                }
            }
            return false
        }
    }
}
