/// One record of a TensorBoard event file: the message `Event` of TensorFlow's event.proto, with the fields that training needs.
package struct EventRecord: Equatable, Sendable {
    /// The content of a record.
    package enum Content: Equatable, Sendable {
        /// The version of the file format, in the first record of every file.
        case fileVersion(String)
        /// Tagged values.
        case summary([SummaryValue])
    }

    /// The time in seconds since 1970.
    package var wallTime: Double
    /// The training step.
    package var step: Int
    /// The content.
    package var content: Content

    /// Creates a record.
    package init(wallTime: Double, step: Int, content: Content) {
        (self.wallTime, self.step, self.content) = (wallTime, step, content)
    }

    /// The encoded protobuf message.
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

    /// Decodes a message; nil if the bytes are not a message or contain nothing of a known kind.
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
