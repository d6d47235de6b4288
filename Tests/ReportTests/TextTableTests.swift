import Report
import Testing

@Suite struct TextTableTests {
    private var table: TextTable {
        var table = TextTable([.init("system"), .init("reward", .right)])
        table.add(["SFT", "0.5"])
        table.add(["best|of", "-12.25"])
        return table
    }

    @Test func alignsColumns() {
        #expect(
            table.plain == """
                system   reward
                -------  ------
                SFT         0.5
                best|of  -12.25

                """)
    }

    @Test func isMarkdown() {
        #expect(
            table.markdown == """
                | system   | reward |
                | -------- | -----: |
                | SFT      |    0.5 |
                | best\\|of | -12.25 |

                """)
    }
}
