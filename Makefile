# On a fresh machine (Python 3.11+, gcc) each target installs what it needs. `make` alone lists them: the text behind
# two hashes, and the variables that a target takes.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# The frameworks whose exports the tests read (snnTorch, Norse, sinabs, SpikingJelly, lava-dl), in an environment of
# their own, for they contradict each other and thermoc. `make test EXPORTERS=` leaves them out; their tests then skip.
# On Linux pip may take PyTorch with CUDA, which needs more than is pinned: TORCH_PIP="--extra-index-url URL" names the
# index of its CPU wheels, for the benchmarks too.
EXPORTERS ?= .venv-exporters/.done
TORCH_PIP ?=

# The browser that opens reports in tests: Debian's chromium, which apt brings where it is root. BROWSER= leaves it out.
BROWSER ?= $(VENV)/.browser

.PHONY: help demo test test-fast test-kill test-sweep lint format test-gpu bench bench-quick bench-gpu docs support fuzz fuzz-files dist clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.user ## install and run the main job, digits on every target: a minute or two, most of it to download
	$(BIN)/thermoc demo

test: $(VENV)/.dev $(EXPORTERS) $(BROWSER) ## install and run all tests: some twenty minutes on two cores
	@echo "running the tests: some twenty minutes on two cores; the first run makes Lava a Python of its own (300 MB)"
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# without Lava, Brian2, a GPU and what takes seconds or starts processes
test-fast: $(VENV)/.dev ## the quick tests: under two minutes on two cores, once kernels are compiled
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow and not lava and not brian2 and not gpu"

KILLS ?= 1000
test-kill: $(VENV)/.dev ## kill a run KILLS times at random instants, resume, compare: twenty minutes on two cores
	$(BIN)/python tests/kills.py --kills $(KILLS)

POINTS ?= 2000
test-sweep: $(VENV)/.dev ## a sweep of POINTS points on four workers, two of them killed: the same bytes; minutes on two cores
	$(BIN)/python tests/sweep_kills.py --points $(POINTS)

lint: $(VENV)/.dev ## style, imports that point downwards, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.dev ## rewrite the code in style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv-bench/.done ## every benchmark: speed beside named tools in the same run, its goals; writes benchmarks/RESULTS.md
	@echo "running the benchmarks: an hour on an idle machine; figures are worth nothing on a busy one"
	.venv-bench/bin/python benchmarks/run.py

test-gpu: | $(LINKS) ## the conformance table on a GPU, to the CPU's bits: four minutes; PYTHON has numba-cuda and pytest
	PYTHONPATH=.:tests $(PYTHON) -m pytest -m gpu

bench-gpu: | $(LINKS) ## speed on a GPU beside goals, and the CPU's bits: four minutes; writes benchmarks/gpu.json; PYTHON has numba-cuda
	PYTHONPATH=. $(PYTHON) benchmarks/gpu.py

bench-quick: .venv-bench/.done ## the benchmarks in three minutes once kernels are compiled, roughly; writes nothing
	.venv-bench/bin/python benchmarks/run.py --quick

docs: $(VENV)/.dev ## the site of documentation, into out/site; the first time it runs all tutorials and examples: ten minutes
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

support: $(VENV)/.dev ## write docs/support.md from the conformance suite
	$(BIN)/python -m pytest tests/conformance --update-golden

TIME ?= 60
TARGETS ?= sim,onnx
FOUND ?= out/fuzz
fuzz: $(VENV)/.dev ## random networks on TARGETS for TIME seconds; what breaks is written to FOUND
	PYTHONPATH=tests $(BIN)/python tests/fuzz.py --time $(TIME) --targets $(TARGETS) --found $(FOUND)

FILES ?= 100000
SEED ?= 0
fuzz-files: $(VENV)/.dev ## FILES damaged files of every format from SEED, read under limits; what breaks is in out/fuzz-files
	PYTHONPATH=tests $(BIN)/python -m filefuzz --files $(FILES) --seed $(SEED)

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
	$(@D)/bin/python -m pip install --quiet --no-deps --ignore-requires-python $(TORCH_PIP) -r $< && \
	$(@D)/bin/python -c "import torch" && touch $@ && echo "they took $$(($$(date +%s) - start)) s" || \
	{ echo "$(@D) could not be made: tests of other frameworks' exports skip" >&2; test -z "$$CI"; }

# where there is none, and apt cannot bring it, tests of the report's page skip, except in CI
$(VENV)/.browser: | $(BIN)/python
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then touch $@; \
	elif command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
	echo "installing chromium and its driver for the tests of reports: 400 MB, a minute"; \
	apt-get update -qq && apt-get install -y -qq chromium chromium-driver >/dev/null && touch $@; fi; \
	test -e $@ || { echo "no chromium with chromedriver: tests of the report's page skip; apt-get install chromium chromium-driver brings them" >&2; test -z "$$CI"; }

# the tools that benchmarks stand beside. What cannot be installed alone is named, and its rows say so
.venv-bench/.done: benchmarks/requirements.txt pyproject.toml | $(LINKS)
	@echo "installing thermoc and what its benchmarks stand beside into .venv-bench: 3 GB, some minutes"
	rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --editable ".[all]"
	$(@D)/bin/python -m pip install --quiet --no-deps $(TORCH_PIP) -r $< || grep == $< | while read -r line; do \
	$(@D)/bin/python -m pip install --quiet --no-deps $(TORCH_PIP) "$$line" || echo "not installed: $$line" >&2; done
	$(@D)/bin/thermoc doctor --install lava || echo "not installed: Lava" >&2
	touch $@

dist: $(VENV)/.dev ## a source distribution and a wheel, in dist
	$(BIN)/python -m build

clean: ## remove environments, builds and caches of tools
	rm -rf $(VENV) .venv-bench .venv-exporters build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache
