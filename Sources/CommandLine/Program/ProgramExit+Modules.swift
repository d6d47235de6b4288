public import Data
public import Diversity
public import Eval
public import Formats
public import Models
import Report
public import Services
public import Train

// Exit statuses for the errors of the library modules, which do not define any themselves.

extension FormatError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit {
        switch self {
        case .unreadable, .commandFailed: .missingInput
        default: .badData
        }
    }
}

extension DataError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
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
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .badData }
}

extension TokenizerError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit {
        switch self {
        case .unreadable, .noTokenizer: .missingInput
        case .training: .usage
        default: .badData
        }
    }
}

extension CheckpointError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit {
        switch self {
        case .unreadable, .noWeights: .missingInput
        default: .badData
        }
    }
}

extension ModelError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .badData }
}

extension EncoderError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .badData }
}

extension GenerationError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .badData }
}

extension TrainingError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit {
        switch self {
        case .invalidSetting: .usage
        default: .badData
        }
    }
}

extension CollectiveError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit {
        switch self {
        case .rankDiffers, .unavailable: .usage
        case .rankFailed, .broken: .inputOutput
        }
    }
}

extension DiversityError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
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
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .badData }
}

extension RankingError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .badData }
}

extension JudgeError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit {
        switch self {
        case .missing, .repeated: .badData
        case .process: .inputOutput
        }
    }
}

extension RewardError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit {
        switch self {
        case .noReference, .tooLong, .outOfRange, .wrongCount, .noSamples: .badData
        case .badPattern: .usage
        case .scorer: .inputOutput
        }
    }
}

extension StoppedWaiting: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .tryAgain }
}

extension EmbeddingService.Failure: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .inputOutput }
}

extension ChatJudge.Failure: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .inputOutput }
}

extension JudgeCache.Problem: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .badData }
}

extension JudgeTemplate.Problem: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .badData }
}

extension JudgeLabels.Problem: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .usage }
}

extension ServiceAddress.Problem: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .usage }
}

extension ServiceKey.Problem: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .usage }
}

extension InvalidPrompt: ProgramExitProviding {
    /// Bad data.
    public var programExit: ProgramExit { .badData }
}
