internal import Formats

/// Options as the data of TensorBoard's hyper-parameter plug-in (`HParamsPluginData` of its plugin_data.proto).
enum HyperParameters {
    /// What a session begins with: every option as a number, a truth value or a text.
    /// - Parameter time: seconds since 1970.
    static func sessionStart(_ options: [(key: String, value: OptionValue)], time: Double) -> [UInt8] {
        let start = ProtobufMessage { message in
            for (name, value) in options {
                // an entry of a map is a message of its key and its value
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
