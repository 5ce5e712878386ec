# Everything that is done to Gosset, one word each. `make help` lists the words.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# What libraries keep between calls stays in the clone, and no settings of the user's count.
CACHES := $(CURDIR)/build/caches
export MPLCONFIGDIR := $(CACHES)/matplotlib
export SCIKIT_LEARN_DATA := $(CACHES)/scikit-learn
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHES)/hypothesis
export RUFF_CACHE_DIR := $(CACHES)/ruff
export MYPY_CACHE_DIR := $(CACHES)/mypy
HERE := XDG_CONFIG_HOME=$(CACHES)/config XDG_CACHE_HOME=$(CACHES)/cache

PYTEST := $(HERE) $(BIN)/python -m pytest -n 2 -o cache_dir=$(CACHES)/pytest

.DEFAULT_GOAL := help
.PHONY: help demo test test-full check format bench bench-tracking constraints system-packages clean

help:  ## list these words
	@sed -n 's/^\([a-z.-]*\):.*## */\1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: .venv/run  ## run an experiment on the iris data, with only what a user installs
	$(HERE) GOSSET_PROGRESS=on $(BIN)/gosset run examples/iris_svc.py

test: system-packages check  ## check the code and run every test
	$(PYTEST)

test-full: system-packages check  ## the same with branch coverage, and more of what is random
	GOSSET_KILLS=240 $(PYTEST) --timeout 1200 --cov=gosset --cov-branch --cov-report=term-missing:skip-covered

check: .venv/dev  ## lint, formatting, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir $(CACHES)/import-linter

format: .venv/dev  ## format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev  ## measure
	@set -e; for file in bench/*.py; do echo "$$file"; $(HERE) $(BIN)/python $$file; done

bench-tracking: .venv/dev  ## measure tracking beside other trackers, and write docs/benchmarks.md
	$(BIN)/python bench/tracking/environments.py
	$(BIN)/python bench/tracking/compare.py --write
	build/tracking/gosset/bin/python bench/tracking/limits.py --write

constraints: .venv/dev  ## pin what the environment has now, for everybody
	$(BIN)/python scripts/constraints.py > constraints.new
	mv constraints.new constraints.txt

.venv: .venv/dev  ## the environment for working on Gosset

.venv/dev: .venv/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[dev]'
	@touch $@

.venv/run: .venv/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[sklearn]'
	@touch $@

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Gosset needs Python 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "the module venv is missing (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@touch $@

system-packages:
	@scripts/system-packages

clean:  ## remove everything that these words have made
	rm -rf .venv build dist .coverage .gosset
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
