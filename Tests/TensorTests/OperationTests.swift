import Foundation
import Tensor
import Testing
import _TestSupport

/// Every operation, on every build of the kernels, with one and two threads, against naive kernels and central differences in Double.
@Suite struct OperationTests {
    @Test(arguments: OpCases.all) func values(_ operation: OpCase) {
        operation.checkValues()
    }

    @Test(arguments: OpCases.all) func gradients(_ operation: OpCase) {
        operation.checkGradients()
    }

    @Test(arguments: OpCases.logProbabilities) func logitsInManyChunks(_ operation: OpCase) {
        LogitChunk.$count.withValue(1) {
            operation.checkValues()
            operation.checkGradients()
        }
    }

    @Test func everyOperationHasCases() throws {
        let source = Fixtures.url("../../Sources/Tensor/Autograd/Operation.swift").standardizedFileURL
        let declared = try String(contentsOf: source, encoding: .utf8).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.first == "case" && !words[1].hasPrefix(".") ? words[1].split(separator: "(").first.map(String.init) : nil
        }
        #expect(declared.count > 10)
        #expect(Set(declared) == Set(OpCases.all.map(\.operation)))
    }
}
