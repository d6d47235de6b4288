import Formats
import Testing

@Suite struct CountedTests {
    @Test("a noun agrees with its number")
    func nouns() {
        #expect([0, 1, 2, 1000].map { "\(Counted($0, "step"))" } == ["0 steps", "1 step", "2 steps", "1,000 steps"])
        #expect([1, 2].map { "\(Counted($0, "summary", plural: "summaries"))" } == ["1 summary", "2 summaries"])
        #expect("\(Counted(UInt64.max, "byte"))" == "18,446,744,073,709,551,615 bytes")
        #expect([0, 1, 2].map { Counted.form($0, "is", "are") } == ["are", "is", "are"])
    }

    @Test("thousands are separated")
    func grouped() {
        #expect(
            [0, 999, 1000, -1, -123, -1234, 1_234_567].map { Counted.grouped($0) } == [
                "0", "999", "1,000", "-1", "-123", "-1,234", "1,234,567",
            ])
        #expect(Counted.grouped(Int.min) == "-9,223,372,036,854,775,808")
    }
}
