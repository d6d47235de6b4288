import Formats
import Foundation
import Testing

private func rendered(_ template: String, _ variables: [String: JSONValue] = [:]) throws -> String {
    try JinjaTemplate(template).render(variables).text
}

private func fault(_ template: String, _ variables: [String: JSONValue] = [:]) -> JinjaError? {
    do {
        _ = try rendered(template, variables)
        return nil
    } catch {
        return error as? JinjaError
    }
}

@Suite struct JinjaTemplateTests {
    /// What is written about values is what Python writes.
    @Test(arguments: [
        (
            "{{ [none, true, 1.0, 1e16, 1e-5, 0.1, -0.0, 'a\\'b', \"q\\n\"] }}",
            "[None, True, 1.0, 1e+16, 1e-05, 0.1, -0.0, \"a'b\", 'q\\n']"
        ),
        ("{{ {'a': (1,), 2: {}} }}", "{'a': (1,), 2: {}}"),
        ("{{ 7 // -2 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 7 / 2 }} {{ 5.5 // 2 }}", "-4 2 1024 3.5 2.0"),
        ("{{ 'naïve 日本'[-2:] }}{{ 'abc'[::-1] }}{{ [1, 2, 3][:-1] }}", "日本cba[1, 2]"),
        ("{{ 'ΑΣ ΟΔΟΣ'.lower() }} {{ 'ß'.upper() }} {{ \"they're bill's\".title() }}", "ας οδος SS They'Re Bill'S"),
        ("{{ 1 < 2 < 3 }} {{ 'b' in 'abc' and 4 not in [1, 2] }} {{ 1 if false }}|{{ missing }}", "True True |"),
        ("{{ {'b': [1.5, none], 'a': 'é\"'} | tojson }}", "{\"b\": [1.5, null], \"a\": \"é\\\"\"}"),
        ("{{ 2.5 | round }} {{ 2 | round }} {{ 2.675 | round(2) }} {{ 3.14159 | round(3, 'ceil') }}", "2.0 2 2.67 3.142"),
        ("{{ '%s is %05.1f %% of %d' | format('x', 3.14159, 7) }} {{ '{} {0}' | length }}", "x is 003.1 % of 7 6"),
    ]) func writesAsPython(_ template: String, _ text: String) throws {
        #expect(try rendered(template) == text)
    }

    @Test func whiteSpaceGoesAsTransformersHasIt() throws {
        #expect(try rendered("a\n  {% if true %}\n  b\n  {% endif %}\nc\n") == "a\n  b\nc")
        #expect(try rendered("a \n {%- if true -%}\n b {{- ' c ' -}} \n{% endif %}") == "ab c ")
        #expect(try rendered("a\n  {%+ if true +%}\n{% endif %}") == "a\n  \n")
        #expect(try rendered("x {# gone #}\ny{% raw %}{{ kept }}\n{% endraw %}\r\nz") == "x y{{ kept }}\nz")
    }

    @Test func spansOfGenerationsAreInCodePoints() throws {
        let template = try JinjaTemplate("é{% for t in ['日本', 'x🙂'] %}[{% generation %}{{ t }}.{% endgeneration %}]{% endfor %}")
        let rendering = try template.render([:])
        #expect(rendering.text == "é[日本.][x🙂.]")
        #expect(rendering.generations == [2..<5, 7..<10] && template.marksGenerations)
    }

    @Test func timeIsWhatIsHandedIn() throws {
        let template = try JinjaTemplate("{{ strftime_now('%d %B %Y %H:%M:%S.%f %A %j %-d') }}")
        let zone = try #require(TimeZone(secondsFromGMT: 3600))
        let text = try template.render([:], now: Date(timeIntervalSince1970: 1_772_722_029), timeZone: zone).text
        #expect(text == "05 March 2026 15:47:09.000000 Thursday 064 5")
    }

    /// Undefined values are empty where they are written, and an error where something is asked of them.
    @Test func undefinedValues() throws {
        #expect(
            try rendered("{{ x }}{{ x | default('d') }}{{ x is defined }}{% for y in x %}{{ y }}{% endfor %}{{ a.b }}", ["a": ["c": 1]])
                == "dFalse")
        #expect(fault("{{ x.y }}")?.reason == "\"x\" is undefined")
        #expect(fault("{{ a.b.c }}", ["a": ["c": 1]])?.reason == "a dict has no attribute \"b\"")
        #expect(fault("{{ 'a' + x }}")?.kind == .runtime)
    }

    /// What is not known is named with its line.
    @Test(arguments: [
        ("\n{% include 'x' %}", JinjaError.Kind.unsupported, 2, "include"), ("\n\n{{ 1 | urlize }}", .unsupported, 3, "urlize"),
        ("{{ 1 | frobnicate }}", .unsupported, 1, "frobnicate"), ("{{ 1 is frobnicated }}", .unsupported, 1, "frobnicated"),
        ("a\n{{ 'x'.encode() }}", .unsupported, 2, "encode"), ("{% frobnicate %}", .syntax, 1, "frobnicate"),
        ("\n{% for x in [] recursive %}{% endfor %}", .unsupported, 2, "recursive"), ("{% if 1 %}\n\n", .syntax, 2, "endif"),
        ("{{ 'abc", .syntax, 1, "string"), ("{{ (1 }}", .syntax, 1, "bracket"), ("{# x", .syntax, 1, "comment"),
        ("{% break %}", .syntax, 1, "break"),
        ("{{ [].append(1) }}", .runtime, 1, "append"), ("\n{{ raise_exception('no ' ~ 1) }}", .raised, 2, "no 1"),
        ("{{ 99999999999999999999 }}", .unsupported, 1, "64 bits"), ("{% set true = 1 %}", .syntax, 1, "true"),
        ("{{ namespace(_x=1) }}", .runtime, 1, "_x"), ("{% set x.y = 1 %}", .runtime, 1, "namespace"),
    ]) func namesTheConstructAndTheLine(_ template: String, _ kind: JinjaError.Kind, _ line: Int, _ word: String) {
        let error = fault(template)
        #expect(error?.kind == kind && error?.line == line, "\(template): \(error.map { "\($0)" } ?? "no error")")
        #expect(error?.reason.contains(word) ?? false, "\(template): \(error.map { "\($0)" } ?? "no error")")
    }

    static let hostile = [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", "{{ 'a' * 10 ** 9 }}", "{{ 'a' * 10 ** 18 }}",
        "{{ ([0] * 10 ** 9) | length }}", "{{ range(10 ** 12) | list }}",
        "{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}",
        "{% set h = namespace(x=1) %}{% for i in range(99999) %}{% set h.x = namespace(p=h.x) %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m() %}" + String(repeating: "{% if 1 %}", count: 70) + "{{ m()" + String(repeating: " ~ '1' + '1'", count: 140) + " }}"
            + String(repeating: "{% endif %}", count: 70) + "{% endmacro %}{{ m() }}",
        "{% for i in range(99999) %}{% macro m() %}{% endmacro %}{% endfor %}",
        "{{ ('a' * 100000) | replace('', 'b' * 100000) }}", "{{ range(100000) | join('x' * 100000) }}", "{{ 'a'.zfill(10 ** 12) }}",
        "{{ 'a\nb' | indent(10 ** 12) }}", "{{ [1] | batch(10 ** 12, 0) | list }}", "{{ '%1000000000d' % 1 }}",
        "{{ [1] | tojson(indent=10 ** 12) }}",
        "{{ ('a ' * 10000000).split() | length }}", "{{ strftime_now('%c' * 100000) }}",
        // what is written, copied, gone through and chained as often as possible
        "{% for i in range(99999) %}{% for j in range(99999) %}{{ 'x' * 1000 }}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{{ range(99999) | map('string') | join(',') | length }}{% endfor %}",
        "{% set l = range(99999) | list %}{% for i in range(99999) %}{{ l[::-1] == l }}{{ -1 in l }}{{ l < l }}{% endfor %}",
        "{% set s = 'ab' * 100000 %}{% for i in range(99999) %}{{ s[-1] }}{{ s | length }}{{ s.find('c') }}{{ s < s }}{% endfor %}",
        "{% set s = 'a' * 100000 %}{% set t = 'a' * 50000 ~ 'b' %}{% for i in range(999) %}{{ s.count(t) }}{{ s.replace(t, '') }}{% endfor %}",
        "{% set ns = namespace(s='') %}{% for i in range(99999) %}{% set ns.s = ns.s ~ 'abcdefgh' %}{% endfor %}",
        "{% set x %}{{ 'a' * 30000000 }}{% endset %}{{ x }}{{ x }}",
        "{% filter upper %}{% for i in range(99999) %}{{ 'abc' * 9999 }}{% endfor %}{% endfilter %}",
        "{% macro f(n) %}{% for i in range(10) %}{{ f(n) }}{% endfor %}{% endmacro %}{{ f(55) }}",
        "{{ ('a b' * 300000)" + String(repeating: " | title | lower", count: 140) + " }}",
        "{{ range(99999)" + String(repeating: " | batch(1) | list", count: 140) + " }}",
        String(repeating: "{% set x = [x, x] %}", count: 40) + String(repeating: "{% set y = [y, y] %}", count: 40) + "{{ x == y }}",
        String(repeating: "{% set x = [x, x] %}", count: 60) + "{{ x | tojson }}",
        "{{ " + String(repeating: "(", count: 100_000), "{{ " + String(repeating: "not ", count: 100_000) + "1 }}",
        "{{ 1" + String(repeating: "+1", count: 100_000) + " }}", "{{ a" + String(repeating: ".b", count: 100_000) + " }}",
        String(repeating: "{% if 1 %}", count: 100_000), String(repeating: "x", count: 2 << 20),
    ]

    /// Templates that would never end, or take all memory, end with an error.
    @Test(arguments: hostile.indices) func hostileTemplatesEnd(_ index: Int) {
        let start = ContinuousClock.now
        #expect(fault(Self.hostile[index]) != nil, "\(Self.hostile[index].prefix(80))")
        // a second in a release build
        #expect(ContinuousClock.now - start < .seconds(30), "\(Self.hostile[index].prefix(80))")
    }
}
