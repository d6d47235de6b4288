extension CharacterPattern {
    /// How often a text's characters may be looked at, on average. No expression that tokenizers have comes near it; one that looks to the
    /// end of the text from every place of it would take days for a long one. What is left then has no match.
    private static let lookLimit = 256

    /// The matches in a text, from the left, none overlapping; of those that begin at a place the one counts that an expression tries first.
    ///
    /// A match of nothing directly behind another match is none, as in the reference.
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
            // from many places it looked far for nothing: the machine tries all of them at once
            guard looks.areWasted else { return }
            budget -= looks.count
        }
        var machine = Machine(count: program.count)
        while budget > 0, let match = machine.first(self, in: text, from: start, &budget), let next = take(match) { start = next }
    }

    /// The class of the character before a place; nil at the start.
    func classBefore(_ place: Int, in text: UnsafeBufferPointer<UInt8>) -> Int? {
        place == 0 ? nil : classes.of(UTF8Scan.scalarBefore(text, place).value)
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
                // ways that begin here come after all that began before
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

        /// Follows a way up to the next characters that it needs. Returns whether it matches: then no later way counts.
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
