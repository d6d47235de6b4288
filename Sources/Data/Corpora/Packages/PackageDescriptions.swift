import Formats

/// The package descriptions of the Debian archive as a summarisation set, read from this machine's apt lists.
///
/// The section becomes the subreddit, the package name the title, the long description the post, and the synopsis the
/// summary. `Packages` and the English `Translation` index are joined by `Description-md5`. All binary packages of a
/// source package go to the same split, so that near-duplicates (a library and its development files) are never in
/// different splits.
public struct PackageDescriptions: Codable, Sendable, Equatable {
    /// The default sections of the out-of-distribution splits: topics that rarely occur in the other sections.
    public static let defaultOutOfDistributionSections = [
        "education", "electronics", "embedded", "games", "hamradio", "math", "otherosfs", "science",
    ]

    /// The package indexes to read.
    public var lists: AptLists
    /// The random seed that assigns source packages to splits.
    public var seed: UInt64
    /// The sections whose packages are out of distribution, without the area (`contrib/`).
    public var outOfDistributionSections: [String]
    /// The share of source packages in `validation`, and likewise in `test`, between 0 and 0.5. Sources whose packages
    /// are all in out-of-distribution sections are instead divided evenly among `ood_train`, `ood_validation` and
    /// `ood_test`.
    public var heldOutShare: Double
    /// The minimum number of words in a post; shorter posts are dropped.
    public var minimumWords: Int

    /// Creates a corpus description with these settings. Reads nothing yet.
    public init(
        lists: AptLists = AptLists(), seed: UInt64 = 0,
        outOfDistributionSections: [String] = Self.defaultOutOfDistributionSections, heldOutShare: Double = 0.05,
        minimumWords: Int = 8
    ) {
        self.lists = lists
        self.seed = seed
        self.outOfDistributionSections = outOfDistributionSections
        self.heldOutShare = heldOutShare
        self.minimumWords = minimumWords
    }

    /// Reads the lists and assigns the packages to splits.
    /// - Throws: `DataError.packageDescriptionsNotFetched` with the command that fetches them;
    ///   `FormatError.commandFailed` if apt is not installed or fails; `DataError.invalidSetting`;
    ///   `DataError.emptySplit`.
    public func corpus() throws -> SummaryCorpus {
        guard heldOutShare > 0 && heldOutShare < 0.5 else {
            throw DataError.invalidSetting("the held-out share is \(heldOutShare)", expected: "more than 0 and less than 0.5")
        }
        let indexes = try lists.indexes()
        let translations = indexes.filter { $0.kind == .translations }
        guard !translations.isEmpty else {
            throw DataError.packageDescriptionsNotFetched(command: lists.fetchCommand)
        }
        var descriptions: [String: PackageDescription] = [:]
        for index in translations {
            try ControlFile.readEach(in: AptLists.text(of: index), wanted: ["Description-md5", "Description-en*"]) {
                guard let md5 = $0["Description-md5"],
                    let text = $0.first(where: { $0.key.hasPrefix("Description-en") })?.value
                else { return }
                descriptions[md5] = PackageDescription(control: text)
            }
        }
        var packages: [Package] = []
        for index in indexes where index.kind == .packages {
            let wanted = ["Package", "Source", "Section", "Description-md5"]
            try ControlFile.readEach(in: AptLists.text(of: index), wanted: wanted) { fields in
                guard let md5 = fields["Description-md5"], let description = descriptions[md5],
                    let package = Package(fields: fields, description: description)
                else { return }
                packages.append(package)
            }
        }
        return try corpus(of: packages)
    }

    /// A binary package with its description.
    package struct Package: Equatable {
        /// The name of the binary package.
        package var name: String
        /// The name of the source package.
        package var source: String
        /// The section, without the area.
        package var section: String
        /// The English description.
        package var description: PackageDescription

        /// Creates a package from its parts.
        package init(name: String, source: String, section: String, description: PackageDescription) {
            self.name = name
            self.source = source
            self.section = section
            self.description = description
        }

        /// Creates a package from the fields of a `Packages` paragraph; nil if the name or the section is missing.
        package init?(fields: [String: String], description: PackageDescription) {
            guard let name = fields["Package"], let section = fields["Section"] else { return nil }
            self.name = name
            // "Source: name (version)"; omitted if it equals the package's name.
            source = fields["Source"]?.split(separator: " ").first.map(String.init) ?? name
            // "contrib/games" becomes "games".
            self.section = section.split(separator: "/").last.map(String.init) ?? section
            self.description = description
        }
    }

    /// Assigns packages to splits. Drops duplicate packages, duplicate posts, and posts that are too short.
    /// - Throws: `DataError.emptySplit` if no package is assigned to `train`, `validation` or `test`.
    package func corpus(of packages: [Package]) throws -> SummaryCorpus {
        let outside = Set(outOfDistributionSections)
        // A source with any package in an in-distribution section counts as in distribution.
        var insideSources: Set<String> = []
        for package in packages where !outside.contains(package.section) { insideSources.insert(package.source) }

        var seenNames: Set<String> = []
        var seenPosts: Set<String> = []
        var splits: [String: [SummaryExample]] = [:]
        for package in packages {
            let post = package.description.text
            guard !package.description.synopsis.isEmpty,
                post.split(whereSeparator: \.isWhitespace).count >= minimumWords,
                seenNames.insert(package.name).inserted, seenPosts.insert(post).inserted
            else { continue }
            let held = insideSources.contains(package.source) ? heldOutShare : 1.0 / 3
            let split = Self.split(of: package.source, seed: seed, heldOutShare: held)
            let name = outside.contains(package.section) ? "ood_" + split : split
            splits[name, default: []].append(
                SummaryExample(
                    id: package.name, subreddit: package.section, title: package.name, post: post,
                    summary: package.description.synopsis))
        }
        for name in ["train", "validation", "test"] where splits[name] == nil {
            throw DataError.emptySplit(
                name,
                reason: "only \(packages.count) packages have an English description; fetch more with: "
                    + lists.fetchCommand)
        }
        return SummaryCorpus(name: "debian", splits: splits)
    }

    /// The split of a source package. It depends only on the name and the seed, so that new packages in the archive do
    /// not move existing ones.
    package static func split(of source: String, seed: UInt64, heldOutShare: Double) -> String {
        // a hash of the name, then one draw from a generator seeded with it
        var generator = PCG64(seed: FNV64.hash(of: source) ^ seed)
        let place = Double(generator.below(1 << 32)) / Double(1 << 32)
        if place < heldOutShare { return "test" }
        return place < 2 * heldOutShare ? "validation" : "train"
    }
}
