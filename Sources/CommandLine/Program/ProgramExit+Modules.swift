public import Data
public import Diversity
public import Eval
public import Formats
public import Models
public import Services
public import Train

// The errors of the other modules know nothing of exit statuses; this is the one place that says what they mean.

extension FormatError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .unreadable, .commandFailed: .missingInput
        default: .badData
        }
    }
}

extension DataError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .missingSplit, .missingShards, .packageDescriptionsNotFetched: .missingInput
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
        case .training: .usage
        default: .badData
        }
    }
}

extension CheckpointError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .unreadable, .noWeights: .missingInput
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
        case .unreadableInput: .missingInput
        case .inSource(_, let error): error.programExit
        default: .badData
        }
    }
}

extension PairwiseAnswerError: ProgramExitProviding {
    public var programExit: ProgramExit { .badData }
}

extension RankingError: ProgramExitProviding {
    public var programExit: ProgramExit { .badData }
}

extension JudgeError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .missing, .repeated: .badData
        case .process: .inputOutput
        }
    }
}

extension RewardError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .noReference, .tooLong, .outOfRange, .wrongCount, .noSamples: .badData
        case .badPattern: .usage
        case .scorer: .inputOutput
        }
    }
}

extension StoppedWaiting: ProgramExitProviding {
    public var programExit: ProgramExit { .tryAgain }
}

extension EmbeddingService.Failure: ProgramExitProviding {
    public var programExit: ProgramExit { .inputOutput }
}

extension ChatJudge.Failure: ProgramExitProviding {
    public var programExit: ProgramExit { .inputOutput }
}

extension JudgeCache.Problem: ProgramExitProviding {
    public var programExit: ProgramExit { .badData }
}

extension JudgeTemplate.Problem: ProgramExitProviding {
    public var programExit: ProgramExit { .badData }
}

extension JudgeLabels.Problem: ProgramExitProviding {
    public var programExit: ProgramExit { .usage }
}

extension ServiceAddress.Problem: ProgramExitProviding {
    public var programExit: ProgramExit { .usage }
}

extension ServiceKey.Problem: ProgramExitProviding {
    public var programExit: ProgramExit { .usage }
}
