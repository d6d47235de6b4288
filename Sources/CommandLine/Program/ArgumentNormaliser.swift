internal import Study
/// Reads one command line; see ``CommandLineArguments``.
struct ArgumentNormaliser {
    private let program: String
    let table: OptionTable
    /// Options in the order of their first mention, with their arguments for the parser.
    private var settings: [(name: String, words: [String])] = []
    private var indices: [String: Int] = [:]
    var notes: [String] = []
    private var noted: Set<String> = []
    private var words: [String] = []
    /// The configuration file of each option whose value comes from one; nil for options of the command line.
    private var files: [String: String] = [:]

    init(program: String, table: OptionTable) { (self.program, self.table) = (program, table) }

    var result: CommandLineArguments {
        CommandLineArguments(words: settings.flatMap(\.words) + (words.isEmpty ? [] : ["--"] + words), notes: notes, files: files)
    }

    /// Reads a command line. The settings of the configuration file are applied first, then the options in order.
    /// - Throws: `CommandLineError`.
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
            // words precede the values of the option itself
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
            // A repeated option adds to values from the command line, and replaces values from a file.
            let adds = mention.kind == .repeated && !repeated.insert(mention.name).inserted
            try apply(mention, adding: adds)
            files[mention.name] = nil
        }
    }

    // MARK: One option

    /// One option with its values, as given on the command line or in a file.
    struct Mention {
        /// The canonical name.
        var name: String
        /// The name as the user wrote it.
        var spelling: String
        var kind: OptionTable.Kind
        var isOptional: Bool
        /// The values as text. There may be none if the value is optional.
        var values: [String]
        var isNull = false
    }

    /// What a name refers to in this program.
    enum Meaning {
        case option(String, OptionTable.Entry)
        /// `no-x` of a Boolean option `x`.
        case negation(String, OptionTable.Entry)
        case ignored(IgnoredOption)
    }

    /// What a name refers to, in any spelling; nil if it is unknown.
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
            // configurations of runs by earlier versions contain the defaults of options that have moved
            guard let program = MovedOption.place(of: OptionTable.canonical(setting.name)) else { throw unknown(setting.name, in: file) }
            note("\(setting.name) in \(file)", IgnoredOption(setting.name, .value, "this option has moved to \(program)"))
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
            throw .malformedConfiguration(path: file, problem: "a configuration file cannot contain the option config")
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

    /// Adds a word that belongs to no option.
    /// - Throws: `CommandLineError.unexpectedWord` if the program takes no words.
    mutating func take(_ word: String) throws(CommandLineError) {
        guard table.takesWords || table.optionOfWords != nil else { throw .unexpectedWord(word) }
        words.append(word)
    }

    /// Notes once that an option is ignored.
    mutating func note(_ shown: String, _ option: IgnoredOption) {
        guard noted.insert(shown).inserted else { return }
        notes.append("\(shown) is ignored: \(option.reason)")
    }

    /// The error for an unknown option, with the nearest known name or the program that it has moved to.
    func unknown(_ shown: String, in file: String? = nil) -> CommandLineError {
        let name = OptionTable.canonical(String(shown.drop { $0 == "-" }))
        if let program = MovedOption.place(of: name) { return .movedOption(shown, to: program, place: file) }
        let names = (Array(table.entries.keys) + Array(table.aliases.keys)).sorted()
        // ignored options are suggested last; very short names are similar to everything and are not suggested
        let others = table.ignored.map(\.name).filter { $0.count > 4 && !$0.hasSuffix("*") }
        // the first part of a name, such as `model` of `model-name`
        let begun = names.filter { $0.hasPrefix(name + "-") }.min { $0.count < $1.count }
        let found = NearestName.find(name, among: names) ?? begun ?? NearestName.find(name, among: others)
        let nearest = found.map { name in
            let spelt = shown.contains("_") ? name.replacing("-", with: "_") : name
            return shown.hasPrefix("-") ? "--" + spelt : spelt
        }
        return .unknownOption(shown, nearest: nearest, place: file)
    }

    /// The Boolean value of a text.
    /// - Throws: `CommandLineError.notBoolean`.
    func boolean(_ text: String, _ spelling: String) throws(CommandLineError) -> Bool {
        guard let value = Self.boolean(text) else { throw .notBoolean(spelling, value: text) }
        return value
    }

    /// The Boolean value of a text, ignoring case; nil if it is not a Boolean.
    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "yes", "on", "t", "y": true
        case "false", "0", "no", "off", "f", "n": false
        default: nil
        }
    }

    /// Whether a text can be an option's name: letters, digits, `_` and `-`, starting with a letter.
    static func isName(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first.properties.isAlphabetic else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "-"
        }
    }
}
