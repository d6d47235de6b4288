/// A tagged value of an event: `Summary.Value` of TensorFlow's summary.proto.
package struct SummaryValue: Equatable, Sendable {
    /// The kinds of values.
    package enum Kind: Equatable, Sendable {
        /// A number for the scalar dashboard, stored in 32 bits.
        case scalar(Float)
        /// Markdown, for the text dashboard.
        case text(String)
        /// The number of values in each bucket, for the histogram dashboard.
        case histogram(EventHistogram)
        /// Hyper-parameters for the HParams dashboard: the content of its plug-in data.
        case hyperParameters([UInt8])
    }

    /// The name in the dashboards; `/` separates groups.
    package var tag: String
    /// The value.
    package var kind: Kind

    /// Creates a value.
    package init(_ tag: String, _ kind: Kind) { (self.tag, self.kind) = (tag, kind) }

    /// The encoded protobuf message.
    var message: ProtobufMessage {
        ProtobufMessage {
            $0.add(1, tag)
            switch kind {
            case .scalar(let value): $0.add(2, value)
            case .histogram(let histogram): $0.add(5, histogram.message)
            case .text(let text):
                // a tensor of one string (DT_STRING = 7)
                $0.add(
                    8,
                    ProtobufMessage {
                        $0.add(1, 7)
                        $0.add(2, ProtobufMessage { $0.add(2, ProtobufMessage { $0.add(1, 1) }) })
                        $0.add(8, text)
                    })
                $0.add(9, Self.metadata("text", []))
            case .hyperParameters(let content): $0.add(9, Self.metadata("hparams", content))
            }
        }
    }

    /// The message `SummaryMetadata`, which names the plug-in that displays the value.
    private static func metadata(_ plugin: String, _ content: [UInt8]) -> ProtobufMessage {
        ProtobufMessage {
            $0.add(
                1,
                ProtobufMessage {
                    $0.add(1, plugin)
                    if !content.isEmpty { $0.add(2, content) }
                })
        }
    }

    /// Decodes a message; nil for other kinds of values.
    init?(bytes: [UInt8]) {
        guard let fields = ProtobufMessage.fields(bytes) else { return nil }
        func first(_ field: Int, in fields: [(field: Int, value: ProtobufMessage.Value)]) -> ProtobufMessage.Value? {
            fields.first { $0.field == field }?.value
        }
        guard let tag = first(1, in: fields)?.text else { return nil }
        self.tag = tag
        if let value = first(2, in: fields)?.float {
            kind = .scalar(value)
        } else if let histogram = first(5, in: fields)?.content.flatMap(EventHistogram.init(bytes:)) {
            kind = .histogram(histogram)
        } else if let text = first(8, in: fields)?.content.flatMap(ProtobufMessage.fields).flatMap({ first(8, in: $0)?.text }) {
            kind = .text(text)
        } else if let plugin = first(9, in: fields)?.content.flatMap(ProtobufMessage.fields).flatMap({ first(1, in: $0)?.content })
            .flatMap(ProtobufMessage.fields), first(1, in: plugin)?.text == "hparams"
        {
            kind = .hyperParameters(first(2, in: plugin)?.content ?? [])
        } else {
            return nil
        }
    }
}

/// A histogram of values: the message `HistogramProto`.
package struct EventHistogram: Equatable, Sendable {
    /// The minimum and maximum.
    package var low, high: Double
    /// The number of values, their sum and the sum of their squares.
    package var count, sum, squares: Double
    /// The upper limit of each bucket. The first bucket starts at the minimum.
    package var limits: [Double]
    /// The number of values in each bucket.
    package var counts: [Double]

    /// The histogram of the finite values in buckets of equal width; nil if none is finite.
    package init?(_ values: [Double], buckets: Int = 30) {
        let finite = values.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max(), buckets > 0 else { return nil }
        (self.low, self.high, count) = (low, high, Double(finite.count))
        sum = finite.reduce(0, +)
        squares = finite.reduce(0) { $0 + $1 * $1 }
        let width = (high - low) / Double(buckets)
        guard width > 0, width.isFinite else {
            (limits, counts) = ([high], [count])
            return
        }
        limits = (1...buckets).map { $0 == buckets ? high : low + width * Double($0) }
        counts = [Double](repeating: 0, count: buckets)
        for value in finite { counts[min(buckets - 1, max(0, Int(((value - low) / width).rounded(.up)) - 1))] += 1 }
    }

    var message: ProtobufMessage {
        ProtobufMessage {
            for (field, value) in [low, high, count, sum, squares].enumerated() { $0.add(field + 1, value) }
            $0.add(6, packed: limits)
            $0.add(7, packed: counts)
        }
    }

    init?(bytes: [UInt8]) {
        guard let fields = ProtobufMessage.fields(bytes) else { return nil }
        func number(_ field: Int) -> Double { fields.first { $0.field == field }?.value.double ?? 0 }
        func numbers(_ field: Int) -> [Double] {
            let content = fields.first { $0.field == field }?.value.content ?? []
            return stride(from: 0, to: content.count - 7, by: 8).map { place in
                Double(bitPattern: content[place..<place + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
            }
        }
        (low, high, count, sum, squares) = (number(1), number(2), number(3), number(4), number(5))
        (limits, counts) = (numbers(6), numbers(7))
    }
}
