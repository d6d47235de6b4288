/// Carries out the few instructions of a pickle that build lists, maps, texts, numbers and numpy's arrays of them.
///
/// The instructions are those of protocols 2 to 5 of Python's `pickletools`. No function is ever called: `REDUCE` and `BUILD` know the names
/// that numpy writes for arrays, and refuse all others.
struct PickleMachine {
    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private var stack: [PickleNode] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleNode] = [:]
    /// How many more numbers and bytes may be made of parts.
    private var budget: Int
    /// How many more things may be made.
    private var nodesLeft = Self.nodeLimit

    private typealias Problem = NumpyArray.Problem

    /// The most things that a pickle builds: lists of this many row numbers.
    static let nodeLimit = 5_000_000
    /// The longest pickle, in bytes.
    static let sizeLimit = 1 << 28

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        budget = 2 * bytes.count
        position = bytes.startIndex
    }

    /// Runs to the end.
    /// - Returns: what is left.
    mutating func run() throws(NumpyArray.Problem) -> PickleNode {
        while true {
            let code = try byte()
            if code == UInt8(ascii: ".") {
                guard stack.count == 1, marks.isEmpty else { throw PickledMap.other }
                return stack[0]
            }
            try step(code)
        }
    }

    private mutating func step(_ code: UInt8) throws(NumpyArray.Problem) {
        switch code {
        case 0x80: _ = try byte()
        case 0x95: _ = try take(8)
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        // numbers, texts, bytes
        case UInt8(ascii: "N"): try push(.none)
        case 0x88: try push(.flag(true))
        case 0x89: try push(.flag(false))
        case UInt8(ascii: "K"): try push(.integer(try count(1)))
        case UInt8(ascii: "M"): try push(.integer(try count(2)))
        case UInt8(ascii: "J"): try push(.integer(Int(Int32(truncatingIfNeeded: try count(4)))))
        case 0x8a: try pushLong(try count(1))
        case 0x8c: try push(.text(try text(try count(1))))
        case UInt8(ascii: "X"): try push(.text(try text(try count(4))))
        case 0x8d: try push(.text(try text(try count(8))))
        case UInt8(ascii: "C"): try push(.bytes(try take(try count(1))))
        case UInt8(ascii: "B"): try push(.bytes(try take(try count(4))))
        case 0x8e, 0x96: try push(.bytes(try take(try count(8))))
        // containers
        case UInt8(ascii: "]"): try push(.list([]))
        case UInt8(ascii: "}"): try push(.map([]))
        case UInt8(ascii: ")"): try push(.tuple([]))
        case 0x85, 0x86, 0x87: try makeTuple(try pop(Int(code) - 0x84))
        case UInt8(ascii: "t"): try makeTuple(try popToMark())
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"): try append(try popToMark())
        case UInt8(ascii: "s"): try set(try pop(2))
        case UInt8(ascii: "u"): try set(try popToMark())
        // names of Python, and what numpy does with them
        case UInt8(ascii: "c"): try push(.named(try line() + "." + (try line())))
        case 0x93: try makeName()
        case UInt8(ascii: "R"): try reduce()
        case UInt8(ascii: "b"): try build()
        // memory
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "q"): memo[try count(1)] = try top()
        case UInt8(ascii: "r"): memo[try count(4)] = try top()
        case UInt8(ascii: "h"): stack.append(try remembered(try count(1)))
        case UInt8(ascii: "j"): stack.append(try remembered(try count(4)))
        default: throw PickledMap.other
        }
    }

    // MARK: Reading

    private mutating func byte() throws(NumpyArray.Problem) -> UInt8 {
        guard position < bytes.endIndex else { throw Problem(reason: "it is cut off") }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func take(_ count: Int) throws(NumpyArray.Problem) -> [UInt8] {
        guard count >= 0, count <= bytes.endIndex - position else { throw Problem(reason: "it is cut off") }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// A number without a sign of so many bytes, the lowest first.
    private mutating func count(_ size: Int) throws(NumpyArray.Problem) -> Int {
        let word = try take(size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let count = Int(exactly: word) else { throw PickledMap.other }
        return count
    }

    private mutating func text(_ count: Int) throws(NumpyArray.Problem) -> String {
        guard let text = String(validating: try take(count), as: UTF8.self) else { throw PickledMap.other }
        return text
    }

    private mutating func line() throws(NumpyArray.Problem) -> String {
        guard let end = bytes[position...].firstIndex(of: 0x0a) else { throw Problem(reason: "it is cut off") }
        let line = try text(end - position)
        position += 1
        return line
    }

    // MARK: The stack

    private mutating func push(_ content: PickleNode.Content) throws(NumpyArray.Problem) {
        nodesLeft -= 1
        guard nodesLeft >= 0 else { throw Problem(reason: "it builds more than \(Self.nodeLimit) things") }
        stack.append(PickleNode(content))
    }

    /// Notes that so many numbers or bytes are made of a part.
    private mutating func pay(_ count: Int) throws(NumpyArray.Problem) {
        budget -= count
        guard budget >= 0 else { throw PickledMap.unpacksTooFar }
    }

    private func top() throws(NumpyArray.Problem) -> PickleNode {
        guard let node = stack.last, stack.count > marks.last ?? 0 else { throw PickledMap.other }
        return node
    }

    private mutating func pop() throws(NumpyArray.Problem) -> PickleNode {
        let node = try top()
        stack.removeLast()
        return node
    }

    private mutating func pop(_ count: Int) throws(NumpyArray.Problem) -> [PickleNode] {
        guard stack.count - (marks.last ?? 0) >= count else { throw PickledMap.other }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(NumpyArray.Problem) -> [PickleNode] {
        guard let mark = marks.popLast() else { throw PickledMap.other }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private func remembered(_ index: Int) throws(NumpyArray.Problem) -> PickleNode {
        guard let node = memo[index] else { throw PickledMap.other }
        return node
    }

    // MARK: Building

    private mutating func pushLong(_ size: Int) throws(NumpyArray.Problem) {
        let bytes = try take(size)
        guard size <= 8 else { throw PickledMap.other }
        let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
        let word = bytes.reversed().reduce(isNegative ? UInt64.max : 0) { $0 << 8 | UInt64($1) }
        try push(.integer(Int(Int64(bitPattern: word))))
    }

    private mutating func makeTuple(_ parts: [PickleNode]) throws(NumpyArray.Problem) {
        try push(.tuple(parts))
        try top().place(parts)
    }

    private mutating func makeName() throws(NumpyArray.Problem) {
        let parts = try pop(2)
        guard case .text(let module) = parts[0].content, case .text(let name) = parts[1].content else {
            throw PickledMap.other
        }
        try push(.named(module + "." + name))
    }

    // the two below are mutating so that their arguments, which change the stack, are made before it is read
    private mutating func append(_ parts: [PickleNode]) throws(NumpyArray.Problem) {
        let node = try top()
        guard !node.isPlaced, parts.allSatisfy({ $0 !== node }), case .list(var own) = node.content else { throw PickledMap.other }
        // nobody else holds the elements now, so they are not copied
        node.content = .none
        own += parts
        node.content = .list(own)
        try node.place(parts)
    }

    private mutating func set(_ parts: [PickleNode]) throws(NumpyArray.Problem) {
        let node = try top()
        guard !node.isPlaced, parts.allSatisfy({ $0 !== node }), parts.count % 2 == 0,
            case .map(var own) = node.content
        else { throw PickledMap.other }
        node.content = .none
        own += stride(from: 0, to: parts.count, by: 2).map { (parts[$0], parts[$0 + 1]) }
        node.content = .map(own)
        try node.place(parts)
    }

    /// A call of a function: those that numpy writes are known by name.
    private mutating func reduce() throws(NumpyArray.Problem) {
        let (arguments, function) = (try pop(), try pop())
        guard case .named(let name) = function.content, let parts = arguments.elements else { throw PickledMap.other }
        switch name {
        case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct": try push(.numbers([]))
        case "numpy.dtype":
            guard case .text(let name)? = parts.first?.content else { throw PickledMap.other }
            try push(.elementType(order: "|", name: name))
        case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar":
            guard parts.count == 2, case .bytes(let bytes) = parts[1].content, bytes.count <= 8 else { throw PickledMap.other }
            guard let number = try integers(bytes, parts[0]).first else { throw PickledMap.other }
            try push(.integer(number))
        case "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer":
            // an array, as protocol 5 writes it: bytes, element type, shape, order
            guard parts.count == 4, case .bytes(let bytes) = parts[0].content else { throw PickledMap.other }
            try push(.numbers(try integers(bytes, parts[1])))
        case "_codecs.encode":
            // bytes, as protocol 2 writes them: a text of the first 256 characters
            guard case .text(let text)? = parts.first?.content else { throw PickledMap.other }
            try pay(text.utf8.count)
            guard text.unicodeScalars.allSatisfy({ $0.value < 256 }) else {
                throw PickledMap.other
            }
            try push(.bytes(text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }))
        default: throw PickledMap.other
        }
    }

    /// The state of an element type or an array.
    private mutating func build() throws(NumpyArray.Problem) {
        let state = try pop()
        let node = try top()
        guard !node.isPlaced, let parts = state.elements, parts.count >= 5 else { throw PickledMap.other }
        switch node.content {
        case .elementType(_, let name):
            guard case .text(let order) = parts[1].content else { throw PickledMap.other }
            node.content = .elementType(order: order, name: name)
        case .numbers, .array:
            if case .bytes(let bytes) = parts[4].content {
                node.content = .numbers(try integers(bytes, parts[2]))
            } else if case .list(let objects) = parts[4].content {
                try pay(objects.count)
                node.content = .array(objects)
                try node.place(objects)
            } else {
                throw PickledMap.other
            }
        default: throw PickledMap.other
        }
    }

    /// The whole numbers that some bytes are.
    private mutating func integers(_ bytes: [UInt8], _ type: PickleNode) throws(NumpyArray.Problem) -> [Int] {
        try pay(bytes.count)
        guard case .elementType(let order, let name) = type.content else { throw PickledMap.other }
        let element = try NumpyArray.ElementType((["<", ">"].contains(order) ? order : "|") + name)
        guard bytes.count % element.size == 0, case .integers(let numbers) = try element.read(bytes[...]) else {
            throw PickledMap.other
        }
        return numbers
    }
}
