#!/usr/bin/env bash
# The paper's study in small: for every seed SFT, a reward model, best-of-16, and PPO at three KL weights; then one table over the seeds.
#
# usage: experiment.sh [SCALE]     SCALE is a file beside this one, without .env: full (the default), small or tiny;
#                                  EXPERIMENT_SCALE says the same
# OUT (a folder), DTYPE (f32 or bf16) and SENTENCE_ENCODER (a folder) may be set.
# What is complete is skipped and what was interrupted goes on when the same command is given again.
set -euo pipefail
cd "$(dirname "$0")/../.."
scale=${1:-${EXPERIMENT_SCALE:-full}}
preset=Examples/Experiment/$scale.env
[ -e "$preset" ] || { echo "experiment.sh: there is no $preset; SCALE is full, small or tiny" >&2; exit 2; }

# override ARRAY --name value …: options in place of those of the same name; a program takes each once
override() {
    local -n options=$1
    local i
    shift
    while [ $# -gt 0 ]; do
        for ((i = 0; i < ${#options[@]}; i++)); do
            [ "${options[i]}" != "$1" ] || { options=("${options[@]:0:i}" "${options[@]:i+2}"); break; }
        done
        options+=("$1" "$2")
        shift 2
    done
}

# shellcheck source=/dev/null
source "$preset"

out=${OUT:-runs/experiment-$scale}
sentence_encoder=${SENTENCE_ENCODER:-.build/sentence-encoder}
bin=${BIN:-$(swift build -c release --show-bin-path)}
export PATH="$bin:$PATH"

for seed in "${SEEDS[@]}"; do
    runs=$out/seed-$seed
    common=(--dataset "$DATASET" --output-dir "$runs" --seed "$seed" --dtype "${DTYPE:-f32}" --checkpoint-limit 1)
    say() { printf '\n\033[1mseed %s: %s\033[0m\n' "$seed" "$*" >&2; }

    say "supervised fine-tuning"
    train-sft "${common[@]}" --from-scratch "${SFT[@]}"
    say "simulated preferences and the reward model"
    train-reward-model "${common[@]}" --model-name "$runs/sft" "${RM[@]}"
    say "16 responses to every held-out prompt, and the best of them"
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

encoder=()
[ ! -e "$sentence_encoder/modules.json" ] || encoder=(--embedding-model "$sentence_encoder")
rlhf-report experiment --experiment-dir "$out" "${encoder[@]}"
printf '\n\033[1mwritten: %s/experiment.md and %s/experiment.json\033[0m\n' "$out" "$out" >&2
