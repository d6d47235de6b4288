import Models
import RLHFModels
import TextGeneration

// one program with two modules whose original name is Models
print("module aliases work: \(Car.self) and \(GenerationRequest.self) for \(TextModel.self)")
