import Formats
import Testing

/// Record framing, checksums and messages of TensorBoard's event files.
@Suite("Event files")
struct EventFileTests {
    @Test(
        "CRC-32C of the vectors of RFC 3720 and of the customary text",
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 255, count: 32), 0x62A8_AB43),
            (Array(0..<32), 0x46DD_794E), (Array("123456789".utf8), 0xE306_9283), ([], 0),
        ] as [([UInt8], UInt32)])
    func checksums(bytes: [UInt8], expected: UInt32) {
        #expect(CRC32C.checksum(bytes) == expected)
    }

    @Test("records come back, and a last one that was cut or damaged ends the reading")
    func framing() {
        let records: [[UInt8]] = [[], [1, 2, 3], Array(repeating: 7, count: 300)]
        let file = records.flatMap(RecordFile.framed)
        #expect(RecordFile.records(in: file).records == records)
        #expect(RecordFile.records(in: file).length == file.count)
        let whole = records.dropLast().flatMap(RecordFile.framed).count
        for cut in [1, 4, 100, 300, 315] {
            let (found, length) = RecordFile.records(in: Array(file.dropLast(cut)))
            #expect(found == Array(records.dropLast()) && length == whole, "\(cut)")
        }
        for place in [whole, whole + 9, whole + 20, file.count - 1] {
            var damaged = file
            damaged[place] ^= 1
            #expect(RecordFile.records(in: damaged).length == whole, "\(place)")
        }
        // a length that no file has
        let endless = [UInt8](repeating: 255, count: 8)
        let head = endless + withUnsafeBytes(of: CRC32C.masked(endless).littleEndian) { Array($0) }
        #expect(RecordFile.records(in: head + [UInt8](repeating: 0, count: 20)).records.isEmpty)
    }

    @Test("the bytes of a scalar are those of the format's own example of wire types")
    func message() {
        let event = EventRecord(wallTime: 1, step: 300, content: .summary([SummaryValue("a", .scalar(0.5))]))
        let expected: [UInt8] = [
            0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F,  // 1: double 1
            0x10, 0xAC, 0x02,  // 2: varint 300
            0x2A, 10, 0x0A, 8, 0x0A, 1, 0x61, 0x15, 0, 0, 0, 0x3F,  // 5: { 1: { 1: "a", 2: float 0.5 } }
        ]
        #expect(event.bytes == expected)
    }

    @Test("every kind of value comes back")
    func values() throws {
        let histogram = try #require(EventHistogram([1, 2, 2.5, 9]))
        let values = [
            SummaryValue("loss", .scalar(1.25)), SummaryValue("texts/evaluation", .text("| a |\n")),
            SummaryValue("r", .histogram(histogram)),
            SummaryValue("_hparams_/session_start_info", .hyperParameters([1, 2, 3])),
        ]
        for event in [
            EventRecord(wallTime: 12.5, step: -1, content: .summary(values)),
            EventRecord(wallTime: 0, step: 0, content: .fileVersion("brain.Event:2")),
        ] { #expect(EventRecord(bytes: event.bytes) == event) }
        #expect(EventRecord(bytes: [0xFF]) == nil && EventRecord(bytes: []) == nil)
    }

    @Test("a histogram counts each value once, those at its ends too")
    func histogram() throws {
        let histogram = try #require(EventHistogram([0, 0.1, 1, 5, 10, 10, .nan, .infinity], buckets: 10))
        #expect(histogram.counts == [3, 0, 0, 0, 1, 0, 0, 0, 0, 2])
        #expect((histogram.low, histogram.high, histogram.count) == (0, 10, 6))
        #expect(histogram.limits.count == 10 && histogram.limits.last == 10 && abs(histogram.sum - 26.1) < 1e-12)
        #expect(EventHistogram([3, 3])?.counts == [2] && EventHistogram([.nan]) == nil)
    }
}
