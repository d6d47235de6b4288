import Testing
import Train
import _TestSupport

/// Items that are divided among ranks by their content.
@Suite struct DividingTests {
    private static let texts = (0..<40).map { "text \($0 % 30)" }

    private static func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    /// Rows of different lengths, and none for some items.
    private static func row(_ place: Int) -> [Double]? { place % 7 == 6 ? nil : Array(repeating: Double(place), count: place % 3) }

    @Test("every rank gets all rows in order, and a text always belongs to the same rank", arguments: [1, 2, 3])
    func rows(ranks: Int) throws {
        let texts = Self.texts
        let found = try ThreadCollective.run(ranks) { group -> (rows: [[Double]?], own: [Set<String>], count: Int) in
            var own: [[String]] = []
            func divide(_ texts: [String]) throws -> [[Double]?] {
                try group.dividing(Self.bytes(texts)) { part in
                    own.append(part.map { texts[$0] })
                    return part.map(Self.row)
                }
            }
            let rows = try divide(texts)
            #expect(try divide(texts.reversed()) == rows)
            return (rows, own.map(Set.init), own[0].count)
        }
        for (rows, own, count) in found {
            #expect(rows == texts.indices.map(Self.row))
            #expect(own[0] == own[1] && count > 0)
        }
        #expect(found.reduce(0) { $0 + $1.count } == texts.count)
        #expect(found.reduce(0) { $0 + $1.own[0].count } == 30)
    }

    @Test("no items, and fewer items than ranks")
    func few() throws {
        for texts in [[], ["alone"]] {
            let found = try ThreadCollective.run(3) { group in
                try group.dividing(Self.bytes(texts)) { part in part.map { [Float($0), 1] } }
            }
            for rows in found { #expect(rows == texts.indices.map { [Float($0), 1] }) }
        }
    }

    @Test("an error of one rank is one of all, and other items on a rank are noticed")
    func failures() {
        let failed = ThreadCollective.results(2) { group in
            try group.dividing(Self.bytes(Self.texts)) { part -> [[Double]?] in
                if group.rank == 1 { throw DiskFull() }
                return part.map(Self.row)
            }
        }
        expectDiskFull(onRank: 1, failed)
        let different = ThreadCollective.results(2) { group in
            let texts = Self.texts + (group.rank == 1 ? (40..<60).map { "text \($0)" } : [])
            return try group.dividing(Self.bytes(texts)) { part in part.map(Self.row) }
        }
        for result in different { #expect(throws: CollectiveError.self) { try result.get() } }
    }
}
