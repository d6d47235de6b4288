package import Data

extension ReportContent {
    /// Content of samples alone, and perhaps of runs that have been read.
    package init(samples: [Sample], runs: [ReportedRun] = []) {
        self.init(runs: runs, samples: samples, folders: [], missing: [])
    }
}

extension ReportContent.Sample {
    /// What a system has written for the prompts of a split.
    package init(of system: String, split: String, rows: [SampleRow]) {
        self.init(system: system, run: system, table: split, split: split, rows: rows)
    }
}
