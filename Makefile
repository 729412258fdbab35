# Two commands do all the set-up on a fresh machine (Python 3.11+, gcc):
#   make demo     install and run the main job: a minute or two, most of it to download and to compile
#   make test     install and run the tests: some fifteen minutes on two cores
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# The frameworks whose exports the tests read (snnTorch, Norse, sinabs, SpikingJelly, lava-dl), in an environment of
# their own, for they contradict each other and thermoc. `make test EXPORTERS=` leaves them out; their tests then skip.
# On Linux pip may take PyTorch with CUDA, which needs more than is pinned: EXPORTERS_PIP="--extra-index-url URL" names
# the index of its CPU wheels.
EXPORTERS ?= .venv-exporters/.done
EXPORTERS_PIP ?=

.PHONY: demo test lint format bench support fuzz fuzz-files clean

demo: $(VENV)/.user
	$(BIN)/thermoc demo

test: $(VENV)/.dev $(EXPORTERS)
	@echo "running the tests: some fifteen minutes on two cores; the first run makes Lava a Python of its own (300 MB)"
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# the page docs/support.md, from the conformance suite
support: $(VENV)/.dev
	$(BIN)/python -m pytest tests/conformance --update-golden

# random networks on TARGETS for TIME seconds; what breaks is written to FOUND
TIME ?= 60
TARGETS ?= sim,onnx
FOUND ?= out/fuzz
fuzz: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python tests/fuzz.py --time $(TIME) --targets $(TARGETS) --found $(FOUND)

# FILES damaged files of every format, read under limits; what breaks is written to out/fuzz-files
FILES ?= 100000
SEED ?= 0
fuzz-files: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python tests/fuzz_files.py --files $(FILES) --seed $(SEED)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "thermoc needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

# a checkout has these as links in git, a source distribution does not
LINKS := thermoc/ir thermoc/backends thermoc/simulator
$(LINKS):
	ln -s ../$(notdir $@) $@

$(VENV)/.user: pyproject.toml | $(BIN)/python $(LINKS)
	@echo "installing thermoc and what its targets need into $(VENV): a minute or two, 1 GB"
	$(BIN)/python -m pip install --quiet --editable ".[all]"
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python $(LINKS)
	@echo "installing thermoc, its targets and the tools of its tests into $(VENV): two minutes, 1.3 GB"
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@ $(VENV)/.user

# where it cannot be made its tests skip, except in CI
.venv-exporters/.done: tests/exporters/requirements.txt
	@echo "installing PyTorch, snnTorch, Norse, sinabs, SpikingJelly and lava-dl into .venv-exporters: 1.4 GB, one to two minutes"
	@start=$$(date +%s); rm -rf $(@D); $(PYTHON) -m venv $(@D) && \
	$(@D)/bin/python -m pip install --quiet --no-deps --ignore-requires-python $(EXPORTERS_PIP) -r $< && \
	$(@D)/bin/python -c "import torch" && touch $@ && echo "they took $$(($$(date +%s) - start)) s" || \
	{ echo "$(@D) could not be made: tests of other frameworks' exports skip" >&2; test -z "$$CI"; }

clean:
	rm -rf $(VENV) .venv-exporters build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache
