package import Foundation

/// A map from names to integers in a `.npy` file, as `numpy.save` writes a Python dictionary. The original implementation's index
/// files have this form.
///
/// Such a file is a pickle, that is, a program for the Python interpreter. None of it is executed: a few instructions build
/// lists, dictionaries, strings and numbers, a fixed list of names stands for numpy's integer arrays, and everything else is
/// rejected.
package struct PickledMap {
    /// The names and their numbers, in the order of the file.
    package let rows: [(name: String, numbers: [Int])]

    /// Reads a file; nil for a `.npy` file without a Python object.
    /// - Throws: `FormatError.unreadable` or `badFile`.
    package static func read(_ file: URL) throws -> PickledMap? {
        let bytes = try ByteSource.content(of: file, limit: NumpyArray.sizeLimit)
        do throws(NumpyArray.Problem) {
            guard let start = try objectStart(bytes) else { return nil }
            return try PickledMap(pickle: bytes[start...])
        } catch {
            throw FormatError.badFile(path: file.path, reason: error.reason)
        }
    }

    /// The offset at which the pickle of a single Python object starts; nil for other arrays.
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

    /// Reads the map from a pickle of `numpy.array(map, dtype=object)` or of the dictionary itself.
    init(pickle bytes: ArraySlice<UInt8>) throws(NumpyArray.Problem) {
        let (machine, root) = try Self.run(bytes)
        var content = machine[root]
        if case .value = content, let elements = machine.elements(root), elements.count == 1 { content = machine[elements[0]] }
        guard case .dictionary(let entries) = content else { throw Self.other }
        var rows: [(name: String, numbers: [Int])] = []
        // a pickle can use one list under many names, so limit the total number of elements
        var left = bytes.count
        for (key, value) in entries {
            guard case .text(let name) = machine[key] else { throw Self.other }
            guard !rows.contains(where: { $0.name == name }) else {
                throw NumpyArray.Problem(reason: "the split \(OneLine.quoted(name)) appears twice")
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

    /// Runs a pickle.
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
            case .truncated, .endlessName: throw NumpyArray.Problem(reason: "it is truncated")
            case .tooLarge(_, let size, NumpyPickle.limits.bytes) where size == bytes.count:
                throw NumpyArray.Problem(reason: "its objects have more than \(NumpyPickle.limits.bytes) bytes")
            case .tooLarge(_, _, let limit): throw NumpyArray.Problem(reason: "it creates more than \(limit) objects")
            case .unpacksTooFar: throw Self.unpacksTooFar
            case .unsuitable(let reason): throw NumpyArray.Problem(reason: reason)
            }
        }
    }

    /// The error for a pickle that is not such a map.
    static let other = NumpyArray.Problem(
        reason: "it contains Python objects other than a dictionary from splits to row numbers; " + NumpyArray.advice)

    /// The error for a pickle that repeats its parts to exhaust memory.
    static let unpacksTooFar = NumpyArray.Problem(
        reason: "its pickle expands to many times its size through repeated references; it is rejected")
}
