import Data
import Foundation
import Testing

struct BatchOrderTests {
    @Test func epochsCoverEverythingInNewOrders() throws {
        var order = try BatchOrder(seed: 3, count: 10, batchSize: 4)
        let epochs = (0..<3).map { _ in (0..<3).map { _ in order.next() } }
        for epoch in epochs {
            #expect(epoch.map(\.count) == [4, 4, 2])
            #expect(epoch.flatMap { $0 }.sorted() == Array(0..<10))
        }
        #expect(epochs[0] != epochs[1] && epochs[1] != epochs[2])
        #expect(order.epoch == 3 && order.batch == 0)
    }

    @Test func lastPartialBatchCanBeDropped() throws {
        var order = try BatchOrder(seed: 3, count: 10, batchSize: 4, dropLast: true)
        #expect(order.batchesPerEpoch == 2)
        let batches = (0..<4).map { _ in order.next() }
        #expect(batches.allSatisfy { $0.count == 4 })
        #expect(Set(batches[0] + batches[1]).count == 8)
        #expect(order.epoch == 2)
    }

    @Test func resumesAtAnyPosition() throws {
        var unbroken = try BatchOrder(seed: 11, count: 7, batchSize: 2)
        for _ in 0..<12 {
            var resumed = try JSONDecoder().decode(BatchOrder.self, from: JSONEncoder().encode(unbroken))
            #expect(resumed == unbroken)
            var rest = unbroken
            for _ in 0..<9 { #expect(resumed.next() == rest.next()) }
            _ = unbroken.next()
        }
    }

    @Test func orderDependsOnTheSeedAlone() throws {
        var first = try BatchOrder(seed: 1, count: 100, batchSize: 100)
        var same = try BatchOrder(seed: 1, count: 100, batchSize: 100)
        var other = try BatchOrder(seed: 2, count: 100, batchSize: 100)
        var small = try BatchOrder(seed: 1, count: 100, batchSize: 3)
        let order = first.next()
        #expect(same.next() == order)
        #expect(other.next() != order)
        #expect((0..<34).flatMap { _ in small.next() } == order)
        // The order must not change between versions, or resumed runs would break.
        #expect(order == (try PCG64Tests.Vectors.load().permutation))
    }

    @Test func impossibleOrdersAreRefused() {
        #expect(dataError { _ = try BatchOrder(seed: 0, count: 0, batchSize: 1) } != nil)
        #expect(dataError { _ = try BatchOrder(seed: 0, count: 5, batchSize: 0) } != nil)
        #expect(dataError { _ = try BatchOrder(seed: 0, count: 5, batchSize: .max) } != nil)
        #expect(dataError { _ = try BatchOrder(seed: 0, count: 5, batchSize: 6, dropLast: true) } != nil)
        let stored = #"{"seed": 1, "count": 4, "batchSize": 2, "dropLast": false, "epoch": 0, "batch": 2}"#
        #expect(dataError { _ = try JSONDecoder().decode(BatchOrder.self, from: Foundation.Data(stored.utf8)) } != nil)
    }
}
