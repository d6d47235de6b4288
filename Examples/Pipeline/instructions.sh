#!/usr/bin/env bash
# The experiment on instructions at a small scale: SFT from scratch on generated instructions, sampled answers and their check, a reward
# model trained on pairs of them, PPO and best-of-16 with that reward model, the comparison, and the accuracy of the answers in and out
# of distribution.
#
# usage: instructions.sh [PRESET]        PRESET is a .env file in this folder, without .env. Default: demo-instructions.
# Optional environment variables: OUT, SEED, DTYPE (f32 or bf16), SENTENCE_ENCODER (a folder), and REWARD=check, with which PPO and
# best-of-16 use the check itself as the reward. The same command resumes an interrupted run.
set -euo pipefail
cd "$(dirname "$0")/../.."
preset=${1:-demo-instructions}
# shellcheck source=/dev/null
source "Examples/Pipeline/$preset.env"

out=${OUT:-runs/$preset}
seed=${SEED:-42}
sentence_encoder=${SENTENCE_ENCODER:-.build/sentence-encoder}
bin=${BIN:-$(swift build -c release --show-bin-path)}
begin=$(date +%s)
export PATH="$bin:$PATH"
common=(--dataset "${DATASET:-instructions}" --output-dir "$out" --seed "$seed" --dtype "${DTYPE:-f32}")

# the reward of PPO and best-of-16: the reward model that was trained on checked answers, or the check itself
reward=(--rf-model-dir "$out/rm")
[ "${REWARD:-model}" = model ] || reward=("${CHECK[@]}")

say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }

say "1/7  supervised fine-tuning, tokenizer and model from scratch"
train-sft "${common[@]}" --from-scratch "${SFT[@]}"

say "2/7  sampled answers of the supervised model to training prompts, scored by the check"
sample-best-of-n "${common[@]}" --run-id checked --model-name "$out/sft" "${CHECK[@]}" \
    --evaluation-splits train,validation,ood_validation "${CHECKED[@]}"

say "3/7  reward model, trained on pairs of a better and a worse answer"
train-reward-model --output-dir "$out" --seed "$seed" --dtype "${DTYPE:-f32}" --model-name "$out/sft" --comparisons "$out/checked:train" "${RM[@]}"

say "4/7  PPO"
train-ppo "${common[@]}" --model-name "$out/sft" "${reward[@]}" "${PPO[@]}"

say "5/7  16 answers per held-out prompt: supervised model and its best-of-16, then the PPO policy"
sample-best-of-n "${common[@]}" --run-id bon --model-name "$out/sft" "${reward[@]}" --num-return-sequences 16 --groups 16 "${BON[@]}"
sample-best-of-n "${common[@]}" --run-id ppo-samples --model-name "$out/ppo" "${reward[@]}" --reference-model "$out/sft" \
    --num-return-sequences 16 "${BON[@]}"

say "6/7  comparison"
encoder=()
if [ -e "$sentence_encoder/modules.json" ]; then
    encoder=(--embedding-model "$sentence_encoder")
else
    say "no sentence encoder in $sentence_encoder, so embedding diversity is not measured; download one with: make sentence-encoder"
fi
rlhf-report compare --output-dir "$out" --summary-dir "$out" --sft-run sft --rm-run rm --ppo-run ppo \
    --sft-samples-run bon --ppo-samples-run ppo-samples --total-seconds "$(($(date +%s) - begin))" "${encoder[@]}"

say "7/7  accuracy: 1 is a correct answer, less is partly correct; ood: two instructions in sequence"
for table in test test_best_of_n ood_test ood_test_best_of_n; do
    rlhf-report score --output-dir "$out" --reward-function check --score-column right --score bon --table-names "$table"
done
for table in test ood_test; do
    rlhf-report score --output-dir "$out" --reward-function check --score-column right --score ppo-samples --table-names "$table"
    rlhf-report export --output-dir "$out" --export "ppo-samples:$table" --format alpaca_eval --generator ppo \
        --prompt-template $'### Instruction:\n{post}\n\n### Response:' --export-output "$out/ppo-$table.json"
done
rlhf-report html "$out" --output "$out/report.html"
say "written: $out/report.html (open it in a browser), $out/summary.md, $out/summary.svg (a chart), $out/summary.json,
and outputs for alpaca_eval in $out/ppo-test.json and $out/ppo-ood_test.json"
