import ShortFloats
import Tensor
import Testing
import _TestSupport

/// Rounding weights to narrow formats: the bytes of the naive loops on any number of threads, the place of a number that does not fit.
@Suite struct NarrowRoundingTests {
    private static func bytes(_ narrow: NarrowElements) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: narrow.bytes, count: narrow.format.byteCount(of: narrow.count)))
    }

    private static func expected(_ numbers: [Float], _ format: NumberFormat) -> [UInt8] {
        if format == .q8 { return Naive.q8Blocks(numbers).bytes }
        let narrow = format == .bf16 ? FloatConversion.narrowToBFloat16 : FloatConversion.narrowToFloat16
        return numbers.map(narrow).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    }

    @Test(arguments: NarrowWeightTests.formats) func sizes(format: NumberFormat) {
        #expect(format.byteCount(of: 0) == 0)
        let expected = format == .q8 ? [34, 34, 34, 68, 68] : [2, 62, 64, 66, 128]
        #expect([1, 31, 32, 33, 64].map { format.byteCount(of: $0) } == expected)
        #expect(NumberFormat.f32.byteCount(of: 33) == 132)
    }

    /// One block and several, blocks that are not full, as many numbers as several threads get.
    @Test(arguments: [0, 1, 31, 32, 33, 480, 131_071, 131_072, 300_001], NarrowWeightTests.formats)
    func anyNumberOfElements(count: Int, format: NumberFormat) throws {
        let tensor = OpCase.Input.normal("x", [count]).tensor
        let expected = Self.expected(tensor.values, format)
        try onEveryBuild { label, _ in
            let narrow = try NarrowElements.rounding(tensor.storage, count: count, to: format)
            let isSame = Self.bytes(narrow) == expected
            #expect(isSame, "\(label)")
            #expect(narrow.format == format && narrow.count == count && !narrow.keepsPacking)
            // what is narrow already keeps its bytes
            let again = try NarrowElements.rounding(Storage(narrow), count: count, to: format)
            let isSameAgain = Self.bytes(again) == expected
            #expect(isSameAgain, "\(label)")
        }
        // and a part of a range widens as it does alone
        guard count >= 480 else { return }
        let narrow = try NarrowElements.rounding(tensor.storage, count: count, to: format)
        let all = Tensor.uninitialized([count]) { narrow.widen(0..<count, into: $0) }.values
        for range in [0..<1, 17..<40, 32..<96, 33..<33, 400..<480, count - 5..<count] {
            #expect(Tensor.uninitialized([range.count]) { narrow.widen(range, into: $0) }.values == Array(all[range]), "\(range)")
        }
        let block = Tensor.uninitialized([3, 20]) { narrow.widen(rows: 2..<5, columns: 9..<29, stride: 31, into: $0) }.values
        #expect(block == Array(all[71..<91] + all[102..<122] + all[133..<153]))
    }

    /// The first of several, on any number of threads.
    @Test(arguments: NarrowWeightTests.formats) func whatDoesNotFitIsNamed(format: NumberFormat) {
        for number in [Float.nan, .infinity, -.infinity, 3.4e38] {
            for first in [0, 70, 131_100, 299_999] {
                var numbers = [Float](repeating: 1, count: 300_000)
                (numbers[first], numbers[max(first, 262_200)]) = (number, number)
                let tensor = Tensor(numbers, shape: [numbers.count])
                onEveryBuild { label, _ in
                    let error = #expect(throws: RoundingError.self, "\(label)") {
                        try NarrowElements.rounding(tensor.storage, count: tensor.count, to: format)
                    }
                    #expect(error?.index == (format == .q8 ? first / 32 * 32 : first), "\(label)")
                    let text = error?.description ?? ""
                    #expect(text.contains(format.name) && text.contains("index \(error?.index ?? 0) "), "\(text)")
                }
            }
        }
    }

    /// Memory that can be read again, as that of a mapped file.
    private final class File: ReadableAgain {
        private let numbers: UnsafeMutableBufferPointer<Float>

        init(_ values: [Float]) {
            numbers = .allocate(capacity: values.count)
            _ = numbers.initialize(fromContentsOf: values)
        }

        deinit { numbers.deallocate() }

        func storage() throws -> Storage {
            Storage(viewing: try #require(numbers.baseAddress), byteCount: 4 * numbers.count, owner: self)
        }

        func forget(_ pointer: UnsafeRawPointer, byteCount: Int) {}
    }

    /// The numbers of a mapped file are there as long as what was rounded from them, for saving and for other formats.
    @Test(arguments: NarrowWeightTests.formats) func theOriginalIsKeptIfItCanBeReadAgain(format: NumberFormat) throws {
        let own = OpCase.Input.normal("x", [40, 33]).tensor
        let (values, count) = (own.values, own.count)
        let rounded = try NarrowElements.rounding(own.storage, count: count, to: format)
        #expect(rounded.original == nil && own.unrounded.sharesMemory(with: own))
        let alone = Tensor(shape: own.shape, narrow: rounded)
        #expect(alone.unrounded.sharesMemory(with: alone))
        let mapped = try File(values).storage()
        var held = Tensor(shape: own.shape, narrow: try NarrowElements.rounding(mapped, count: count, to: format))
        let original = try #require(held.storage.narrow?.original)
        // packed copies that products keep with the file's numbers go with these
        #expect(original !== mapped && original.format == .f32)
        #expect(held.unrounded.values == values && held.values == alone.values && held.values != values)
        for other in NarrowWeightTests.formats {
            let second = try NarrowElements.rounding(held.storage, count: count, to: other)
            let isSame = Self.bytes(second) == Self.expected(values, other)
            #expect(isSame, "\(other) was rounded from \(format)")
            #expect(Tensor(shape: own.shape, narrow: second).unrounded.values == values)
        }
        // what changes is no longer what was rounded
        held.update { $0[3] = 7 }
        #expect(held.unrounded.sharesMemory(with: held) && held.values[3] == 7 && held.values.dropFirst(4) == alone.values.dropFirst(4))
    }

    @Test func onlyBFloat16HasAPointer() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try NarrowElements.rounding(Storage(byteCount: 128), count: 0, to: .q8).pointer
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("Q8_0") && text.contains("not in bfloat16"), "\(text)")
    }
}
