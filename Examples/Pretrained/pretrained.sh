#!/usr/bin/env bash
# The whole study on a pretrained language model, Gemma 3 270M, with the package descriptions of the Debian archive: the
# unmodified model, SFT, simulated preferences and reward model, PPO, best-of-16 of both policies, and the comparison.
#
# usage: pretrained.sh
# Optional environment variables: PRETRAINED_MODEL (a folder or a .gguf file), OUT, SEED, DTYPE (f32 or bf16), SENTENCE_ENCODER (a folder)
# and the settings below. The same command resumes an interrupted run.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Training: descriptions for SFT, prompts with simulated preferences, PPO steps and rollouts per step.
SFT_ROWS=${SFT_ROWS:-1920}
RM_PROMPTS=${RM_PROMPTS:-480}
RM_EVALUATION_PROMPTS=${RM_EVALUATION_PROMPTS:-100}
PPO_STEPS=${PPO_STEPS:-24}
PPO_ROLLOUTS=${PPO_ROLLOUTS:-64}
# Evaluation: rows of each held-out split for loss and ROUGE, and prompts of each split for 16 responses.
EVALUATION_ROWS=${EVALUATION_ROWS:-200}
SAMPLED_PROMPTS=${SAMPLED_PROMPTS:-40}
# Batch sizes.
SFT_BATCH=${SFT_BATCH:-16}
RM_BATCH=${RM_BATCH:-16}
PPO_BATCH=${PPO_BATCH:-32}
EVALUATION_BATCH=${EVALUATION_BATCH:-16}
# Peak learning rates.
SFT_RATE=${SFT_RATE:-1e-4}
RM_RATE=${RM_RATE:-5e-5}
PPO_RATE=${PPO_RATE:-2e-5}
# The fraction of frozen layers, as in the paper: 14 of 18.
FREEZE=${FREEZE:-0.8}
# The maximum number of tokens of a prompt and of a summary.
PROMPT_TOKENS=${PROMPT_TOKENS:-400}
NEW_TOKENS=${NEW_TOKENS:-48}

model=${PRETRAINED_MODEL:-.build/pretrained-model}
[ ! -d "$model" ] || model=$model/gemma-3-270m-q4_k_m.gguf
[ -e "$model" ] || { echo "pretrained.sh: $model does not exist; download it with: make pretrained-model" >&2; exit 66; }
out=${OUT:-runs/demo-pretrained}
sentence_encoder=${SENTENCE_ENCODER:-.build/sentence-encoder}
bin=${BIN:-$(swift build -c release --show-bin-path)}
begin=$(date +%s)
export PATH="$bin:$PATH"

# If the English descriptions are missing, they are downloaded (apt-get update, which needs root).
if ! compgen -G '/var/lib/apt/lists/*Translation-en*' >/dev/null; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -q -o Acquire::Languages=en
fi

common=(
    --dataset debian --output-dir "$out" --seed "${SEED:-42}" --dtype "${DTYPE:-bf16}"
    --max-source-length "$PROMPT_TOKENS" --max-new-tokens "$NEW_TOKENS"
)
trained=(--freeze-layers "$FREEZE" --checkpoint-limit 1 --save-dtype bf16)
evaluated=(
    --do-eval true --evaluation-splits validation,ood_validation --target-eval-datapoints "$EVALUATION_ROWS"
    --per-device-eval-batch-size "$EVALUATION_BATCH"
)
sampled=(
    --num-return-sequences 16 --target-eval-datapoints "$SAMPLED_PROMPTS" --grouped-prompts "$SAMPLED_PROMPTS"
    --evaluation-splits test,ood_test
)

say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }

# show NAME RUN: prints the loss in nats per token and ROUGE-L (as rouge-score, without stemming) of a run's last evaluation
show() {
    local split loss rouge
    number() { grep -o "\"$1\":[-+.0-9eE]*" "$out/$2/metrics.jsonl" | tail -n 1 | cut -d: -f2 | cut -c-6 || true; }
    for split in validation ood_validation; do
        loss=$(number "final_${split}_loss" "$2")
        rouge=$(number "final_${split}_average_standard_rouge_l" "$2")
        echo "$1, $split: loss $loss, ROUGE-L $rouge" >&2
    done
}

say "1/6  unmodified model: loss and summaries of held-out descriptions"
train-sft "${common[@]}" "${evaluated[@]}" --run-id zero-shot --model-name "$model" --max-target-length "$NEW_TOKENS" --do-train false \
    --save-dtype bf16

say "2/6  supervised fine-tuning on $SFT_ROWS descriptions"
train-sft "${common[@]}" "${evaluated[@]}" "${trained[@]}" --model-name "$model" --max-target-length "$NEW_TOKENS" \
    --max-train-examples "$SFT_ROWS" --num-train-epochs 1 --per-device-train-batch-size "$SFT_BATCH" --learning-rate "$SFT_RATE" \
    --warmup-ratio 0.05 --logging-steps 10
show "unmodified" zero-shot
show "fine-tuned" sft

say "3/6  simulated preferences and the reward model"
train-reward-model "${common[@]}" "${trained[@]}" --model-name "$out/sft" \
    --simulated-prompts "$RM_PROMPTS" --simulated-evaluation-prompts "$RM_EVALUATION_PROMPTS" --simulated-temperatures 0.7,1,1.3 \
    --pairs-per-prompt 3 --minimum-margin 0.1 --num-train-epochs 1 --per-device-train-batch-size "$RM_BATCH" \
    --learning-rate "$RM_RATE" --warmup-ratio 0.05 --logging-steps 10 --center-rewards-coefficient 0.1 --save-preds true

say "4/6  PPO"
train-ppo "${common[@]}" "${trained[@]}" --model-name "$out/sft" --rf-model-dir "$out/rm" \
    --total-steps "$PPO_STEPS" --rollout-batch-size "$PPO_ROLLOUTS" --learn-batch-size "$PPO_BATCH" --ppo-epochs 2 \
    --adam-learning-rate "$PPO_RATE" --init-kl-coef 0.05 --kl-approx 1 --baseline-cost 0.5 --missing-eos-score -3

say "5/6  16 responses per held-out prompt: supervised model and its best-of-16, then the PPO policy"
sample-best-of-n "${common[@]}" "${sampled[@]}" --run-id bon --model-name "$out/sft" --rf-model-dir "$out/rm" --groups 16
sample-best-of-n "${common[@]}" "${sampled[@]}" --run-id ppo-samples --model-name "$out/ppo" --rf-model-dir "$out/rm" \
    --reference-model "$out/sft"

say "6/6  comparison"
encoder=()
if [ -e "$sentence_encoder/modules.json" ]; then
    encoder=(--embedding-model "$sentence_encoder")
else
    say "no sentence encoder in $sentence_encoder, so embedding diversity is not measured; download one with: make sentence-encoder"
fi
rlhf-report compare --output-dir "$out" --summary-dir "$out" --sft-run sft --rm-run rm --ppo-run ppo \
    --sft-samples-run bon --ppo-samples-run ppo-samples --total-seconds "$(($(date +%s) - begin))" "${encoder[@]}"
rlhf-report html "$out" --output "$out/report.html"
show "unmodified" zero-shot
show "fine-tuned" sft
say "written: $out/report.html (open it in a browser), $out/summary.md, $out/summary.svg (a chart) and $out/summary.json"
