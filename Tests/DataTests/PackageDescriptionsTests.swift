import Data
import Foundation
import Testing
import _TestSupport

struct PackageDescriptionsTests {
    @Test func descriptionsAreUnwrapped() {
        let description = PackageDescription(
            control: """
                Firmware flasher 
                 The flasher implements a handler
                 for the bootloader.
                 .
                 Supported operations:
                  * generating and unpacking
                    images
                  * editing
                 More text
                 here.
                 .
                 .
                  verbatim one
                  verbatim two
                """)
        #expect(description.synopsis == "Firmware flasher")
        #expect(
            description.text == """
                The flasher implements a handler for the bootloader.

                Supported operations:
                * generating and unpacking images
                * editing
                More text here.

                verbatim one
                verbatim two
                """)
        #expect(PackageDescription(control: "Only a line").text.isEmpty)
    }

    @Test func controlFilesAreReadInParagraphs() throws {
        let text = """
            Package: one
            Version: 1
             2
            Description-md5: aa
            Description-en: Line
             more
              and more


            Package: two
            Description-en_GB: Other
            """
        try withTemporaryFolder { folder in
            let file = try folder.adding("Packages", text)
            let paragraphs = try ControlFile.paragraphs(
                of: file, wanted: ["Package", "Description-md5", "Description-en*"])
            #expect(
                paragraphs == [
                    ["Package": "one", "Description-md5": "aa", "Description-en": "Line\n more\n  and more"],
                    ["Package": "two", "Description-en_GB": "Other"],
                ])
        }
    }

    private func package(_ name: String, source: String? = nil, section: String = "utils", post: String)
        -> PackageDescriptions.Package
    {
        .init(
            name: name, source: source ?? name, section: section,
            description: PackageDescription(control: "does \(name)\n \(post)"))
    }

    private var archive: [PackageDescriptions.Package] {
        (0..<600).flatMap { index in
            let section = ["utils", "libs", "games", "contrib/games"][index % 4]
            let source = "source\(index)"
            return [
                PackageDescriptions.Package(
                    fields: ["Package": source, "Section": section],
                    description: PackageDescription(control: "s\n a post about the number \(index) that is long enough")
                ),
                PackageDescriptions.Package(
                    fields: [
                        "Package": "lib\(index)", "Source": "\(source) (1.2-3)",
                        "Section": index % 8 < 4 ? section : "libs",
                    ],
                    description: PackageDescription(
                        control: "t\n another post of the number \(index) that is long enough")),
            ].compactMap { $0 }
        }
    }

    @Test func sourcesNeverStraddleSplits() throws {
        let corpus = try PackageDescriptions(heldOutShare: 0.2).corpus(of: archive)
        var parts: [String: Set<String>] = [:]
        for (split, examples) in corpus.splits {
            for example in examples {
                let number = example.id.filter(\.isNumber)
                parts[number, default: []].insert(split.replacing("ood_", with: ""))
                #expect(split.hasPrefix("ood_") == (example.subreddit == "games"))
            }
        }
        #expect(parts.count == 600 && parts.values.allSatisfy { $0.count == 1 })
        let counts = corpus.splits.mapValues(\.count)
        #expect(counts.values.reduce(0, +) == 1200)
        // Shares: a fifth for each of the held-out splits; a third where only out-of-distribution packages exist.
        let inside = Double(counts["train"] ?? 0) + Double(counts["test"] ?? 0) + Double(counts["validation"] ?? 0)
        #expect(abs(Double(counts["test"] ?? 0) / inside - 0.2) < 0.06)
        #expect(Double(counts["ood_test"] ?? 0) > 0.2 * Double(counts["ood_train"] ?? 0))
        // Again the same; with another seed other splits.
        #expect(try PackageDescriptions(heldOutShare: 0.2).corpus(of: archive) == corpus)
        #expect(try PackageDescriptions(seed: 1, heldOutShare: 0.2).corpus(of: archive) != corpus)
    }

    @Test func repeatedAndEmptyDescriptionsAreLeftOut() throws {
        let extra = [
            package("twin", post: "a post about the number 0 that is long enough"),
            package("source0", post: "the same package from another release, long enough"),
            package("short", post: "too short"), package("empty", post: ""),
        ]
        let corpus = try PackageDescriptions(heldOutShare: 0.2).corpus(of: archive + extra)
        #expect(corpus == (try PackageDescriptions(heldOutShare: 0.2).corpus(of: archive)))
        let example = try #require(corpus.splits.values.flatMap { $0 }.first { $0.id == "lib0" })
        #expect(example.title == "lib0" && example.subreddit == "utils" && example.summary == "t")
        #expect(example.post == "another post of the number 0 that is long enough")
    }

    @Test func badSettingsAndEmptyArchivesAreRefused() {
        guard case .emptySplit("train", _) = dataError({ _ = try PackageDescriptions().corpus(of: []) }) else {
            Issue.record("an empty archive made a corpus")
            return
        }
        guard case .invalidSetting = dataError({ _ = try PackageDescriptions(heldOutShare: 0.5).corpus() }) else {
            Issue.record("a held-out share of one half was accepted")
            return
        }
    }

    /// Where apt's lists lack the English descriptions, the error says how to fetch them.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/apt-get")))
    func missingListsNameTheCommand() throws {
        try withTemporaryFolder { folder in
            let lists = AptLists(folder: folder)
            guard
                case .packageDescriptionsNotFetched(let command) = dataError({
                    _ = try PackageDescriptions(lists: lists).corpus()
                })
            else {
                Issue.record("empty lists made a corpus")
                return
            }
            #expect(command.hasPrefix("/usr/bin/apt-get update -o Acquire::Languages=en -o Dir::State::lists="))
        }
        #expect(AptLists().fetchCommand == "sudo apt-get update -o Acquire::Languages=en")
    }

    /// The lists of this machine: a large corpus where they are there, the error where they are not.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/apt-get")))
    func listsOfThisMachine() throws {
        do {
            let corpus = try PackageDescriptions().corpus()
            #expect(try corpus.examples(in: "train").count > 1000)
            #expect(
                try corpus.examples(in: "ood_test").allSatisfy {
                    PackageDescriptions.defaultOutOfDistributionSections.contains($0.subreddit)
                })
            let posts = corpus.splits.values.flatMap { $0 }.map(\.post)
            #expect(Set(posts).count == posts.count)
        } catch DataError.packageDescriptionsNotFetched(let command) {
            #expect(command == AptLists.systemFetchCommand)
        }
    }
}
