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

    @Test("what it does, usage and examples, then the options that most people need, then the others by group; each once")
    func order() throws {
        let help = Program.help(of: Small.self)
        let marks = [
            "Does little.", "USAGE: small --often WORD", "An example:", "MOST USED OPTIONS:", "--often", "FIRST THINGS:", "--seldom",
        ]
        var rest = Substring(help)
        for mark in marks {
            let found = try #require(rest.range(of: mark), "\(mark) in\n\(help)")
            rest = rest[found.upperBound...]
        }
        #expect(help.ranges(of: "  --often").count == 1 && !help.contains("LAST THINGS"))
        #expect(help.contains("good for."))
    }
}
