# The two commands are `make demo` and `make test`; everything they need is set up by .ci/bootstrap.
VENV := .venv
BIN := $(VENV)/bin

# Demo and tests start many processes; without bytecode kept from the one before each takes 1.5 s longer to start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test format format-check lint types layers tests interop interop-where-npm-is conformance conformance-where-npm-is docs lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

setup: ## Make .venv with everything in it
	@.ci/bootstrap

demo: setup ## Two neighbourhoods on this machine; ARGS=--once ends after the story
	@$(BIN)/fedaid demo $(ARGS)

test: setup format-check lint types layers tests interop-where-npm-is conformance-where-npm-is ## All that CI runs

format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

format-check: setup
	@echo "== format"
	$(BIN)/ruff format --check .

lint: setup
	@echo "== lint"
	$(BIN)/ruff check .

types: setup
	@echo "== types"
	$(BIN)/mypy

layers: setup
	@echo "== layers"
	$(BIN)/lint-imports

tests: setup
	@echo "== tests"
	$(BIN)/python -m pytest -n 2 $(ARGS)

interop: setup ## A neighbourhood and a server of others, Fedify; needs npm
	@echo "== interop"
	@tests/interop/install
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests/interop $(ARGS)

interop-where-npm-is:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory interop ARGS=; else \
	echo "== interop: LEFT OUT. npm is not on this machine, so nothing was tested against a server of others."; fi

conformance: setup ## What test suites of others say of a started instance; needs npm
	@echo "== conformance"
	@tests/conformance/install
	$(BIN)/python -m pytest tests/conformance $(ARGS)

conformance-where-npm-is:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory conformance ARGS=; else \
	echo "== conformance: LEFT OUT. npm is not on this machine, so no suite of others was run against us."; fi

docs: setup ## Make the tables and examples of the documentation anew, out of the code
	$(BIN)/python -m tests.docs.write

lock: setup ## Pin every package by hash
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --quiet pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --quiet pyproject.toml --group dev -o requirements-dev.lock

clean: ## Remove what can be made again
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis tests/interop/node_modules tests/conformance/node_modules tests/conformance/.venv
