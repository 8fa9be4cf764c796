# Two commands do all the set-up: `make demo` shows the main job, `make test` runs every test, real servers included.
# They need Python 3.11+ and make; `make test` also Java 17+, Maven, Go 1.24+ and apt for the real servers. `make bench`
# also needs curl, jq and, for its part on CPU limits, to be root.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help demo test unit check format stack cassettes docs bench long clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t12

$(INSTALLED): pyproject.toml constraints.txt stetho
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "stetho needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(INSTALLED)  ## the main job in under 20 seconds, on small local servers that replay real answers
	@$(BIN)/python -m tests.demo

test: check $(INSTALLED)  ## all tests; the real servers are fetched, built and started
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m 'not long'

unit: $(INSTALLED)  ## the tests that need no real servers
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m 'not long and not stack'

check: $(INSTALLED)  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(INSTALLED)  ## bring the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

stack: $(INSTALLED)  ## start the real platform on loopback, until Ctrl-C
	$(BIN)/python -m tests.stack

cassettes: $(INSTALLED)  ## record the answers of the real platform anew
	$(BIN)/python -m tests.stack.record

docs: $(INSTALLED)  ## write the generated pages anew
	$(BIN)/python -m probes.kit.docs > docs/probes.md

bench: $(INSTALLED)  ## what a cold probe costs, beside bare python, curl | jq and a JVM, and at 100m of CPU
	$(BIN)/python -m bench

long: $(INSTALLED)  ## the tests that run for minutes
	$(BIN)/python -m pytest -m long

clean:  ## remove the environment and what tools left
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
