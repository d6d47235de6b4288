import Foundation
import Testing

/// The same command gives the same bytes in every process, with any number of threads; passes change no draw.
@Suite(.serialized) struct DeterminismTests {
    private let pipeline: TinyPipeline

    init() throws { pipeline = try TinyPipeline() }

    private func run(_ program: String, _ output: String = "runs", _ extra: [String] = []) throws -> [String: Data] {
        let end = try pipeline.start(program, output: output, extra: extra).wait()
        #expect(end.status == 0, "\(program): \(end.errors)")
        return try pipeline.results("\(output)/\(TinyPipeline.run(program))")
    }

    private func lines(_ content: Data?) throws -> [[String: Any]] {
        try String(decoding: content ?? Data(), as: UTF8.self).split(separator: "\n").compactMap {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }

    @Test("two processes, one seed and one number of threads: the same bytes in every file", arguments: [1, 2])
    func processes(threads: Int) throws {
        let extra = ["--threads", "\(threads)"]
        for program in TinyPipeline.programs.dropLast() {
            let first = try run(program, "runs", extra)
            let second = try run(program, "again", extra)
            #expect(first.keys.sorted() == second.keys.sorted() && first.count >= 3, "\(program)")
            for (name, content) in first { #expect(second[name] == content, "\(program): \(name)") }
        }
    }

    @Test("the number of threads changes no bit", arguments: [nil, "Haswell"] as [String?])
    func threads(openBLAS: String?) throws {
        let environment = openBLAS.map { ["OPENBLAS_CORETYPE": $0] } ?? [:]
        func results(_ program: String, _ output: String, _ threads: Int) throws -> [String: Data] {
            let end = try pipeline.start(program, output: output, extra: ["--threads", "\(threads)"], environment: environment).wait()
            #expect(end.status == 0, "\(program): \(end.errors)")
            return try pipeline.results("\(output)/\(TinyPipeline.run(program))")
        }
        for program in TinyPipeline.programs.dropLast() {
            let one = try results(program, "runs", 1)
            #expect(one["metrics.jsonl"] != nil)
            for threads in [2, 3, 7] {
                let several = try results(program, "threads-\(threads)", threads)
                for (name, content) in one where name != "config.json" {
                    #expect(several[name] == content, "\(program), \(threads) threads: \(name)")
                }
            }
        }
    }

    @Test("the first of N samples are the same for every N, and for every set of prompts")
    func streams() throws {
        _ = try run("train-sft")
        func responses(_ output: String, _ extra: [String]) throws -> [String: [String]] {
            let end = try ProgramProcess(
                "sample-best-of-n",
                [
                    "--dataset", "data", "--model-name", "runs/sft", "--reward-function", "rouge", "--max-new-tokens",
                    "6", "--seed", "3",
                    "--threads", "2", "--output-dir", output,
                ] + extra, in: pipeline.folder
            ).wait()
            #expect(end.status == 0, "\(end.errors)")
            var found: [String: [String]] = [:]
            for row in try lines(pipeline.results(output + "/bon")["tables/test.jsonl"]) {
                found[row["id"] as? String ?? "", default: []].append(row["response"] as? String ?? "")
            }
            return found
        }
        let many = try responses("many", ["--num-return-sequences", "90", "--evaluation-splits", "test"])
        let few = try responses("few", ["--num-return-sequences", "3", "--evaluation-splits", "validation,test"])
        let one = try responses(
            "one", ["--num-return-sequences", "5", "--evaluation-splits", "test", "--target-eval-datapoints", "1"])
        #expect(many.count == 6 && few.count == 6 && one.count == 1)
        for (id, texts) in few { #expect(Array((many[id] ?? []).prefix(3)) == texts, "\(id)") }
        for (id, texts) in one { #expect(Array((many[id] ?? []).prefix(5)) == texts, "\(id)") }
    }
}
