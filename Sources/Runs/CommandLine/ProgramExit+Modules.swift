public import Data
public import Diversity
public import Models
public import Train

// The errors of the other modules know nothing of exit statuses; this is the one place that says what they mean.

extension DataError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .unreadable, .missingSplit, .commandFailed, .packageDescriptionsNotFetched: .missingInput
        case .unwritable: .cannotCreate
        case .unknownSplit, .invalidSetting: .usage
        default: .badData
        }
    }
}

extension RowProblem: ProgramExitProviding {
    public var programExit: ProgramExit { .badData }
}

extension TokenizerError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .unreadable, .noTokenizer: .missingInput
        case .unwritable: .cannotCreate
        case .training: .usage
        default: .badData
        }
    }
}

extension CheckpointError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .unreadable, .noWeights: .missingInput
        case .unwritable: .cannotCreate
        default: .badData
        }
    }
}

extension ModelError: ProgramExitProviding {
    public var programExit: ProgramExit { .badData }
}

extension EncoderError: ProgramExitProviding {
    public var programExit: ProgramExit { .badData }
}

extension GenerationError: ProgramExitProviding {
    public var programExit: ProgramExit { .badData }
}

extension TrainingError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .invalidSetting: .usage
        default: .badData
        }
    }
}

extension DiversityError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .unknownMetrics, .cannotDraw, .invalidOption: .usage
        default: .badData
        }
    }
}
