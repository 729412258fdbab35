# Two commands do all the set-up on a fresh machine (Python 3.11+, gcc):
#   make demo     install and run the main job
#   make test     install and run the tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint format bench support fuzz fuzz-files clean

demo: $(VENV)/.user
	$(BIN)/thermoc demo

test: $(VENV)/.dev
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

$(VENV)/.user: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[all]"
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@ $(VENV)/.user

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache
