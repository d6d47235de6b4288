import Foundation
import Testing
import Train
import _TestSupport

@Suite struct CollectiveTests {
    private struct Broken: Error, CustomStringConvertible { var description: String { "no room" } }

    @Test("vectors are summed in the order of the ranks, whatever rank comes first", arguments: [1, 2, 3, 4])
    func reduceScatter(size: Int) throws {
        // 1e8 + 1 is 1e8 in 32-bit floats, so another order gives another sum
        let numbers: [Float] = [1, 1e8, -1e8, 0.25]
        let sums = try ThreadCollective.run(size) { group in
            Thread.sleep(forTimeInterval: 0.002 * Double((group.rank + 1) % group.size))
            // part k has k + 1 numbers
            let parts = (0..<size).map { [Float](repeating: numbers[group.rank] * Float($0 + 1), count: $0 + 1) }
            let all = parts.flatMap { $0 }
            var sum = [Float](repeating: .nan, count: group.rank + 1)
            try all.withUnsafeBufferPointer { all in
                try sum.withUnsafeMutableBufferPointer { sum in
                    var begin = 0
                    let buffers = parts.map { part in
                        defer { begin += part.count }
                        return UnsafeBufferPointer(rebasing: all[begin..<begin + part.count])
                    }
                    try group.reduceScatter(buffers, into: sum)
                }
            }
            return sum
        }
        for rank in 0..<size {
            let terms = numbers.prefix(size).map { $0 * Float(rank + 1) }
            let expected = terms.dropFirst().reduce(terms[0], +)
            #expect(sums[rank] == Array(repeating: expected, count: rank + 1))
        }
    }

    @Test("every rank receives the vectors of all ranks, which may have different lengths")
    func allGather() throws {
        let found = try ThreadCollective.run(3) { group in
            let own = [Float](repeating: Float(group.rank), count: 2 * group.rank)
            var all = [Float](repeating: .nan, count: 6)
            try own.withUnsafeBufferPointer { own in
                try all.withUnsafeMutableBufferPointer { all in
                    try group.allGather(
                        own, into: [0..<0, 0..<2, 2..<6].map { UnsafeMutableBufferPointer(rebasing: all[$0]) })
                }
            }
            return all
        }
        #expect(found == Array(repeating: [1, 1, 2, 2, 2, 2], count: 3))
    }

    @Test("sums of numbers and flags are the same on all ranks; one process keeps its own")
    func sums() throws {
        let found = try ThreadCollective.run(3) { group in
            try group.barrier()
            return (try group.sum([Double(group.rank), 1]), try group.any([group.rank == 2, false]))
        }
        #expect(found.allSatisfy { $0.0 == [3, 3] && $0.1 == [true, false] })
        let local = LocalCollective()
        #expect(try local.sum([0.1, 2]) == [0.1, 2] && local.any([true, false]) == [true, false])
        try local.barrier()
    }

    @Test("an exchange in one process copies")
    func local() throws {
        var received: [Float] = [0, 0]
        try [Float](arrayLiteral: 3, 4).withUnsafeBufferPointer { sent in
            try received.withUnsafeMutableBufferPointer { try LocalCollective().reduceScatter([sent], into: $0) }
        }
        #expect(received == [3, 4])
    }

    @Test("a rank that throws ends the ranks that wait for it")
    func failure() throws {
        let results = ThreadCollective.results(3) { group in
            if group.rank == 1 { throw Broken() }
            try group.barrier()
        }
        #expect(throws: CollectiveError.rankFailed(rank: 1, message: "no room")) { try results[0].get() }
        #expect(throws: Broken.self) { try results[1].get() }
        #expect(throws: CollectiveError.rankFailed(rank: 1, message: "no room")) { try results[2].get() }
    }

    @Test("an abort ends the ranks that wait")
    func abort() throws {
        let results = ThreadCollective.results(2) { group in
            if group.rank == 0 { return group.abort("stopped", status: 1) }
            try group.barrier()
        }
        #expect(throws: CollectiveError.rankFailed(rank: 0, message: "stopped")) { try results[1].get() }
    }

    @Test("messages name the rank and say what to do")
    func messages() {
        #expect(CollectiveError.rankFailed(rank: 2, message: "no room").description == "rank 2 failed: no room")
        #expect(
            CollectiveError.rankDiffers(rank: 1, what: "the training set").description
                == "the training set on rank 1 differs from rank 0; start all ranks with the same version, options and files")
    }
}
