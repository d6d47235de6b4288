# What the scripts of this folder share; they source it, with the repository's root as the working directory.

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

# preset NAME: sources NAME.env of this folder, or says which there are
preset() {
    local file=Examples/Experiment/$1.env
    [ -e "$file" ] || { echo "$(basename "$0"): there is no $file; SCALE is $2" >&2; exit 2; }
    # shellcheck source=/dev/null
    source "$file"
}

# say TEXT: a heading for people
say() { printf '\n\033[1mseed %s: %s\033[0m\n' "$seed" "$*" >&2; }

# begin_seed DIR: the options that all programs of a seed are given, and where its runs are
begin_seed() {
    runs=$1/seed-$seed
    common=(--dataset "$DATASET" --output-dir "$runs" --seed "$seed" --dtype "${DTYPE:-f32}" --checkpoint-limit 1)
}

# begin_models: the supervised model and the reward model of a seed, from scratch
begin_models() {
    say "supervised fine-tuning"
    train-sft "${common[@]}" "${START[@]}" "${SFT[@]}"
    say "simulated preferences and the reward model"
    train-reward-model "${common[@]}" --model-name "$runs/sft" "${RM[@]}"
}

# sentence_encoder: the option of reports, where there is a sentence encoder
sentence_encoder() {
    local folder=${SENTENCE_ENCODER:-.build/sentence-encoder}
    encoder=()
    [ ! -e "$folder/modules.json" ] || encoder=(--embedding-model "$folder")
}

# What SFT starts from; a preset may name a checkpoint instead.
START=(--from-scratch)
