/// A pattern as a precomputed transition table, from each state with each class of characters.
///
/// A state is the list of steps that wait for a character, in the order in which the expression tries them, plus the
/// class of the previous character if the pattern looks behind.
struct PatternAutomaton: Sendable {
    /// For each state and class, and for the end of the text: twice the next state, plus one if a match ends before the
    /// character.
    private let table: [UInt32]
    private let width: Int
    /// The start state after each class of characters, and at the start of the text.
    private let starts: [UInt32]
    private let looksBehind: Bool

    /// The state without further steps.
    private static let dead: UInt32 = 0
    private static let stateLimit = 2048
    private static let workLimit = 4_000_000

    /// Builds the table.
    /// - Returns: nil if the table would be too large, or take too long to build.
    init?(_ program: [CharacterPattern.Step], _ classes: CharacterClasses) {
        let end = classes.count
        let width = classes.count + 1
        let looksBehind = program.contains { if case .behind = $0 { true } else { false } }
        var builder = Builder(program: program, classes: classes)
        var table = [UInt32](repeating: 0, count: width)
        let origins = looksBehind ? Array(0...end) : [end]
        let starts = origins.map { builder.state(Builder.State(steps: [0], previous: looksBehind ? $0 : end)) }
        var current = 1
        while current < builder.states.count {
            guard builder.states.count <= Self.stateLimit, builder.work <= Self.workLimit else { return nil }
            for next in 0...end { table.append(builder.transition(from: current, next, looksBehind: looksBehind)) }
            current += 1
        }
        (self.table, self.width, self.starts, self.looksBehind) = (table, width, starts, looksBehind)
    }

    /// Builds states and transitions.
    private struct Builder {
        struct State: Hashable {
            var steps: [Int]
            /// The class of the previous character; the number of classes means "none".
            var previous: Int
        }

        let program: [CharacterPattern.Step]
        let classes: CharacterClasses
        var states = [State(steps: [], previous: -1)]
        var work = 0
        private var indices: [State: UInt32] = [:]
        private var seen: [Int]
        private var round = 0

        init(program: [CharacterPattern.Step], classes: CharacterClasses) {
            self.program = program
            self.classes = classes
            seen = Array(repeating: 0, count: program.count)
        }

        /// The index of a state, which is added if it is new.
        mutating func state(_ state: State) -> UInt32 {
            if state.steps.isEmpty { return PatternAutomaton.dead }
            if let index = indices[state] { return index }
            let index = UInt32(states.count)
            indices[state] = index
            states.append(state)
            return index
        }

        /// The table entry for a state and the next class; the number of classes means the end of the text.
        mutating func transition(from index: Int, _ next: Int, looksBehind: Bool) -> UInt32 {
            round += 1
            let state = states[index]
            let isEnd = next == classes.count
            var following: [Int] = []
            var pending: [Int] = []
            var matches = false
            search: for step in state.steps {
                pending.append(step)
                while let step = pending.popLast() {
                    if seen[step] == round { continue }
                    seen[step] = round
                    work += 1
                    switch program[step] {
                    case .character(let set):
                        if !isEnd, classes.contains(next, set: set) { following.append(step + 1) }
                    case .jump(let target): pending.append(target)
                    case .fork(let first, let second):
                        pending.append(second)
                        pending.append(first)
                    case .ahead(let set, let isNegated):
                        if (!isEnd && classes.contains(next, set: set)) != isNegated { pending.append(step + 1) }
                    case .behind(let set, let isNegated):
                        let isIn = state.previous < classes.count && classes.contains(state.previous, set: set)
                        if isIn != isNegated { pending.append(step + 1) }
                    case .match:
                        matches = true
                        break search
                    }
                }
            }
            let target = self.state(State(steps: following, previous: looksBehind ? next : classes.count))
            return target << 1 | (matches ? 1 : 0)
        }
    }

    /// How many characters were examined, and how many of them did not contribute to a match.
    struct Looks {
        var count = 0
        var wasted = 0
        let wasteLimit: Int

        init(wasteLimit: Int) { self.wasteLimit = wasteLimit }

        var areWasted: Bool { wasted > wasteLimit }
    }

    /// The first match at or after `start`. Also nil if too many examined characters were wasted.
    @inline(__always)
    func firstMatch(
        _ classes: CharacterClasses, in text: UnsafeBufferPointer<UInt8>, from start: Int, _ looks: inout Looks
    ) -> Range<Int>? {
        var begin = start
        return table.withUnsafeBufferPointer { table in
            while begin <= text.count {
                var state = Int(starts[looksBehind ? origin(of: begin, classes, in: text) : 0])
                var position = begin
                var end = -1
                while true {
                    looks.count += 1
                    if position == text.count {
                        if table[state * width + width - 1] & 1 != 0 { end = position }
                        break
                    }
                    let (value, length) = UTF8Scan.scalar(text, position)
                    let next = table[state * width + classes.of(value)]
                    if next & 1 != 0 { end = position }
                    state = Int(next >> 1)
                    if state == 0 { break }
                    position += length
                }
                if end >= 0 { return begin..<end }
                looks.wasted += position - begin
                if looks.areWasted || begin == text.count { break }
                begin += UTF8Scan.scalar(text, begin).length
            }
            return nil
        }
    }

    /// The class of the character before a position; the number of classes at the start of the text.
    private func origin(of place: Int, _ classes: CharacterClasses, in text: UnsafeBufferPointer<UInt8>) -> Int {
        place == 0 ? classes.count : classes.of(UTF8Scan.scalarBefore(text, place).value)
    }
}
