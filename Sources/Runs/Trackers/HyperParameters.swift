internal import Formats

/// Encodes options for TensorBoard's HParams plug-in (`HParamsPluginData` in its plugin_data.proto).
enum HyperParameters {
    /// The session start record: every option as a number, a Boolean or a string.
    /// - Parameters:
    ///   - options: The options.
    ///   - time: The start time in seconds since 1970.
    static func sessionStart(_ options: [(key: String, value: OptionValue)], time: Double) -> [UInt8] {
        let start = ProtobufMessage { message in
            for (name, value) in options {
                // a map entry is encoded as a message with a key and a value
                message.add(
                    1,
                    ProtobufMessage {
                        $0.add(1, name)
                        $0.add(2, Self.message(value))
                    })
            }
            message.add(5, time)
        }
        return ProtobufMessage {
            $0.add(1, 0)
            $0.add(3, start)
        }.bytes
    }

    /// The message `google.protobuf.Value`.
    private static func message(_ value: OptionValue) -> ProtobufMessage {
        ProtobufMessage {
            switch value {
            case .bool(let isTrue): $0.add(4, isTrue ? 1 : 0)
            case .integer(let number): $0.add(2, Double(number))
            case .number(let number) where number.isFinite: $0.add(2, number)
            default: $0.add(3, value.shown)
            }
        }
    }
}
