import ArgumentParser
import Runs
import Testing

/// What PPO does where options say nothing.
@Suite struct PPOOptionsTests {
    @Test("later rewards are not discounted unless asked for; in the original they are")
    func discount() throws {
        let silent = try PPOOptions.parse([])
        #expect(silent.discount(reference: false) == 1)
        #expect(silent.discount(reference: true) == 0.999)
        let given = try PPOOptions.parse(["--discounting=0.9"])
        #expect(given.discount(reference: false) == 0.9 && given.discount(reference: true) == 0.9)
    }
}
