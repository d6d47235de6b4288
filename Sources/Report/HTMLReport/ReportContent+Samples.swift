package import Data

extension ReportContent {
    /// Creates content from samples and, optionally, runs that were already read.
    package init(samples: [Sample], runs: [ReportedRun] = []) {
        self.init(runs: runs, samples: samples, folders: [], missing: [])
    }
}

extension ReportContent.Sample {
    /// Creates the sample of a system on a split from rows.
    package init(of system: String, split: String, rows: [SampleRow]) {
        self.init(system: system, run: system, table: split, split: split, rows: rows)
    }
}
