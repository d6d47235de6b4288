# Functions shared by the scripts in this folder, which source this file from the repository root.

# override ARRAY --name value …: replaces options of the same name, because a program accepts each option once
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

# preset NAME CHOICES: sources NAME.env from this folder, or fails and prints the choices
preset() {
    local file=Examples/Experiment/$1.env
    [ -e "$file" ] || { echo "$(basename "$0"): there is no $file; expected SCALE to be $2" >&2; exit 2; }
    # shellcheck source=/dev/null
    source "$file"
}

# say TEXT: prints a heading
say() { printf '\n\033[1mseed %s: %s\033[0m\n' "$seed" "$*" >&2; }

# begin_seed DIR: sets the folder of a seed's runs and the options common to all its programs
begin_seed() {
    runs=$1/seed-$seed
    common=(--dataset "$DATASET" --output-dir "$runs" --seed "$seed" --dtype "${DTYPE:-f32}" --checkpoint-limit 1)
}

# begin_models: trains the supervised model and the reward model of a seed
begin_models() {
    say "supervised fine-tuning"
    train-sft "${common[@]}" "${START[@]}" "${SFT[@]}"
    say "simulated preferences and the reward model"
    train-reward-model "${common[@]}" --model-name "$runs/sft" "${RM[@]}"
}

# sentence_encoder: sets the report's option for the sentence encoder, if there is one
sentence_encoder() {
    local folder=${SENTENCE_ENCODER:-.build/sentence-encoder}
    encoder=()
    [ ! -e "$folder/modules.json" ] || encoder=(--embedding-model "$folder")
}

# The start of SFT; a preset may set a checkpoint instead.
START=(--from-scratch)
