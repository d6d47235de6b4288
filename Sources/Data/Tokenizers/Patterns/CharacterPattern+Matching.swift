extension CharacterPattern {
    /// The maximum number of times that a character is examined, on average over the text. Expressions of real
    /// tokenizers stay far below it. An expression that searches to the end of the text from every position would take
    /// days for a long text; when the limit is reached, the rest of the text has no matches.
    private static let lookLimit = 256

    /// Calls `body` with the non-overlapping matches in a text, from left to right. Of several matches at a position,
    /// the one that the expression tries first is used.
    ///
    /// As in Hugging Face `tokenizers`, an empty match directly after another match is ignored.
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        var budget = (text.count + 1024) * Self.lookLimit
        var previous: Int?
        func take(_ match: Range<Int>) -> Int? {
            if match.isEmpty, match.lowerBound == previous {
                return match.upperBound < text.count ? match.upperBound + UTF8Scan.scalar(text, match.upperBound).length : nil
            }
            body(match)
            previous = match.upperBound
            return match.upperBound
        }
        var start = 0
        if let automaton {
            var looks = PatternAutomaton.Looks(wasteLimit: 4096 + text.count * 4)
            while looks.count < budget, let match = automaton.firstMatch(classes, in: text, from: start, &looks) {
                guard let next = take(match) else { return }
                start = next
            }
            // many positions were searched far without a match: switch to the machine that tries all positions at once
            guard looks.areWasted else { return }
            budget -= looks.count
        }
        var machine = Machine(count: program.count)
        while budget > 0, let match = machine.first(self, in: text, from: start, &budget), let next = take(match) { start = next }
    }

    /// The class of the character before a position; nil at the start.
    func classBefore(_ place: Int, in text: UnsafeBufferPointer<UInt8>) -> Int? {
        place == 0 ? nil : classes.of(UTF8Scan.scalarBefore(text, place).value)
    }

    /// Executes a program by following all of its paths at once. The match that starts first is used; of several at
    /// that position, the one that the expression tries first.
    private struct Machine {
        /// A path that waits for a character: its position in the program, and where in the text it started.
        private struct Thread {
            var step: Int
            var start: Int
        }

        private var threads: [Thread] = []
        private var following: [Thread] = []
        /// The text position at which each step was last reached; a later path does not continue from there.
        private var seen: [Int]
        private var pending: [Int] = []

        init(count: Int) {
            seen = Array(repeating: -1, count: count)
        }

        /// The first match at or after `start`.
        mutating func first(
            _ pattern: CharacterPattern, in text: UnsafeBufferPointer<UInt8>, from start: Int, _ budget: inout Int
        ) -> Range<Int>? {
            var match: Range<Int>?
            threads.removeAll(keepingCapacity: true)
            for index in seen.indices { seen[index] = -1 }
            var previous = pattern.classBefore(start, in: text)
            var position = start
            while budget > 0 {
                budget -= 1
                let scalar = position < text.count ? UTF8Scan.scalar(text, position) : nil
                let next = scalar.map { pattern.classes.of($0.value) }
                // paths that start here have lower priority than all earlier ones
                following.removeAll(keepingCapacity: true)
                var isCut = false
                for thread in threads where !isCut {
                    isCut = follow(thread.step, thread.start, pattern, position, previous, next, &match)
                }
                if !isCut, match == nil { _ = follow(0, position, pattern, position, previous, next, &match) }
                guard let scalar, let next else { return match }
                threads.removeAll(keepingCapacity: true)
                for thread in following {
                    guard case .character(let set) = pattern.program[thread.step], pattern.classes.contains(next, set: set) else {
                        continue
                    }
                    threads.append(Thread(step: thread.step + 1, start: thread.start))
                }
                if threads.isEmpty, match != nil { return match }
                previous = next
                position += scalar.length
            }
            return match
        }

        /// Follows a path up to the characters that it needs next. Returns true if it matches, so that paths of lower
        /// priority are dropped.
        private mutating func follow(
            _ step: Int, _ start: Int, _ pattern: CharacterPattern, _ position: Int, _ previous: Int?, _ next: Int?,
            _ match: inout Range<Int>?
        ) -> Bool {
            pending.removeAll(keepingCapacity: true)
            pending.append(step)
            while let step = pending.popLast() {
                if seen[step] == position { continue }
                seen[step] = position
                switch pattern.program[step] {
                case .character: following.append(Thread(step: step, start: start))
                case .jump(let target): pending.append(target)
                case .fork(let first, let second):
                    pending.append(second)
                    pending.append(first)
                case .ahead(let set, let isNegated):
                    if (next.map { pattern.classes.contains($0, set: set) } ?? false) != isNegated { pending.append(step + 1) }
                case .behind(let set, let isNegated):
                    if (previous.map { pattern.classes.contains($0, set: set) } ?? false) != isNegated { pending.append(step + 1) }
                case .match:
                    match = start..<position
                    return true
                }
            }
            return false
        }
    }
}
