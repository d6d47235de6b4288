package import Foundation
import Formats

/// What an event file of TensorBoard shows, without the times of day: a line for each value, sorted.
package func eventPoints(_ content: Data) -> String {
    let (records, length) = RecordFile.records(in: Array(content))
    var lines = length == content.count ? [] : ["\(content.count - length) bytes that are no record"]
    for record in records {
        guard let event = EventRecord(bytes: record) else {
            lines.append("a record that is no event")
            continue
        }
        guard case .summary(let values) = event.content else { continue }
        for value in values {
            switch value.kind {
            case .scalar(let number): lines.append("\(event.step) \(value.tag) \(number)")
            case .histogram(let histogram): lines.append("\(event.step) \(value.tag) \(histogram)")
            case .text(let text) where value.tag != "options": lines.append("\(event.step) \(value.tag) \(text.replacing("\n", with: " "))")
            case .text, .hyperParameters: break
            }
        }
    }
    return lines.sorted().joined(separator: "\n")
}
