/// The framing of TensorFlow's record files, which TensorBoard's event files use. A record is its length (UInt64), the masked
/// CRC-32C of the length, the data, and the masked CRC-32C of the data, all little-endian.
package enum RecordFile {
    /// The maximum size in bytes of a record that is read.
    package static let longestRecord: UInt64 = 64 << 20

    /// A record with its framing.
    package static func framed(_ data: [UInt8]) -> [UInt8] {
        let length = bytes(of: UInt64(data.count))
        return length + bytes(of: CRC32C.masked(length)) + data + bytes(of: CRC32C.masked(data))
    }

    /// The records of a file. Reading stops at the first violation of the format: if the process ended while writing, the last
    /// record is incomplete.
    /// - Returns: The records, and the number of bytes that they occupy in the file.
    package static func records(in content: [UInt8]) -> (records: [[UInt8]], length: Int) {
        var (records, place): ([[UInt8]], Int) = ([], 0)
        while content.count - place >= 16 {
            let head = content[place..<place + 8]
            guard number(content, place + 8) == CRC32C.masked(head) else { break }
            let length = head.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard length <= longestRecord, UInt64(content.count - place - 16) >= length else { break }
            let data = content[place + 12..<place + 12 + Int(length)]
            guard number(content, data.endIndex) == CRC32C.masked(data) else { break }
            records.append(Array(data))
            place = data.endIndex + 4
        }
        return (records, place)
    }

    private static func bytes(of number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private static func number(_ content: [UInt8], _ place: Int) -> UInt32 {
        content[place..<place + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
