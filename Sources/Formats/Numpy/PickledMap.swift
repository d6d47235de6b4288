package import Foundation

/// A map from names to whole numbers in a `.npy` file, as `numpy.save` writes a Python dictionary: the form of the original's index files.
///
/// Such a file is a pickle, a program for an interpreter of Python. Nothing of it is run here: a few instructions build lists, maps, texts
/// and numbers, a fixed list of names stands for numpy's arrays of numbers, and everything else is refused.
package struct PickledMap {
    /// Name → numbers, in the file's order.
    package let rows: [(name: String, numbers: [Int])]

    /// Reads a file; nil for a `.npy` file that holds no Python object.
    /// - Throws: `FormatError.unreadable`, `badFile`.
    package static func read(_ file: URL) throws -> PickledMap? {
        let bytes = try ByteSource.content(of: file, limit: NumpyArray.sizeLimit)
        do throws(NumpyArray.Problem) {
            guard let start = try objectStart(bytes) else { return nil }
            return try PickledMap(pickle: bytes[start...])
        } catch {
            throw FormatError.badFile(path: file.path, reason: error.reason)
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
        let (machine, root) = try Self.run(bytes)
        var content = machine[root]
        if case .value = content, let elements = machine.elements(root), elements.count == 1 { content = machine[elements[0]] }
        guard case .dictionary(let entries) = content else { throw Self.other }
        var rows: [(name: String, numbers: [Int])] = []
        // one list may stand under many names
        var left = bytes.count
        for (key, value) in entries {
            guard case .text(let name) = machine[key] else { throw Self.other }
            guard !rows.contains(where: { $0.name == name }) else {
                throw NumpyArray.Problem(reason: "it names the split \(OneLine.quoted(name)) twice")
            }
            var numbers: [Int] = []
            if case .numbers(let own)? = machine.value(value) {
                numbers = own
            } else {
                guard let elements = machine.elements(value) else { throw Self.other }
                guard elements.count <= left else { throw Self.unpacksTooFar }
                numbers.reserveCapacity(elements.count)
                for element in elements {
                    guard case .integer(let number) = machine[element] else { throw Self.other }
                    numbers.append(number)
                }
            }
            left -= numbers.count
            guard left >= 0, rows.count < 1000 else { throw Self.unpacksTooFar }
            rows.append((name, numbers))
        }
        self.rows = rows
    }

    /// Carries a pickle out.
    private static func run(
        _ bytes: ArraySlice<UInt8>
    ) throws(NumpyArray.Problem) -> (machine: PickleMachine<NumpyPickle>, root: Int32) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(PickleFault) in try PickleMachine<NumpyPickle>.run(bytes) }
        }
        do throws(PickleFault) {
            return try result.get()
        } catch {
            switch error {
            case .refused: throw Self.other
            case .truncated, .endlessName: throw NumpyArray.Problem(reason: "it is cut off")
            case .tooLarge(_, let size, NumpyPickle.limits.bytes) where size == bytes.count:
                throw NumpyArray.Problem(reason: "its objects have more than \(NumpyPickle.limits.bytes) bytes")
            case .tooLarge(_, _, let limit): throw NumpyArray.Problem(reason: "it builds more than \(limit) things")
            case .unpacksTooFar: throw Self.unpacksTooFar
            case .unsuitable(let reason): throw NumpyArray.Problem(reason: reason)
            }
        }
    }

    /// What is said of anything that is no such map.
    static let other = NumpyArray.Problem(
        reason: "it holds Python objects other than a map from splits to row numbers; " + NumpyArray.advice)

    /// What is said of a file that repeats its parts until they fill the memory.
    static let unpacksTooFar = NumpyArray.Problem(
        reason: "its pickle would become many times its size by naming parts of itself again and again; it is not read")
}
