# Everything runs in .venv, which is made when it is missing and brought up to date
# when pyproject.toml has changed.  `make PYTHON=/path/to/python3` chooses the Python.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test generate check lint bench bench-full fuzz clean

VENV := .venv
BIN := $(VENV)/bin
DEMO_READY := $(VENV)/.ready-demo
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.ready-bench
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11 python
N ?= 20000
THREADS ?= 1

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(DEMO_READY) ## set up, then show gradients, a module, its speed, and a training
	@$(BIN)/python examples/demo.py

test: $(READY) ## set up, then run the tests
	@$(BIN)/python -m pytest -n auto --dist loadfile

generate: $(READY) ## write generated/, golden files and what the documents show
	@$(BIN)/eingrad build
	@$(BIN)/eingrad build --root examples/digits
	@$(BIN)/eingrad schema > docs/eingrad.schema.json
	@$(BIN)/python tests/explanations.py
	@$(BIN)/python tests/documents.py

check: $(READY) ## exit with 1 if a generated file is stale
	@{ $(BIN)/eingrad build --check && \
	  $(BIN)/eingrad build --root examples/digits --check; } || { echo 'run `make generate`' >&2; exit 1; }

lint: $(READY) ## ruff and mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: $(BENCH_READY) ## time the modules, quickly
	@$(BIN)/python benchmarks/run.py --quick

bench-full: $(BENCH_READY) ## time everything three times on THREADS=1, and print the medians
	@mkdir -p build
	@for run in 1 2 3; do \
	  $(BIN)/python benchmarks/run.py --full --threads $(THREADS) \
	    --json build/bench-$$run.json >/dev/null || exit; \
	done
	@$(BIN)/python benchmarks/combine.py build/bench-[123].json --plot build/ratios.svg

fuzz: $(READY) ## compare N=20000 random specs with brute force
	@EINGRAD_EXAMPLES=$(N) $(BIN)/python -m pytest tests/test_random_specs.py tests/test_second_order.py -k brute

clean: ## remove .venv, caches and builds
	rm -rf $(VENV) build dist *.egg-info
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find codegen templates tests examples benchmarks generated \
	  -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment without pip is one whose creation was interrupted.
$(DEMO_READY): pyproject.toml
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  for python in $(PYTHON); do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	      2>/dev/null && break; \
	    python=; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo 'error: eingrad needs Python 3.11 or later, and none was found' >&2; \
	    echo '  say where it is: make PYTHON=/path/to/python3' >&2; \
	    exit 2; \
	  fi; \
	  echo "making $(VENV) with $$($$python --version)"; \
	  "$$python" -m venv --clear $(VENV) || exit 2; \
	fi
	@echo "installing eingrad in $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[examples]'
	@touch $@

$(READY): $(DEMO_READY)
	@echo "installing what the tests and the linters need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

$(BENCH_READY): $(READY)
	@echo "installing what the benchmarks compare with"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@
