import Data
import Report

/// Texts that try to become markup, script, addresses or something else than themselves.
enum HostileTexts {
    /// As they are shown; all fit into a response.
    static let all: [String] = [
        "<script>alert(1)</script>", "</script><script>alert(2)</script>", "<!-- <script>alert(3)//", "]]><![CDATA[ x ]]>",
        "--><b>bold</b>",
        "\"><img src=x onerror=alert(4)>", "' onmouseover='alert(5)", "<iframe src=\"javascript:alert(6)\"></iframe>",
        "javascript:alert(7)", "<a href=\"javascript:alert(8)\">link</a>", "${alert(9)} `${1+1}` \\u003cscript>",
        "{{constructor}} {% raw %}",
        "<svg onload=alert(10)>", "<style>*{display:none}</style>", "</div></article></main><h1>out</h1>",
        "<math><mi xlink:href=\"data:x\">",
        "line\u{2028}separator\u{2029}paragraph", "&lt;b&gt; &amp;amp; &#60;script&#62;", "&notit; &copy &#x3c;",
        "\u{202e}reversed\u{202c} and \u{2066}isolated\u{2069}", "\u{202e}never ended", "שלום עולם, זה טקסט", "مرحبا بالعالم",
        "👩‍👩‍👧‍👦 🏳️‍🌈 e\u{301} \u{1F1E9}\u{1F1EA}",
        " leading and trailing ", "\n\nbreaks\n  and   spaces\t\ttabs\n", "\r\ncarriage\rreturn", String(repeating: "long", count: 400),
        "z\u{351}\u{352}\u{353}algo" + String(repeating: "\u{316}", count: 50),
        "<meta http-equiv=refresh content=\"0;url=http://127.0.0.1:9/\">",
        "<link rel=stylesheet href=http://127.0.0.1:9/x.css>", "<base href=http://127.0.0.1:9/>",
        "<form action=http://127.0.0.1:9/><button>go</button>",
        "<textarea><noscript><plaintext>", "\\\"; alert(11); //", "%3Cscript%3Ealert(12)%3C/script%3E", "=cmd|' /C calc'!A0",
        "\u{feff}mark",
    ]

    /// Names of systems.
    static let systems = ["<b>SFT</b>", "PPO\"><img src=x onerror=alert(20)>", "</script><script>alert(21)</script>"]

    /// Content in which every text stands as a prompt, a response, a reference and an id.
    static var content: ReportContent {
        ReportContent(
            samples: systems.enumerated().map { place, system in
                let rows = all.enumerated().map { number, text in
                    SampleRow(
                        id: text, input: text, response: all[(number + place) % all.count], reference: text,
                        reward: Double(number) - Double(place),
                        numbers: ["kl": Double(place), "tokens": 4, "\"><script>alert(22)</script>": 1])
                }
                return ReportContent.Sample(of: system, split: "test\"><script>alert(23)</script>", rows: rows)
            })
    }
}

extension ReportContent {
    /// Plain content: 60 prompts of two splits by three systems, with rewards that order them.
    static var plain: ReportContent {
        let names = ["SFT", "PPO", "best-of-16"]
        var samples: [Sample] = []
        for (system, name) in names.enumerated() {
            for (split, count) in [("test", 40), ("ood_test", 20)] {
                var rows: [SampleRow] = []
                for number in 0..<count { for sample in 0..<4 { rows.append(plainRow(system, split, number, sample)) } }
                samples.append(Sample(of: name, split: split, rows: rows))
            }
        }
        return ReportContent(samples: samples)
    }

    private static func plainRow(_ system: Int, _ split: String, _ number: Int, _ sample: Int) -> SampleRow {
        let answers = [
            "It is number \(number), I think.", "It is the number \(number), as I think.", "Nothing to say about Caf\u{e9} \(number).",
        ]
        let reward = Double((number * 7 + system * 11) % 30) + Double(sample) * 0.25
        let tokens = Double(5 + (number * 3) % 13)
        let kl = Double(system) * 0.5 + Double(number) / 100
        return SampleRow(
            id: "\(split)-\(number)", input: "A post about number \(number).\nIs it \(number % 2 == 0 ? "even" : "odd")?",
            response: answers[system] + (sample > 0 ? " Again, \(sample)." : ""), reference: "The number is \(number).", reward: reward,
            numbers: ["kl": kl, "tokens": tokens, "sample": Double(sample)])
    }
}
