internal import Study
/// The state while one command line is read.
struct ArgumentNormaliser {
    private let program: String
    let table: OptionTable
    /// Options in the order of their first mention, with what the parser is given for them.
    private var settings: [(name: String, words: [String])] = []
    private var indices: [String: Int] = [:]
    var notes: [String] = []
    private var noted: Set<String> = []
    private var words: [String] = []
    /// The file that each option has its value from; nil for those of the command line.
    private var files: [String: String] = [:]

    init(program: String, table: OptionTable) {
        self.program = program
        self.table = table
    }

    var result: CommandLineArguments {
        CommandLineArguments(words: settings.flatMap(\.words) + (words.isEmpty ? [] : ["--"] + words), notes: notes, files: files)
    }

    /// Reads the configuration file first, then the rest in its order.
    mutating func read(_ arguments: [String]) throws(CommandLineError) {
        var mentions: [Mention] = []
        var configuration: (path: String, spelling: String)?
        var position = 0
        while position < arguments.count {
            let mention = try nextMention(arguments, &position)
            guard let mention else { continue }
            if mention.name == "config", table.entries["config"] != nil {
                guard let path = mention.values.first else { throw .missingValue(mention.spelling) }
                if let configuration { throw .repeatedOption(configuration.spelling, mention.spelling, place: nil) }
                configuration = (path, mention.spelling)
            } else {
                mentions.append(mention)
            }
        }
        if let name = table.optionOfWords, let entry = table.entries[name], !words.isEmpty {
            // words stand before what the option itself names
            let place = mentions.firstIndex { $0.name == name }
            let named = place.map { mentions.remove(at: $0).values.flatMap(ListText.split) } ?? []
            mentions.append(
                Mention(
                    name: name, spelling: "--" + name, kind: entry.kind, isOptional: entry.isOptional,
                    values: [ListText.join(words + named)]))
            words = []
        }
        if let file = configuration?.path {
            var spellings: [String: String] = [:]
            for setting in try ConfigurationFile.read(file, program: program) {
                guard let mention = try self.mention(of: setting, in: file) else { continue }
                if let first = spellings.updateValue(setting.name, forKey: mention.name) {
                    throw .repeatedOption(first, setting.name, place: file)
                }
                try apply(mention)
                files[mention.name] = file
            }
        }
        var repeated: Set<String> = []
        var spellings: [String: String] = [:]
        for mention in mentions {
            if let first = spellings.updateValue(mention.spelling, forKey: mention.name), mention.kind != .repeated {
                throw .repeatedOption(first, mention.spelling, place: nil)
            }
            // A repeated option adds to what the command line has said, and replaces what a file has said.
            let adds = mention.kind == .repeated && !repeated.insert(mention.name).inserted
            try apply(mention, adding: adds)
            files[mention.name] = nil
        }
    }

    // MARK: One option

    struct Mention {
        /// Canonical.
        var name: String
        /// As the user wrote it.
        var spelling: String
        var kind: OptionTable.Kind
        var isOptional: Bool
        /// Texts of the value; nil-able options may have none.
        var values: [String]
        var isNull = false
    }

    /// What a name means to this program.
    enum Meaning {
        case option(String, OptionTable.Entry)
        /// `no-x` of a boolean `x`.
        case negation(String, OptionTable.Entry)
        case ignored(IgnoredOption)
    }

    func meaning(of spelling: String) -> Meaning? {
        let canonical = OptionTable.canonical(spelling)
        let name = table.aliases[canonical] ?? canonical
        if let entry = table.entries[name] { return .option(name, entry) }
        if name.hasPrefix("no-"), let entry = table.entries[String(name.dropFirst(3))],
            entry.kind == .boolean || entry.kind == .flag
        {
            return .negation(String(name.dropFirst(3)), entry)
        }
        return table.ignored.first { $0.matches(name) }.map(Meaning.ignored)
    }

    // MARK: Files

    private mutating func mention(
        of setting: ConfigurationFile.Setting, in file: String
    ) throws(CommandLineError) -> Mention? {
        guard let meaning = meaning(of: setting.name) else {
            // runs of earlier versions hold the defaults of options that have moved
            guard let program = MovedOption.place(of: OptionTable.canonical(setting.name)) else { throw unknown(setting.name, in: file) }
            note("\(setting.name) in \(file)", IgnoredOption(setting.name, .value, "it is an option of \(program) now"))
            return nil
        }
        let spelling = "\(setting.name) in \(file)"
        switch meaning {
        case .ignored(let option):
            note(spelling, option)
            return nil
        case .negation:
            throw unknown(setting.name, in: file)
        case .option("config", _):
            throw .malformedConfiguration(path: file, problem: "a configuration file cannot name another")
        case .option(let name, let entry):
            var values = setting.values
            if setting.isList {
                guard entry.kind == .list || entry.kind == .repeated else {
                    let problem = "\(setting.name): expected one value, not a list"
                    throw .malformedConfiguration(path: file, problem: problem)
                }
                if entry.kind == .list { values = [ListText.join(values)] }
            }
            return Mention(
                name: name, spelling: spelling, kind: entry.kind, isOptional: entry.isOptional, values: values,
                isNull: setting.isNull)
        }
    }

    // MARK: Results

    private mutating func apply(_ mention: Mention, adding: Bool = false) throws(CommandLineError) {
        let option = "--" + mention.name
        let words: [String]
        let saysNone =
            mention.isNull || mention.values.count == 1 && ["none", "null"].contains(mention.values[0].lowercased())
        if saysNone, !(mention.isNull && mention.isOptional), let value = table.valuesOfNone[mention.name] {
            words = ["\(option)=\(value)"]
        } else if mention.isNull || (mention.isOptional && saysNone) {
            guard mention.isOptional else { throw .missingValue(mention.spelling) }
            words = []
        } else {
            switch mention.kind {
            case .boolean: words = ["\(option)=\(try boolean(mention.values[0], mention.spelling))"]
            case .flag: words = try boolean(mention.values[0], mention.spelling) ? [option] : []
            case .value: words = ["\(option)=\(mention.values[0])"]
            case .list:
                let elements = mention.values.count == 1 ? ListText.split(mention.values[0]) : mention.values
                words = ["\(option)=\(ListText.join(elements))"]
            case .repeated:
                let isBracketed = mention.values.count == 1 && mention.values[0].hasPrefix("[")
                let elements = isBracketed ? ListText.split(mention.values[0]) : mention.values
                words = elements.map { "\(option)=\($0)" }
            }
        }
        if let index = indices[mention.name] {
            settings[index].words = adding ? settings[index].words + words : words
        } else {
            indices[mention.name] = settings.count
            settings.append((mention.name, words))
        }
    }

    mutating func take(_ word: String) throws(CommandLineError) {
        guard table.takesWords || table.optionOfWords != nil else { throw .unexpectedWord(word) }
        words.append(word)
    }

    mutating func note(_ shown: String, _ option: IgnoredOption) {
        guard noted.insert(shown).inserted else { return }
        notes.append("\(shown) has no meaning here: \(option.reason)")
    }

    func unknown(_ shown: String, in file: String? = nil) -> CommandLineError {
        let name = OptionTable.canonical(String(shown.drop { $0 == "-" }))
        if let program = MovedOption.place(of: name) { return .movedOption(shown, to: program, place: file) }
        let names = (Array(table.entries.keys) + Array(table.aliases.keys)).sorted()
        // options without meaning come second, and those of a few letters, which are near to everything, not at all
        let others = table.ignored.map(\.name).filter { $0.count > 4 && !$0.hasSuffix("*") }
        // the beginning of a name, such as model of model-name
        let begun = names.filter { $0.hasPrefix(name + "-") }.min { $0.count < $1.count }
        let found = NearestName.find(name, among: names) ?? begun ?? NearestName.find(name, among: others)
        let nearest = found.map { name in
            let spelt = shown.contains("_") ? name.replacing("-", with: "_") : name
            return shown.hasPrefix("-") ? "--" + spelt : spelt
        }
        return .unknownOption(shown, nearest: nearest, place: file)
    }

    func boolean(_ text: String, _ spelling: String) throws(CommandLineError) -> Bool {
        guard let value = Self.boolean(text) else { throw .notBoolean(spelling, value: text) }
        return value
    }

    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "yes", "on", "t", "y": true
        case "false", "0", "no", "off", "f", "n": false
        default: nil
        }
    }

    static func isName(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first.properties.isAlphabetic else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "-"
        }
    }
}
