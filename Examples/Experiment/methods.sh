#!/usr/bin/env bash
# A study of methods: for every seed one supervised model and one reward model, and from these SFT, best-of-N, soft best-of-N, distilled
# best-of-N, rejection sampling, PPO, RLOO, GRPO, REINFORCE++, DPO, IPO, KTO, SimPO and ORPO, each at three strengths; then one table and
# one chart over all seeds, at equal reward and at equal KL.
#
# usage: methods.sh [SCALE]     SCALE selects methods-SCALE.env in this folder: full (default), small, tiny or pretrained;
#                               the environment variable EXPERIMENT_SCALE does the same
# Optional environment variables: OUT (a folder), DTYPE (f32 or bf16), SENTENCE_ENCODER (a folder), METHODS (some of the names below) and
# SEEDS_OF_STUDY. The same command skips what is complete and resumes what was interrupted. Methods and seeds can be run one after the
# other: the report lists what is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
scale=${1:-${EXPERIMENT_SCALE:-full}}
# shellcheck source=common.sh
source Examples/Experiment/common.sh
preset "methods-$scale" "full, small, tiny or pretrained"
# shellcheck disable=SC2206
[ -z "${SEEDS_OF_STUDY:-}" ] || SEEDS=($SEEDS_OF_STUDY)

out=${OUT:-runs/methods-$scale}
bin=${BIN:-$(swift build -c release --show-bin-path)}
export PATH="$bin:$PATH"
methods=${METHODS:-best-of-n soft-best-of-n distilled rejection ppo rloo grpo reinforce++ dpo ipo kto simpo orpo}
for method in $methods; do
    case $method in
        best-of-n | soft-best-of-n | distilled | rejection | ppo | rloo | grpo | reinforce++ | dpo | ipo | kto | simpo | orpo) ;;
        *) echo "methods.sh: METHODS has the unknown name \"$method\"; this file lists the names" >&2; exit 2 ;;
    esac
done

# The manifest of the report: one line per system. It always lists the whole study, even if METHODS selects a part.
mkdir -p "$out"
manifest=$out/systems.jsonl
: >"$manifest.partial"
# system NAME METHOD STRENGTH SAMPLES RUNS [TABLE]: RUNS are the required runs, separated by commas
system() {
    local runs='' run
    for run in ${5//,/ }; do runs+=${runs:+, }\"$run\"; done
    printf '{"system": "%s", "method": "%s", "strength": "%s", "samples": "%s", "runs": [%s]%s}\n' \
        "$1" "$2" "$3" "$4" "$runs" "${6:+, \"table\": \"$6\"}" >>"$manifest.partial"
}
# strengths TITLE PREFIX SYMBOL SHARED VALUE …: adds the systems of a method that is trained and then sampled, from the weakest
strengths() {
    local title=$1 prefix=$2 symbol=$3 shared=$4 value
    shift 4
    for value; do
        system "$prefix-$value" "$title" "$symbol $value" "samples-$prefix-$value" "${shared:+$shared,}$prefix-$value"
    done
}
printf '{"system": "sft", "method": "SFT", "samples": "samples-sft", "base": true}\n' >>"$manifest.partial"
for n in "${BEST_OF[@]}"; do system "best-of-$n" best-of-N "N $n" "best-of-$n" "draws,best-of-$n" best_of_n; done
for t in "${SOFT_TEMPERATURE[@]}"; do
    system "soft-best-of-n-$t" "soft best-of-N" "T $t" "soft-best-of-n-$t" "draws,soft-best-of-n-$t" best_of_n
done
strengths "distilled best-of-N" distilled N draws-train "${DISTILLED_N[@]}"
strengths "rejection sampling" rejection N "" "${REJECTION_N[@]}"
strengths PPO ppo "KL weight" "" "${PPO_KL[@]}"
strengths RLOO rloo "KL weight" "" "${RLOO_KL[@]}"
strengths GRPO grpo "KL weight" "" "${GRPO_KL[@]}"
strengths REINFORCE++ reinforce-pp "KL weight" "" "${REINFORCE_KL[@]}"
strengths DPO dpo β draws-train "${DPO_BETA[@]}"
strengths IPO ipo β draws-train "${IPO_BETA[@]}"
strengths KTO kto β draws-train "${KTO_BETA[@]}"
strengths SimPO simpo β draws-train "${SIMPO_BETA[@]}"
strengths ORPO orpo β draws-train "${ORPO_BETA[@]}"
mv "$manifest.partial" "$manifest"

# sample MODEL: samples 16 responses of a model per held-out prompt, with rewards and the KL from the SFT model
sample() {
    local reference=()
    [ "$1" = sft ] || reference=(--reference-model "$runs/sft")
    sample-best-of-n "${common[@]}" --run-id "samples-$1" --model-name "$runs/$1" --rf-model-dir "$runs/rm" "${reference[@]}" \
        --num-return-sequences 16 --target-eval-datapoints "$PROMPTS" "${SAMPLING[@]}"
}
# policy NAME VALUE OPTION …: trains a policy with reinforcement learning at one strength, and samples it
policy() {
    local name=$1-$2 settings=("${POLICY[@]}")
    override settings "${@:3}"
    say "$name"
    train-ppo "${common[@]}" --run-id "$name" --model-name "$runs/sft" --rf-model-dir "$runs/rm" --max-prompts "$TRAINING_PROMPTS" \
        "${settings[@]}"
    sample "$name"
}
# preference NAME BETA LOSS: trains a policy at one strength on preferences of the best over the worst of 16 answers, and samples it
preference() {
    local name=$1-$2
    say "$name"
    train-preference "${common[@]:2}" --run-id "$name" --model-name "$runs/sft" --dataset "$runs/draws-train:train" --pairs best-worst \
        --loss "$3" --beta "$2" "${PREFERENCE[@]}"
    sample "$name"
}

for seed in "${SEEDS[@]}"; do
    begin_seed "$out"
    begin_models
    say "16 responses of the supervised model per held-out and training prompt"
    sample sft
    sample-best-of-n "${common[@]}" --run-id draws-train --model-name "$runs/sft" --rf-model-dir "$runs/rm" --num-return-sequences 16 \
        --evaluation-splits train,validation,ood_validation --target-eval-datapoints "$TRAINING_PROMPTS" "${SAMPLING[@]}"
    for method in $methods; do
        case $method in
            best-of-n | soft-best-of-n)
                # sixteen groups of the largest N; all best-of-N runs select from them
                say "samples for best-of-N"
                sample-best-of-n "${common[@]}" --run-id draws --model-name "$runs/sft" --rf-model-dir "$runs/rm" \
                    --num-return-sequences $((16 * MOST)) --target-eval-datapoints "$PROMPTS" "${SAMPLING[@]}"
                ;;
        esac
        case $method in
            best-of-n)
                for n in "${BEST_OF[@]}"; do
                    say "best of $n"
                    sample-best-of-n "${common[@]}" --run-id "best-of-$n" --samples-from "$runs/draws" --num-return-sequences "$n" \
                        --groups 16 --grouped-prompts "$PROMPTS" --target-eval-datapoints "$PROMPTS"
                done
                ;;
            soft-best-of-n)
                for t in "${SOFT_TEMPERATURE[@]}"; do
                    say "soft best of $MOST at temperature $t"
                    sample-best-of-n "${common[@]}" --run-id "soft-best-of-n-$t" --samples-from "$runs/draws" --selection soft \
                        --selection-temperature "$t" --num-return-sequences "$MOST" --groups 16 --grouped-prompts "$PROMPTS" \
                        --target-eval-datapoints "$PROMPTS"
                done
                ;;
            distilled)
                for n in "${DISTILLED_N[@]}"; do
                    # Rewards and KL are divided by N - 1, which keeps the optimal policy; unscaled rewards are too large to learn from.
                    # A response without an end-of-sequence token gets the reward of the worst of 16 responses.
                    share=$(awk "BEGIN { print 1 / ($n - 1) }")
                    worst=$(awk "BEGIN { print ($n - 1) * log(0.5 / 17) }")
                    policy distilled "$n" --distil-best-of-n "$runs/draws-train" --distilled-n "$n" --init-kl-coef "$share" --kl-approx 1 \
                        --reward-scale "$share" --missing-eos-score "$worst" "${ACTOR_CRITIC[@]}"
                done
                ;;
            rejection)
                for n in "${REJECTION_N[@]}"; do
                    say "rejection-$n"
                    train-sft "${common[@]}" --run-id "rejection-$n" --model-name "$runs/sft" --rf-model-dir "$runs/rm" --rounds 1 \
                        --round-samples "$n" --max-train-examples "$TRAINING_PROMPTS" "${REJECTION[@]}"
                    sample "rejection-$n"
                done
                ;;
            ppo)
                for kl in "${PPO_KL[@]}"; do
                    policy ppo "$kl" --init-kl-coef "$kl" --kl-approx 1 "${ACTOR_CRITIC[@]}"
                done
                ;;
            rloo)
                for kl in "${RLOO_KL[@]}"; do
                    policy rloo "$kl" --advantage rloo --init-kl-coef "$kl" --kl-approx 1 "${GROUPS_OF_ANSWERS[@]}"
                done
                ;;
            grpo)
                for kl in "${GRPO_KL[@]}"; do
                    policy grpo "$kl" --advantage grpo --init-kl-coef "$kl" --kl-reward no --kl-approx 3 "${GROUPS_OF_ANSWERS[@]}"
                done
                ;;
            reinforce++)
                for kl in "${REINFORCE_KL[@]}"; do
                    policy reinforce-pp "$kl" --advantage reinforce++ --init-kl-coef "$kl" --kl-approx 1 "${GROUPS_OF_ANSWERS[@]}"
                done
                ;;
            dpo) for beta in "${DPO_BETA[@]}"; do preference dpo "$beta" sigmoid; done ;;
            ipo) for beta in "${IPO_BETA[@]}"; do preference ipo "$beta" ipo; done ;;
            kto) for beta in "${KTO_BETA[@]}"; do preference kto "$beta" kto; done ;;
            simpo) for beta in "${SIMPO_BETA[@]}"; do preference simpo "$beta" simpo; done ;;
            orpo) for beta in "${ORPO_BETA[@]}"; do preference orpo "$beta" orpo; done ;;
        esac
    done
done

sentence_encoder
rlhf-report methods --experiment-dir "$out" "${encoder[@]}"
rlhf-report html "$out" --output "$out/report.html"
printf '\n\033[1mwritten: %s/report.html, %s/methods.md, %s/methods.svg and %s/methods.json\033[0m\n' "$out" "$out" "$out" "$out" >&2
