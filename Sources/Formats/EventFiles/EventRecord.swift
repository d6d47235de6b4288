/// One record of TensorBoard's event files: the message `Event` of TensorFlow's event.proto, as far as training needs it.
package struct EventRecord: Equatable, Sendable {
    /// What a record shows.
    package enum Content: Equatable, Sendable {
        /// The first record of every file.
        case fileVersion(String)
        /// Values under their tags.
        case summary([SummaryValue])
    }

    /// Seconds since 1970.
    package var wallTime: Double
    /// The step that it belongs to.
    package var step: Int
    /// What it shows.
    package var content: Content

    /// A record.
    package init(wallTime: Double, step: Int, content: Content) {
        (self.wallTime, self.step, self.content) = (wallTime, step, content)
    }

    /// The message.
    package var bytes: [UInt8] {
        ProtobufMessage {
            $0.add(1, wallTime)
            if step != 0 { $0.add(2, step) }
            switch content {
            case .fileVersion(let text): $0.add(3, text)
            case .summary(let values): $0.add(5, ProtobufMessage { for value in values { $0.add(1, value.message) } })
            }
        }.bytes
    }

    /// Reads a message; nil for bytes that are none, or hold nothing that is known here.
    package init?(bytes: [UInt8]) {
        guard let fields = ProtobufMessage.fields(bytes) else { return nil }
        func first(_ field: Int) -> ProtobufMessage.Value? { fields.first { $0.field == field }?.value }
        wallTime = first(1)?.double ?? 0
        step = first(2)?.integer ?? 0
        if let version = first(3)?.text {
            content = .fileVersion(version)
        } else if let summary = first(5)?.content.flatMap(ProtobufMessage.fields) {
            content = .summary(summary.compactMap { $0.field == 1 ? $0.value.content.flatMap(SummaryValue.init(bytes:)) : nil })
        } else {
            return nil
        }
    }
}
