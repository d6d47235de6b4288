#!/bin/bash
# Two steps of each stage with a LLaMA of 6.7 billion random weights, and the peak of memory of each: seven-billion.sh [7b|1b|100m|tiny]
# The batch sizes are those of the published commands. Environment: OUT (default runs/seven-billion), BIN (.build/release), STAGES (sft rm
# ppo bon lora), FROZEN (int8), OPTIMIZER (adamw8bit), MASTER and GRADIENT (bf16; of ppo, which has three models), DTYPE (f32), KEEP (1)
# checkpoints, KILL=1 to kill each training stage after its first checkpoint and resume it. The reward model is not normalised, because that
# scores all pairs. With 7b, 70 GB of disk are needed: a checkpoint takes 19 GB, a result 13.5 GB.
set -euo pipefail
size=${1:-7b}
here=$(dirname "$0")
out=${OUT:-runs/seven-billion}/$size
keep=${KEEP:-1}
bin=${BIN:-.build/release}
memory=(--frozen-dtype "${FROZEN:-int8}")
training=("${memory[@]}" --optimizer "${OPTIMIZER:-adamw8bit}" --save-dtype bf16)
common=(--output-dir "$out/runs" --dtype "${DTYPE:-f32}" --seed 3)
mkdir -p "$out"
[ -e "$out/model/config.json" ] || python3 "$here/make_model.py" "$out" "$size"

run() { # NAME COMMAND…: measures a stage; with KILL=1 it is killed when its first checkpoint is complete, and resumed
    local name=$1
    shift
    [ -z "${KILL:-}" ] || [ "$name" = bon ] || [ -e "$out/runs/$name/final" ] || \
        KILL_WHEN="$out/runs/$name/checkpoints/step-000001" python3 "$here/peak.py" "$out/peaks.csv" "$name (killed)" "$@"
    python3 "$here/peak.py" "$out/peaks.csv" "$name" "$@"
}

for stage in ${STAGES:-sft rm ppo bon lora}; do
    case $stage in
        sft)
            run sft "$bin/train-sft" "${common[@]}" "${training[@]}" --model-name "$out/model" --dataset "$out/data" --max-steps 2 \
                --per-device-train-batch-size 2 --gradient-accumulation-steps 8 --per-device-eval-batch-size 2 --learning-rate 3e-5 \
                --freeze-layers 0.8 --save-steps 1 --save-total-limit "$keep" --do-eval false --max-source-length 512 --max-target-length 48
            ;;
        rm)
            run rm "$bin/train-reward-model" "${common[@]}" "${training[@]}" --model-name "$out/runs/sft" --comparisons "$out/pairs" \
                --max-steps 2 --per-device-train-batch-size 1 --gradient-accumulation-steps 8 --per-device-eval-batch-size 1 \
                --learning-rate 1e-5 --freeze-layers 0.8 --save-steps 1 --save-total-limit "$keep" --do-eval false \
                --calculate-normalisation false
            ;;
        ppo)
            run ppo "$bin/train-ppo" "${common[@]}" "${training[@]}" --master-dtype "${MASTER:-bf16}" --gradient-dtype "${GRADIENT:-bf16}" \
                --model-name "$out/runs/sft" --rf-model-dir "$out/runs/rm" --dataset "$out/data" --total-steps 2 \
                --rollout-batch-size 2 --rollout-accumulation-steps 8 --learn-batch-size 1 --gradient-accumulation-steps 16 \
                --ppo-epochs 4 --adam-learning-rate 1.5e-6 --max-new-tokens 48 --freeze-layers 0.8 --init-kl-coef 5 \
                --kl-approx 2 --baseline-cost 0.2 --checkpoint-steps 1 --checkpoint-limit "$keep" --target-eval-datapoints 2 \
                --max-active-responses 2
            ;;
        bon)
            run bon "$bin/sample-best-of-n" "${common[@]}" "${memory[@]}" --model-name "$out/runs/sft" --rf-model-dir "$out/runs/rm" \
                --dataset "$out/data" --evaluation-splits test --num-return-sequences 16 --max-new-tokens 48 --target-eval-datapoints 4
            ;;
        lora)
            run lora "$bin/train-sft" "${common[@]}" --run-id lora "${memory[@]}" --save-dtype bf16 --model-name "$out/model" \
                --dataset "$out/data" --lora-rank 16 --freeze-layers 0 --max-steps 2 --per-device-train-batch-size 2 \
                --gradient-accumulation-steps 8 --per-device-eval-batch-size 2 --learning-rate 2e-4 --save-steps 1 \
                --save-total-limit "$keep" --do-eval false --max-source-length 512 --max-target-length 48
            ;;
        *)
            echo "seven-billion: the stage $stage does not exist; stages are sft, rm, ppo, bon and lora" >&2
            exit 64
            ;;
    esac
done
cat "$out/peaks.csv"
