import ArgumentParser
import CommandLine
import Testing

/// What help shows first.
@Suite struct HelpTextTests {
    private struct Small: ProgramCommand {
        static let configuration = CommandConfiguration(
            commandName: "small", abstract: "Does little.", usage: "small --often WORD", discussion: "An example:\n\n  small --often x")
        static let essentials = ["often", "none-of-these"]
        @OptionGroup(title: "First things") var first: First
        @OptionGroup(title: "Last things") var last: Last
    }
    private struct First: ProgramOptions {
        @Option(help: "Nobody needs it.") var seldom = 1
    }
    private struct Last: ProgramOptions {
        @Option(help: "Everybody needs it, and it takes more than one line to say what it is and what it is good for.") var often: String?
    }

    @Test("what it does, usage and examples, then the options that most people need in a line each, then all of them by group")
    func order() throws {
        let help = Program.help(of: Small.self)
        let marks = [
            "Does little.", "USAGE: small --often WORD", "An example:", "MOST USED OPTIONS", "--often", "Options may be written",
            "FIRST THINGS:", "--seldom", "LAST THINGS:", "--often", "good for.",
        ]
        var rest = Substring(help)
        for mark in marks {
            let found = try #require(rest.range(of: mark), "\(mark) in\n\(help)")
            rest = rest[found.upperBound...]
        }
    }

    @Test("-h shows the first part alone; a line holds one sentence, or its beginning")
    func short() throws {
        let help = Program.help(of: Small.self, isShort: true)
        #expect(!help.contains("THINGS") && !help.contains("--seldom") && help.contains("--help describes all options"))
        let line = try #require(help.split(separator: "\n").first { $0.hasPrefix("  --often") })
        #expect(line.count <= 80 && line.hasSuffix("…"))
        #expect(line.contains("Everybody needs it, and it takes more"))
    }

    /// A word that leaves no room for the option before it.
    private static let long = "judges/judge-of-summaries-123.sh"

    private struct Wide: ProgramCommand {
        static let configuration = CommandConfiguration(
            commandName: "wide", abstract: "Does a lot, and needs more than forty columns to say so in one line of text.",
            usage: "wide --often WORD --judge-command COMMAND [--seldom N]\nwide [options]",
            discussion: """
                A paragraph that was written for eighty columns, over more than one line.
                It is filled again.

                An example:
                  wide --often one --judge-command "python3 judge.py" --seldom 123456789
                  wide --often two \\
                    --seldom 1
                  wide --often three --judge-command \(HelpTextTests.long) --seldom 1
                """)
        static let essentials = ["often", "judge-command"]
        @OptionGroup(title: "First things") var first: First
        @OptionGroup(title: "Last things") var last: Last
        @Option(help: "A command that judges.") var judgeCommand: String?
    }

    @Test("help is wrapped to terminals of 40 columns and more; commands in it can still be pasted", arguments: [40, 47, 60, 79, 80, 120])
    func narrow(columns: Int) throws {
        for isShort in [true, false] {
            let help = Program.help(of: Wide.self, isShort: isShort, columns: columns)
            let lines = help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            #expect(lines.allSatisfy { $0.count <= columns }, "\(help)")
            // joined at backslashes, a command is what was written
            let pasted = help.replacing(#/ \\\n +/#) { _ in " " }
            #expect(pasted.contains("\n  wide --often one --judge-command \"python3 judge.py\" --seldom 123456789\n"), "\(help)")
            #expect(pasted.contains("\n  wide --often two --seldom 1\n"), "\(help)")
            #expect(pasted.contains("\n  wide --often three --judge-command \(Self.long) --seldom 1\n"), "\(help)")
            // nothing else is lost
            let words = help.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(
                words.hasPrefix("Does a lot, and needs more than forty columns to say so in one line of text. USAGE: wide --often WORD"))
            #expect(
                words.contains("COMMAND [--seldom N] wide [options] A paragraph that was written for eighty columns, over more than one"))
            #expect(words.contains("one line. It is filled again. An example: wide"))
            #expect(words.contains("--judge-command A command that judges"))
        }
    }

    @Test("what fits its line stays as it was written")
    func written() {
        let help = Program.help(of: Wide.self, isShort: true, columns: 80)
        #expect(help.contains("\nA paragraph that was written for eighty columns, over more than one line.\nIt is filled again.\n"))
        #expect(Program.help(of: Wide.self, isShort: true, columns: 200) == help)
        // a narrow terminal gets whole paragraphs, not long and short lines in turn
        #expect(Program.help(of: Wide.self, isShort: true, columns: 60).contains("\nthan one line. It is filled again.\n"))
    }
}
