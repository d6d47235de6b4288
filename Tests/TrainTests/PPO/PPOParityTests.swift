import Data
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Every quantity of one PPO update against PyTorch.
@Suite struct PPOParityTests {
    private func expectRows(
        _ actual: [[Float]], _ expected: [[Double]], absolute: Double = 2e-6, _ label: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(actual.map(\.count) == expected.map(\.count), "\(label)", sourceLocation: sourceLocation)
        expectClose(
            actual.flatMap { $0 }, expected.flatMap { $0 }, relative: 1e-5, absolute: absolute, label: label,
            sourceLocation: sourceLocation)
    }

    @Test("log-probabilities, values and entropies of the response tokens", arguments: PPOFixture.names)
    func predictions(_ name: String) throws {
        let fixture = try PPOFixture.load()
        let item = try #require(fixture.cases[name])
        let config = try fixture.config(name)
        let prompts = fixture.rollout.prompts
        let pass = TargetPass(prompts: prompts, targets: prompts.indices.map { fixture.columns($0, item) })
        for (folder, logProbs, values, entropies) in [
            ("behaviour", item.behaviourLogProbs, item.behaviourValues, item.behaviourEntropy),
            ("learner", item.learnerLogProbs, item.learnerValues, item.learnerEntropy),
            ("reference", item.referenceLogProbs, [], []),
        ] {
            let model = try PPOFixture.policy(folder, of: name)
            let hidden = model.decoder.hidden(pass.batch, wanted: pass.wanted)
            let prediction = hidden.logProbs(
                model.decoder.projection.value, targets: pass.targets, temperature: config.sampling.temperature,
                withEntropy: true)
            expectClose(
                prediction.logProbs.values, logProbs.flatMap { $0 }, relative: 1e-5, absolute: 2e-6, label: folder)
            if values.isEmpty { continue }
            expectClose(model.head(hidden).values, values.flatMap { $0 }, relative: 1e-5, absolute: 2e-6, label: folder)
            expectClose(
                try #require(prediction.entropies).values, entropies.flatMap { $0 }, relative: 1e-5, absolute: 2e-6,
                label: folder)
        }
    }

    @Test("KL estimates, rewards, advantages and returns", arguments: PPOFixture.names)
    func advantages(_ name: String) throws {
        let fixture = try PPOFixture.load()
        let item = try #require(fixture.cases[name])
        let config = try fixture.config(name)
        for (estimator, expected) in [(PPOConfig.KLEstimator.k1, item.k1), (.k2, item.k2), (.k3, item.k3)] {
            let found = zip(item.behaviourLogProbs, item.referenceLogProbs).map { policy, reference in
                zip(policy, reference).map { Float(TokenRewards.kl(policy: $0, reference: $1, estimator: estimator)) }
            }
            expectRows(found, expected, "\(estimator)")
            if estimator == config.klEstimator {
                let mean = found.reduce(0) { $0 + $1.reduce(0) { $0 + Double($1) } } / 4
                expectClose([mean], [item.meanSequenceKL], relative: 1e-5)
            }
        }
        let trainer = try fixture.trainer(PPOFixture.policy("learner", of: name), config, of: name)
        var rollouts = fixture.rollouts(item, config: config)
        trainer.addReferenceLogProbs(to: &rollouts)
        let sequenceKL =
            rollouts.reduce(0) {
                $0 + $1.estimatedKL(config.klEstimator, columns: config.compatibility.measuresOverPadding ? $1.response.count : $1.length)
            } / Double(rollouts.count)
        expectClose([sequenceKL], [item.meanSequenceKL], relative: 1e-4)
        expectRows(rollouts.map(\.referenceLogProbs), item.referenceLogProbs, "reference")
        trainer.addRewards(to: &rollouts)
        trainer.addAdvantages(to: &rollouts)
        expectRows(rollouts.map(\.rewards), item.rewards, absolute: 1e-5, "rewards")
        let prepared = try trainer.prepared(rollouts)
        expectRows(prepared.map(\.advantages), item.normalisedAdvantages, absolute: 1e-5, "normalised")
        expectRows(prepared.map(\.returns), item.targets, absolute: 1e-5, "returns")
        var plain = config
        plain.normalisesAdvantages = false
        expectRows(
            try fixture.trainer(PPOFixture.policy("learner", of: name), plain, of: name).prepared(rollouts).map(
                \.advantages),
            item.advantages,
            absolute: 1e-5, "advantages")
    }

    @Test("importance correction and V-trace", arguments: PPOFixture.names)
    func corrected(_ name: String) throws {
        let fixture = try PPOFixture.load()
        let item = try #require(fixture.cases[name])
        for (corrects, usesGAE, expected) in [
            (true, true, item.withImportance), (false, false, item.withoutGAE),
            (true, false, item.withImportanceWithoutGAE),
        ] {
            var config = try fixture.config(name)
            config.normalisesAdvantages = false
            config.correctsImportance = corrects
            config.advantages = usesGAE ? .gae : .vtrace
            let trainer = try fixture.trainer(PPOFixture.policy("learner", of: name), config, of: name)
            var rollouts = fixture.rollouts(item, config: config)
            trainer.addReferenceLogProbs(to: &rollouts)
            trainer.addRewards(to: &rollouts)
            trainer.addAdvantages(to: &rollouts)
            let found = try trainer.prepared(rollouts)
            expectRows(
                found.map(\.advantages), expected.advantages, absolute: 1e-5, "advantages \(corrects) \(usesGAE)")
            expectRows(found.map(\.returns), expected.targets, absolute: 1e-5, "returns \(corrects) \(usesGAE)")
        }
    }

    @Test(
        "losses of three steps, gradients of the first, parameters after the last", arguments: PPOFixture.names,
        [4096, 1])
    func steps(_ name: String, tokensPerPass: Int) throws {
        let fixture = try PPOFixture.load()
        let item = try #require(fixture.cases[name])
        let config = try fixture.config(name, tokensPerPass: tokensPerPass)
        let learner = try PPOFixture.policy("learner", of: name)
        let trainer = try fixture.trainer(learner, config, of: name)
        #expect(trainer.sharedTrunkLayers == 0)
        let parameters = learner.decoder.parameters + learner.head.parameters
        var rollouts = fixture.rollouts(item, config: config)
        trainer.addReferenceLogProbs(to: &rollouts)
        trainer.addRewards(to: &rollouts)
        trainer.addAdvantages(to: &rollouts)
        let trained = Set(parameters.filter(\.isTrainable).map(\.name))
        let before = Weights(parameters)

        for (index, step) in item.steps.enumerated() {
            let tape = Tape()
            let items = try trainer.prepared(rollouts)
            let loss = trainer.objective.loss(of: items, on: tape)
            expectClose([loss.item], [step.totalLoss], relative: 1e-5, absolute: 2e-6, label: "total \(index)")
            if index == 0 {
                tape.backward(from: loss)
                // those of the frozen case are those of the other one, of the tensors that it trains
                let expected = try PPOFixture.tensors("gradients", name == "saneFrozen" ? "sane" : name)
                expectGradients(parameters.gradients, expected.filter { trained.contains($0.key) }, name)
                parameters.forEach { $0.clearGradient() }
            }
            _ = trainer.takeStatistics()
            try trainer.learn(rollouts)
            let found = trainer.takeStatistics()
            let expected = [
                "policy_loss": step.policyLoss, "baseline_loss": step.valueLoss, "gradient_norm": step.gradientNorm,
                "clipped_ratio_fraction": step.clippedPolicyFraction,
                "entropy": step.entropyLoss / -config.entropyCost,
                "learning_rate": config.optimizer.learningRate,
            ]
            for (key, value) in expected {
                expectClose(
                    [try #require(found[key])], [value], relative: 1e-4, absolute: 1e-6, label: "\(key) \(index)")
            }
            #expect((step.klLoss == 0) == config.klAsReward)
        }
        #expect(before.moved(parameters) == trained)
        guard name != "saneKLLoss" else { return }
        let expected = try PPOFixture.tensors("parameters", name)
        #expect(Set(expected.keys) == trained)
        // a key's bias moves all scores of a query alike: its gradient is rounding, which Adam makes whole steps of
        for parameter in parameters where parameter.isTrainable && !parameter.name.hasSuffix("k_proj.bias") {
            expectClose(
                parameter.value, try #require(expected[parameter.name]), relative: 1e-5, absolute: 1e-5,
                label: parameter.name)
        }
    }
}
