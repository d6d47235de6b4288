// Groups the words of a command line into options and their values.
extension ArgumentNormaliser {
    /// Reads one option with its values, or one word.
    /// - Returns: nil for a word, and for an option that sets nothing.
    /// - Throws: `CommandLineError`.
    mutating func nextMention(
        _ arguments: [String], _ position: inout Int
    ) throws(CommandLineError) -> Mention? {
        let argument = arguments[position]
        position += 1
        if argument == "--" {
            for word in arguments[position...] { try take(word) }
            position = arguments.count
            return nil
        }
        let isDashed = argument.hasPrefix("--")
        let parts = argument.drop { $0 == "-" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let spelling = parts.first.map(String.init), isDashed || (parts.count == 2 && Self.isName(spelling))
        else {
            if argument.hasPrefix("-") && argument.count > 1 { throw unknown(argument) }
            try take(argument)
            return nil
        }
        let shown = isDashed ? "--" + spelling : spelling
        guard let meaning = meaning(of: spelling) else { throw unknown(shown) }
        let inline = parts.count == 2 ? String(parts[1]) : nil
        switch meaning {
        case .ignored(let option):
            note(shown, option)
            if let inline {
                _ = restOfList(inline, arguments, &position)
            } else {
                skipValues(of: option, arguments, &position)
            }
            return nil
        case .negation(let name, let entry):
            var isNegated = true
            if let inline { isNegated = try boolean(inline, shown) }
            return Mention(
                name: name, spelling: shown, kind: entry.kind, isOptional: entry.isOptional,
                values: [isNegated ? "false" : "true"])
        case .option(let name, let entry):
            var mention = Mention(
                name: name, spelling: shown, kind: entry.kind, isOptional: entry.isOptional, values: [])
            if let inline {
                let isList = entry.kind == .list || entry.kind == .repeated
                mention.values = [isList ? restOfList(inline, arguments, &position) : inline]
            } else {
                mention.values = try followingValues(entry.kind, shown, arguments, &position)
            }
            if mention.values.isEmpty {
                if table.mayLackValue.contains(name) {
                    notes.append("\(shown) has no value; the default is used")
                    return nil
                }
                throw .missingValue(shown)
            }
            return mention
        }
    }

    /// The words after an option that are its values.
    private func followingValues(
        _ kind: OptionTable.Kind, _ shown: String, _ arguments: [String], _ position: inout Int
    ) throws(CommandLineError) -> [String] {
        switch kind {
        case .boolean, .flag:
            guard position < arguments.count, Self.boolean(arguments[position]) != nil else {
                // a word that cannot belong to anything else was meant as the value
                if position < arguments.count, !table.takesWords, !arguments[position].hasPrefix("-"), !isOption(arguments[position]) {
                    throw .notBoolean(shown, value: arguments[position])
                }
                return ["true"]
            }
            position += 1
            return [arguments[position - 1]]
        case .value:
            // a value may look like an option without dashes, for example the pattern `seed=[0-9]`
            guard position < arguments.count, !arguments[position].hasPrefix("--") else { return [] }
            position += 1
            return [arguments[position - 1]]
        case .list, .repeated:
            var values: [String] = []
            if position < arguments.count, arguments[position].hasPrefix("[") {
                position += 1
                return [restOfList(arguments[position - 1], arguments, &position)]
            }
            while position < arguments.count, !arguments[position].hasPrefix("--"), values.isEmpty || !isOption(arguments[position]) {
                values.append(arguments[position])
                position += 1
                // In a program that takes words, these cannot be distinguished from further elements.
                if table.takesWords { break }
            }
            return values
        }
    }

    /// Joins a list in brackets that the shell has split at spaces, such as `[a,` and `b]`.
    private func restOfList(_ start: String, _ arguments: [String], _ position: inout Int) -> String {
        guard start.hasPrefix("["), !start.hasSuffix("]"),
            let end = arguments[position...].firstIndex(where: { $0.hasSuffix("]") }),
            !arguments[position...end].contains(where: { $0.hasPrefix("--") })
        else { return start }
        defer { position = end + 1 }
        return ([start] + arguments[position...end]).joined(separator: " ")
    }

    private func skipValues(of option: IgnoredOption, _ arguments: [String], _ position: inout Int) {
        switch option.kind {
        case .boolean:
            guard position < arguments.count else { return }
            let word = arguments[position]
            if Self.boolean(word) != nil || ["none", "null"].contains(word.lowercased()) { position += 1 }
        case .value:
            while position < arguments.count, !isOption(arguments[position]) { position += 1 }
        }
    }

    /// Whether a word starts another option: `--x`, or `x=…` with a name that the program knows.
    private func isOption(_ word: String) -> Bool {
        if word.hasPrefix("--") { return true }
        guard let equals = word.firstIndex(of: "="), Self.isName(String(word[..<equals])) else { return false }
        return meaning(of: String(word[..<equals])) != nil
    }
}
