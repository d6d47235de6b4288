import Formats
import Foundation

/// A map from names to whole numbers in a `.npy` file, as `numpy.save` writes a Python dictionary: the form of the original's index files.
///
/// Such a file is a pickle, a program for an interpreter of Python. Nothing of it is run here: a few instructions build lists, maps, texts
/// and numbers, a fixed list of names stands for numpy's arrays of numbers, and everything else is refused.
struct PickledMap {
    /// Name → numbers, in the file's order.
    let rows: [(name: String, numbers: [Int])]

    /// Reads a file; nil for a `.npy` file that holds no Python object.
    /// - Throws: `DataError.unreadable`, `invalidIndex`.
    static func read(_ file: URL) throws -> PickledMap? {
        let bytes = try ByteSource.content(of: file, limit: NumpyArray.sizeLimit)
        do throws(NumpyArray.Problem) {
            guard let start = try objectStart(bytes) else { return nil }
            guard bytes.count - start <= PickleMachine.sizeLimit else {
                throw NumpyArray.Problem(reason: "its objects have more than \(PickleMachine.sizeLimit) bytes")
            }
            return try PickledMap(pickle: bytes[start...])
        } catch {
            throw DataError.invalidIndex(path: file.path, reason: error.reason)
        }
    }

    /// Where the pickle of a single Python object begins.
    private static func objectStart(_ bytes: [UInt8]) throws(NumpyArray.Problem) -> Int? {
        guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)), bytes.count >= 12, (1...3).contains(bytes[6]) else {
            return nil
        }
        let start = bytes[6] == 1 ? 10 : 12
        let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= 65_536, bytes.count - start >= length else { return nil }
        let header = try NumpyArray.Header(parsing: Array(bytes[start..<start + length]))
        return header.type == "|O" && header.shape.isEmpty ? start + length : nil
    }

    /// The map that a pickle builds: `numpy.array(map, dtype=object)`, or the map itself.
    init(pickle bytes: ArraySlice<UInt8>) throws(NumpyArray.Problem) {
        var machine = PickleMachine(bytes)
        let result = try machine.run()
        var content = result.content
        if case .array(let elements) = content, elements.count == 1 { content = elements[0].content }
        guard case .map(let entries) = content else { throw Self.other }
        var rows: [(name: String, numbers: [Int])] = []
        // one list may stand under many names
        var left = bytes.count
        for (key, value) in entries {
            guard case .text(let name) = key.content else { throw Self.other }
            guard !rows.contains(where: { $0.name == name }) else {
                throw NumpyArray.Problem(reason: "it names the split \(OneLine.quoted(name)) twice")
            }
            var numbers: [Int] = []
            if case .numbers(let own) = value.content {
                numbers = own
            } else {
                guard let elements = value.elements else { throw Self.other }
                guard elements.count <= left else { throw Self.unpacksTooFar }
                numbers.reserveCapacity(elements.count)
                for element in elements {
                    guard case .integer(let number) = element.content else { throw Self.other }
                    numbers.append(number)
                }
            }
            left -= numbers.count
            guard left >= 0, rows.count < 1000 else { throw Self.unpacksTooFar }
            rows.append((name, numbers))
        }
        self.rows = rows
    }

    /// What is said of anything that is no such map.
    static let other = NumpyArray.Problem(
        reason: "it holds Python objects other than a map from splits to row numbers; " + NumpyArray.advice)

    /// What is said of a file that repeats its parts until they fill the memory.
    static let unpacksTooFar = NumpyArray.Problem(
        reason: "its pickle would become many times its size by naming parts of itself again and again; it is not read")
}

/// One thing that a pickle has built.
final class PickleNode {
    enum Content {
        case none
        case flag(Bool)
        case integer(Int)
        case text(String)
        case bytes([UInt8])
        case list([PickleNode])
        case tuple([PickleNode])
        case map([(PickleNode, PickleNode)])
        /// A function or class of Python by its name.
        case named(String)
        /// numpy's description of elements: the byte order, and a kind with a size.
        indirect case elementType(order: String, name: String)
        /// An array of numpy by its elements, objects of Python.
        case array([PickleNode])
        /// An array of numpy of whole numbers.
        case numbers([Int])
    }

    var content: Content
    /// Whether it is part of another one, and so is not changed any more: nothing can come to hold itself.
    var isPlaced = false
    /// How many levels of things it holds.
    private(set) var depth = 0

    init(_ content: Content) { self.content = content }

    /// The elements of a list, a tuple or an array.
    var elements: [PickleNode]? {
        switch content {
        case .list(let nodes), .tuple(let nodes), .array(let nodes): nodes
        default: nil
        }
    }

    /// Notes that other nodes are parts of this one.
    func place(_ parts: [PickleNode]) throws(NumpyArray.Problem) {
        for part in parts {
            part.isPlaced = true
            depth = max(depth, part.depth + 1)
        }
        guard depth <= 8 else { throw PickledMap.other }
    }
}
