/// The descriptions of the Debian archive as a summarisation set: real text that the machine's own apt lists hold.
///
/// Section → subreddit, package → title, long description → post, synopsis → summary. `Packages` and the English
/// `Translation` index are joined by `Description-md5`. A source package decides the split of all its binary packages,
/// so that near-copies (a library and its development files) never straddle two splits.
public struct PackageDescriptions: Codable, Sendable, Equatable {
    /// The sections of the out-of-distribution splits unless told otherwise: subjects that the other sections rarely
    /// treat.
    public static let defaultOutOfDistributionSections = [
        "education", "electronics", "embedded", "games", "hamradio", "math", "otherosfs", "science",
    ]

    /// Where the package indexes are.
    public var lists: AptLists
    /// Decides which source package goes to which split.
    public var seed: UInt64
    /// The sections, without their area (`contrib/`), whose packages are out of distribution.
    public var outOfDistributionSections: [String]
    /// The share of source packages in `validation`, and the same share in `test`. Sources that have packages in
    /// out-of-distribution sections only are dealt to `ood_train`, `ood_validation` and `ood_test` in equal parts.
    public var heldOutShare: Double
    /// Posts with fewer words are left out.
    public var minimumWords: Int

    /// A set with these settings; nothing is read yet.
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

    /// Reads the lists and deals the packages to the splits.
    /// - Throws: `DataError.packageDescriptionsNotFetched` with the command that fetches them,
    ///   `FormatError.commandFailed` where there is no apt, `DataError.invalidSetting`, `DataError.emptySplit`.
    public func corpus() throws -> SummaryCorpus {
        guard heldOutShare > 0 && heldOutShare < 0.5 else {
            throw DataError.invalidSetting("the held-out share is \(heldOutShare)", expected: "more than 0, below 0.5")
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

    /// One binary package with its description.
    package struct Package: Equatable {
        package var name: String
        package var source: String
        package var section: String
        package var description: PackageDescription

        package init(name: String, source: String, section: String, description: PackageDescription) {
            self.name = name
            self.source = source
            self.section = section
            self.description = description
        }

        package init?(fields: [String: String], description: PackageDescription) {
            guard let name = fields["Package"], let section = fields["Section"] else { return nil }
            self.name = name
            // "Source: name (version)", left out where it equals the package's name.
            source = fields["Source"]?.split(separator: " ").first.map(String.init) ?? name
            // "contrib/games" is the section "games".
            self.section = section.split(separator: "/").last.map(String.init) ?? section
            self.description = description
        }
    }

    /// Deals packages to splits; drops repeated packages, repeated posts and posts that are too short.
    package func corpus(of packages: [Package]) throws -> SummaryCorpus {
        let outside = Set(outOfDistributionSections)
        // A source with a package inside the distribution is split as one of those, wherever its other packages are.
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
                reason: "\(packages.count) packages have an English description; fetch more with: "
                    + lists.fetchCommand)
        }
        return SummaryCorpus(name: "debian", splits: splits)
    }

    /// The split of a source package: a function of its name and the seed alone, so that new packages in the archive
    /// do not move the old ones.
    package static func split(of source: String, seed: UInt64, heldOutShare: Double) -> String {
        // FNV-1a over the name, then one draw of a generator seeded with it.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in source.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        var generator = PCG64(seed: hash ^ seed)
        let place = Double(generator.below(1 << 32)) / Double(1 << 32)
        if place < heldOutShare { return "test" }
        return place < 2 * heldOutShare ? "validation" : "train"
    }
}
