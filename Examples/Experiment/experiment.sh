#!/usr/bin/env bash
# The paper's study at a smaller scale: for every seed SFT, a reward model, best-of-16, and PPO at three KL weights; then one table over
# all seeds.
#
# usage: experiment.sh [SCALE]     SCALE is a .env file in this folder, without .env: full (default), small or tiny;
#                                  the environment variable EXPERIMENT_SCALE does the same
# Optional environment variables: OUT (a folder), DTYPE (f32 or bf16) and SENTENCE_ENCODER (a folder).
# The same command skips what is complete and resumes what was interrupted.
set -euo pipefail
cd "$(dirname "$0")/../.."
scale=${1:-${EXPERIMENT_SCALE:-full}}
# shellcheck source=common.sh
source Examples/Experiment/common.sh
preset "$scale" "full, small or tiny"

out=${OUT:-runs/experiment-$scale}
bin=${BIN:-$(swift build -c release --show-bin-path)}
export PATH="$bin:$PATH"

for seed in "${SEEDS[@]}"; do
    begin_seed "$out"
    begin_models
    say "16 responses per held-out prompt, and the best of them"
    sample-best-of-n "${common[@]}" --run-id bon --model-name "$runs/sft" --rf-model-dir "$runs/rm" \
        --num-return-sequences 16 --groups 16 "${BON[@]}"
    for kl in "${KL[@]}"; do
        say "PPO with KL weight $kl"
        override PPO --init-kl-coef "$kl"
        train-ppo "${common[@]}" --run-id "ppo-kl-$kl" --model-name "$runs/sft" --rf-model-dir "$runs/rm" "${PPO[@]}"
        sample-best-of-n "${common[@]}" --run-id "samples-kl-$kl" --model-name "$runs/ppo-kl-$kl" \
            --rf-model-dir "$runs/rm" --reference-model "$runs/sft" --num-return-sequences 16 "${BON[@]}"
    done
done

sentence_encoder
rlhf-report experiment --experiment-dir "$out" "${encoder[@]}"
rlhf-report html "$out" --output "$out/report.html"
printf '\n\033[1mwritten: %s/report.html, %s/experiment.md and %s/experiment.json\033[0m\n' "$out" "$out" "$out" >&2
