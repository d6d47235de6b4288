import Foundation
import Testing
import Train
import _TestSupport

/// What one rank gives reaches all, and the end of one rank ends all.
@Suite struct GuardedCollectiveTests {
    @Test("rank 0's value reaches all ranks, and so does its failure", arguments: [1, 2, 3])
    func broadcast(size: Int) throws {
        let values = try ThreadCollective.run(size) { group in
            let text = try group.broadcast { "from \(group.rank)" }
            let nothing = try group.broadcast { group.rank == 0 ? nil : 1 as Int? }
            return [text, nothing.map(String.init) ?? "nothing"]
        }
        #expect(values == Array(repeating: ["from 0", "nothing"], count: size))
        let results = ThreadCollective.results(size) { group in
            try group.broadcast { () throws -> Int in throw DiskFull() }
        }
        expectDiskFull(onRank: 0, results)
    }

    @Test("agreement inside agreement keeps the error on the rank where it began", arguments: [0, 1, 2])
    func nested(broken: Int) throws {
        let results = ThreadCollective.results(3) { group in
            try group.together { try group.together { if group.rank == broken { throw DiskFull() } } }
        }
        expectDiskFull(onRank: broken, results)
    }

    @Test("a guarded group exchanges what its group exchanges, and ends well")
    func plain() throws {
        let outcomes = try ThreadCollective.run(3) { group in
            let guarded = GuardedCollective(group)
            let sums = try guarded.sum([Double(guarded.rank), 1])
            let ends = try guarded.end(RankEnd())
            return (sums, ends)
        }
        for (sums, ends) in outcomes { #expect(sums == [3, 3] && ends == [RankEnd(), RankEnd(), RankEnd()] && ends.failure == nil) }
    }

    @Test("a rank that ends with an error between two exchanges ends the others in their next one", arguments: [0, 1, 2])
    func failure(broken: Int) throws {
        let own = RankEnd(text: "no room", status: 74)
        let outcomes = try ThreadCollective.run(3) { group in
            let guarded = GuardedCollective(group)
            _ = try guarded.sum([1])
            guard guarded.rank != broken else { return (nil as CollectiveError?, try guarded.end(own)) }
            let error = #expect(throws: CollectiveError.self) {
                // of different lengths: nobody waits for the bytes of the rank that has ended
                _ = try guarded.sum([1, 2, 3])
                _ = try guarded.sum([4])
            }
            return (error, try guarded.end(RankEnd(text: "another failed", status: 70, isOwn: false)))
        }
        for (rank, (error, ends)) in outcomes.enumerated() {
            #expect(error == (rank == broken ? nil : .rankFailed(rank: broken, message: "no room")))
            #expect(ends.count == 3 && ends[broken] == own && ends.compactMap { $0 }.count == 1)
            #expect(ends.failure?.rank == broken && ends.failure?.end == own)
        }
    }

    @Test("of several failures, that of the rank where it began decides")
    func deciding() throws {
        let ends = try ThreadCollective.run(3) { group in
            let guarded = GuardedCollective(group)
            let result = Result { try guarded.together { if group.rank == 1 { throw DiskFull() } } }
            #expect(throws: (any Error).self) { try result.get() }
            return try guarded.end(RankEnd(text: "\(group.rank)", status: 65, isOwn: group.rank == 1))
        }
        for ends in ends { #expect(ends.compactMap { $0 }.count == 3 && ends.failure?.rank == 1 && ends.failure?.end.text == "1") }
    }
}
