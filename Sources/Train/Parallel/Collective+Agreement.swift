import Foundation

extension Collective {
    /// Runs work that may fail on some ranks only. If it fails on any rank, every rank throws, so that no rank waits for one that
    /// has left.
    ///
    /// Exchanges inside `body` must come before every point at which it can fail on one rank alone.
    /// - Returns: the results of all ranks, by rank.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)`` on every rank, with the number of the rank, if that is the error of
    ///   the first rank that failed; a rank that only learned of the failure of another does not count. Otherwise the error itself
    ///   on that rank, and ``CollectiveError/rankFailed(rank:message:)`` on the others.
    package func together<Value: Codable>(_ body: () throws -> Value) throws -> [Value] {
        guard size > 1 else { return [try body()] }
        let result = Result { try body() }
        let reports = try gather(values: RankReport(result))
        let first = reports.firstIndex { $0.failure?.isOwn ?? false } ?? reports.firstIndex { $0.failure != nil }
        guard let failed = first, let failure = reports[failed].failure else {
            return reports.compactMap(\.value)
        }
        if let error = failure.notFinite(on: failed) { throw error }
        if failed == rank { _ = try result.get() }
        throw CollectiveError.rankFailed(rank: failed, message: failure.message)
    }

    /// Runs work that may fail on some ranks only and has no result.
    /// - Throws: as the function with a result.
    package func together(_ body: () throws -> Void) throws {
        guard size > 1 else { return try body() }
        _ = try together { () throws -> Bool in
            try body()
            return true
        }
    }

    /// Runs work on rank 0 alone, and gives its result to all ranks.
    /// - Returns: rank 0's result, on every rank.
    /// - Throws: as ``together(_:)``.
    package func broadcast<Value: Codable>(_ body: () throws -> Value) throws -> Value {
        guard size > 1 else { return try body() }
        // a list, because the value may be an optional
        let lists = try together { () throws -> [Value] in rank == 0 ? [try body()] : [] }
        guard let value = lists.first?.first else { throw CollectiveError.broken(rank: rank, message: "rank 0 sent no value") }
        return value
    }

    /// Checks that all ranks hold the same text, such as a description of their settings.
    /// - Parameter what: what the text describes, for an error.
    /// - Throws: ``CollectiveError/rankDiffers(rank:what:)`` on every rank.
    package func requireSame(_ text: String, what: String) throws {
        guard size > 1 else { return }
        let texts = try gather(bytes: Array(text.utf8))
        if let other = texts.firstIndex(where: { $0 != texts[0] }) { throw CollectiveError.rankDiffers(rank: other, what: what) }
    }

    /// Every rank's value, by rank.
    package func gather<Value: Codable>(values own: Value) throws -> [Value] {
        let (encoder, decoder) = (JSONEncoder(), JSONDecoder())
        let names = ("inf", "-inf", "nan")
        encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: names.0, negativeInfinity: names.1, nan: names.2)
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: names.0, negativeInfinity: names.1, nan: names.2)
        return try gather(bytes: Array(encoder.encode(own))).enumerated().map { rank, bytes in
            do {
                return try decoder.decode(Value.self, from: Foundation.Data(bytes))
            } catch {
                throw CollectiveError.broken(rank: rank, message: "its message cannot be read; all ranks need the same version")
            }
        }
    }
}

/// What a rank tells the others about its work: a result or a failure.
private struct RankReport<Value: Codable>: Codable {
    struct Failure: Codable {
        var message: String
        /// Whether the rank itself failed, rather than learn of the failure of another rank.
        var isOwn = true
        var what: String?
        var step: Int?
        var examples: [String]?

        init(_ error: any Error) {
            message = "\(error)"
            if case .rankFailed? = error as? CollectiveError { isOwn = false }
            if case .notFinite(let what, let step, let examples)? = error as? TrainingError {
                (self.what, self.step, self.examples) = (what, step, examples)
            }
        }

        /// The failure as an error about NaN or Inf on a rank; nil for other failures.
        func notFinite(on rank: Int) -> TrainingError? {
            guard let what, let step, let examples else { return nil }
            return .notFinite(what: "\(what) on rank \(rank)", step: step, examples: examples)
        }
    }

    var value: Value?
    var failure: Failure?

    init(_ result: Result<Value, any Error>) {
        switch result {
        case .success(let value): self.value = value
        case .failure(let error): failure = Failure(error)
        }
    }
}
