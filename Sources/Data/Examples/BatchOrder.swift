/// The order in which training examples are read: shuffled in each epoch and divided into batches, indefinitely.
///
/// The seed and the position determine all further batches, so restoring a stored value gives the same batches as an
/// uninterrupted run. Epoch *e* is the permutation drawn by `PCG64(seed: seed, spawnKey: [e])`.
public struct BatchOrder: Codable, Sendable, Equatable {
    /// The random seed.
    public let seed: UInt64
    /// The number of examples.
    public let count: Int
    /// The number of examples per batch.
    public let batchSize: Int
    /// Whether an incomplete last batch is dropped.
    public let dropLast: Bool
    /// The epoch of the next batch, from 0.
    public private(set) var epoch = 0
    /// The index of the next batch within its epoch, from 0.
    public private(set) var batch = 0

    /// The order of the current epoch; derived, so neither stored nor compared.
    private var cached: (epoch: Int, order: [Int])?

    /// Creates the order, positioned at the first batch of the first epoch.
    /// - Throws: `DataError.invalidSetting` if `count` or `batchSize` is below 1, or `dropLast` is true and no batch is
    ///   ever full.
    public init(seed: UInt64, count: Int, batchSize: Int, dropLast: Bool = false) throws {
        self.seed = seed
        self.count = count
        self.batchSize = batchSize
        self.dropLast = dropLast
        try validate()
    }

    /// The number of batches per epoch.
    public var batchesPerEpoch: Int { dropLast ? count / batchSize : (count + batchSize - 1) / batchSize }

    /// Returns the indices of the next batch's examples and advances by one batch.
    public mutating func next() -> [Int] {
        if cached?.epoch != epoch {
            var generator = PCG64(seed: seed, spawnKey: [UInt32(truncatingIfNeeded: epoch)])
            cached = (epoch, generator.permutation(count))
        }
        let order = cached?.order ?? []
        let indices = Array(order[batch * batchSize..<min(count, (batch + 1) * batchSize)])
        batch += 1
        if batch == batchesPerEpoch {
            batch = 0
            epoch += 1
        }
        return indices
    }

    /// Whether settings and position are equal.
    public static func == (left: Self, right: Self) -> Bool {
        left.seed == right.seed && left.count == right.count && left.batchSize == right.batchSize
            && left.dropLast == right.dropLast && left.epoch == right.epoch && left.batch == right.batch
    }

    private enum CodingKeys: String, CodingKey { case seed, count, batchSize, dropLast, epoch, batch }

    /// Decodes the settings and the position.
    /// - Throws: `DataError.invalidSetting` for invalid values.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        seed = try values.decode(UInt64.self, forKey: .seed)
        count = try values.decode(Int.self, forKey: .count)
        batchSize = try values.decode(Int.self, forKey: .batchSize)
        dropLast = try values.decode(Bool.self, forKey: .dropLast)
        epoch = try values.decode(Int.self, forKey: .epoch)
        batch = try values.decode(Int.self, forKey: .batch)
        try validate()
    }

    private func validate() throws {
        guard count >= 1 && count <= 1 << 32 else {
            throw DataError.invalidSetting("there are \(count) examples to order", expected: "at least 1")
        }
        guard batchSize >= 1 && batchSize <= 1 << 32 else {
            throw DataError.invalidSetting("the batch size is \(batchSize)", expected: "at least 1 and at most 2^32")
        }
        guard !dropLast || batchSize <= count else {
            throw DataError.invalidSetting(
                "\(count) examples do not fill a batch of \(batchSize)",
                expected: "a batch size of at most \(count), or keeping the last, incomplete batch")
        }
        guard epoch >= 0, batch >= 0, batch < batchesPerEpoch else {
            throw DataError.invalidSetting(
                "the position (epoch \(epoch), batch \(batch)) does not exist",
                expected: "a batch number below \(batchesPerEpoch)")
        }
    }
}
