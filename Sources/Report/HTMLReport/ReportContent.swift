package import Data
import Formats
package import Foundation
import Runs

/// The data from which the sections of an HTML report are made.
package struct ReportContent: Sendable {
    /// The rows of one table: the responses of one system to the prompts of a split.
    package struct Sample: Sendable {
        /// The unique name of the system in the report, such as `SFT`, `PPO` or `best-of-16`.
        package var system: String
        /// The name of the run that contains the table.
        package var run: String
        /// The name of the table.
        package var table: String
        /// The split of its prompts, such as `test` or `ood_test`.
        package var split: String
        /// The rows of the table.
        package var rows: [SampleRow]
        /// Whether this is the base, the model that the other systems started from.
        package var isBase = false
        /// Whether the model that was sampled is the reference model, from which KL is measured. Only then is the KL of selecting
        /// among N samples a KL from the reference model.
        package var isOfReference = false
    }

    /// The runs, in the order given; those in one folder are ordered by stage.
    package var runs: [ReportedRun]
    /// Tables of samples, ordered by system.
    package var samples: [Sample]
    /// Comparisons of systems: those stored next to the runs, or one measured from the samples.
    package var systems: [ReportedSystems] = []
    /// The folders that contain the runs, where summaries and comparisons are looked up.
    package var folders: [URL]
    /// Notes on missing and damaged parts, one line each.
    package var missing: [String]
}

/// A section of an HTML report. A report is an array of sections, to which callers can add.
package struct ReportSection {
    /// The ID of the heading, for links.
    package var id: String
    /// The heading.
    package var title: String
    /// Makes the content below the heading; nil if there is no data for it, and the section is left out.
    package var make: (ReportContent) throws -> Body?

    /// The content of a section.
    package struct Body {
        /// The markup below the heading.
        package var html: HTML
        /// Additional style sheets.
        package var styles: [String] = []
        /// Additional scripts.
        package var scripts: [String] = []
        /// JSON data for scripts, by element ID.
        package var data: [(id: String, json: String)] = []
        /// The pictures in the section, which can also be written as separate files.
        package var pictures: [Picture] = []
        /// Notes on what was cut or left out, for the page's list of what is missing.
        package var notes: [String] = []

        /// Creates a body with markup only.
        package init(_ html: HTML) { self.html = html }
    }

    /// Creates a section.
    package init(id: String, title: String, make: @escaping (ReportContent) throws -> Body?) {
        (self.id, self.title, self.make) = (id, title, make)
    }
}
