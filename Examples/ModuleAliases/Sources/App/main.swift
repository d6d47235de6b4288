import Models
import RLHFModels
import TextGeneration

// two modules that were called Models, in one program
print("module aliases work: \(Car.self) and \(GenerationRequest.self) for \(TextModel.self)")
