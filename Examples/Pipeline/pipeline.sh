#!/usr/bin/env bash
# The whole experiment at a small scale: tokenizer and SFT from scratch, simulated preferences and reward model, PPO, best-of-16 of both
# policies, and the comparison. The settings come from the preset.
#
# usage: pipeline.sh PRESET        PRESET is a .env file in this folder, without .env.
# Optional environment variables: OUT, SEED, DTYPE (f32 or bf16) and SENTENCE_ENCODER (a folder).
# The same command resumes an interrupted run.
set -euo pipefail
cd "$(dirname "$0")/../.."
preset=${1:?usage: pipeline.sh PRESET}
# shellcheck source=/dev/null
source "Examples/Pipeline/$preset.env"

out=${OUT:-runs/$preset}
seed=${SEED:-42}
sentence_encoder=${SENTENCE_ENCODER:-.build/sentence-encoder}
bin=$(swift build -c release --show-bin-path)
begin=$(date +%s)
export PATH="$bin:$PATH"
common=(--dataset "$DATASET" --output-dir "$out" --seed "$seed" --dtype "${DTYPE:-f32}")

say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }

say "1/5  supervised fine-tuning, tokenizer and model from scratch"
train-sft "${common[@]}" --from-scratch "${SFT[@]}"

say "2/5  simulated preferences and the reward model"
train-reward-model "${common[@]}" --model-name "$out/sft" "${RM[@]}"

say "3/5  PPO"
train-ppo "${common[@]}" --model-name "$out/sft" --rf-model-dir "$out/rm" "${PPO[@]}"

say "4/5  16 responses per held-out prompt: supervised model and its best-of-16, then the PPO policy"
sample-best-of-n "${common[@]}" --run-id bon --model-name "$out/sft" --rf-model-dir "$out/rm" \
    --num-return-sequences 16 --groups 16 "${BON[@]}"
sample-best-of-n "${common[@]}" --run-id ppo-samples --model-name "$out/ppo" --rf-model-dir "$out/rm" \
    --reference-model "$out/sft" --num-return-sequences 16 "${BON[@]}"

say "5/5  comparison"
encoder=()
if [ -e "$sentence_encoder/modules.json" ]; then
    encoder=(--embedding-model "$sentence_encoder")
else
    say "no sentence encoder in $sentence_encoder, so embedding diversity is not measured; download one with: make sentence-encoder"
fi
rlhf-report compare --output-dir "$out" --summary-dir "$out" --sft-run sft --rm-run rm --ppo-run ppo \
    --sft-samples-run bon --ppo-samples-run ppo-samples --total-seconds "$(($(date +%s) - begin))" "${encoder[@]}"
rlhf-report html "$out" --output "$out/report.html"
say "written: $out/report.html (open it in a browser), $out/summary.md, $out/summary.svg (a chart) and $out/summary.json"
