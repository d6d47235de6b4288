package import Data
import Formats
package import Foundation
import Runs

/// Everything that the sections of an HTML report are made from.
package struct ReportContent: Sendable {
    /// One system's rows of one table: what it wrote for the prompts of a split.
    package struct Sample: Sendable {
        /// What the system is called in the report: `SFT`, `PPO`, `best-of-16`; no two are called the same.
        package var system: String
        /// The run that has the table.
        package var run: String
        /// The table's name.
        package var table: String
        /// The split that its prompts come from: `test`, `ood_test`.
        package var split: String
        /// Its rows.
        package var rows: [SampleRow]
        /// Whether it is what the other systems began with.
        package var isBase = false
    }

    /// The runs, in the order in which they were made.
    package var runs: [ReportedRun]
    /// Tables of samples, by system and split.
    package var samples: [Sample]
    /// Comparisons of systems: those that lie beside the runs, or one that was measured from the samples.
    package var systems: [ReportedSystems] = []
    /// Where the runs lie, for summaries and comparisons beside them.
    package var folders: [URL]
    /// What is missing or damaged, a line each.
    package var missing: [String]
}

/// A part of an HTML report. A report is an array of them, to which callers may add their own.
package struct ReportSection {
    /// The id of its heading, which links name.
    package var id: String
    /// Its heading.
    package var title: String
    /// What stands below the heading; nil where the content has nothing for it, and the section is left out.
    package var make: (ReportContent) throws -> Body?

    /// What a section puts into the page.
    package struct Body {
        /// Below the heading.
        package var html: HTML
        /// Its own style sheets.
        package var styles: [String] = []
        /// Its own scripts.
        package var scripts: [String] = []
        /// Data for scripts, by id.
        package var data: [(id: String, json: String)] = []
        /// Pictures in it, which may be written into files of their own, too.
        package var pictures: [Picture] = []
        /// What was cut or left out, for the page's list of what is missing.
        package var notes: [String] = []

        /// A body.
        package init(_ html: HTML) { self.html = html }
    }

    /// A section.
    package init(id: String, title: String, make: @escaping (ReportContent) throws -> Body?) {
        (self.id, self.title, self.make) = (id, title, make)
    }
}
