// Each library is used in a few lines, in the order of the layers. A wrong result ends the program.

useTensor()
try useFormats()
let model = try useModels()
let examples = try useData()
useEval()
useDiversity()
try useTrain(model, examples)
try useTrain(useYourOwnFamily(), examples)
try useYourOwnObjective(model)
try optimiseYourReward(generateText())
try useRuns()
print("all libraries work")
