import Formats
import Foundation
import Testing
import _TestSupport

/// Templates drawn at random give what jinja2 gives, or fail where it fails; see Tests/Fixtures/chat/make_chat.py.
@Suite struct JinjaParityTests {
    @Test func equalsJinja2() throws {
        let bytes = [UInt8](try Foundation.Data(contentsOf: Fixtures.url("chat/expressions.json")))
        let rows = try JSONValue(parsing: bytes, file: "expressions.json").array ?? []
        var variables: [String: JSONValue] = ["messages": [], "tools": nil, "documents": nil, "add_generation_prompt": false]
        for member in rows.first?["variables"]?.members ?? [] { variables[member.key] = member.value }
        #expect(rows.count > 1500)
        for row in rows.dropFirst() {
            let template = row["template"]?.string ?? ""
            let result = Result { try JinjaTemplate(template).render(variables) }
            guard let text = row["text"]?.string else {
                #expect(throws: JinjaError.self, "\(template)") { try result.get() }
                continue
            }
            let rendering = try? result.get()
            #expect(rendering.map { Array($0.text.utf8) } == Array(text.utf8), "\(template) gives \(result)")
            let spans = row["spans"]?.array?.map { $0.array?.compactMap(\.int) ?? [] }
            #expect(rendering?.generations.map { [$0.lowerBound, $0.upperBound] } == spans, "\(template)")
        }
    }
}
