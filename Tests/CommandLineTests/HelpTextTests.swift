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
}
