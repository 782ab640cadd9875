# The two commands are `make demo` and `make test`; everything they need is set up by .ci/bootstrap.
VENV := .venv
BIN := $(VENV)/bin

# Demo and tests start many processes; without bytecode kept from the one before each takes 1.5 s longer to start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test format format-check lint types layers tests attacks fuzz api ladder explore simulate soak crash \
	big bench \
	browser browser-where-chromium-is screenshots \
	interop interop-where-npm-is conformance second second-where-node-is docs messages lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

setup: ## Make .venv with everything in it
	@.ci/bootstrap

demo: setup ## Two neighbourhoods on this machine; ARGS=--once ends after the story
	@$(BIN)/fedaid demo $(ARGS)

test: setup format-check lint types layers tests browser-where-chromium-is second-where-node-is interop-where-npm-is ## All that CI runs

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

attacks: setup ## Send every attack of tests/attacks/catalogue.py, and count how many are refused
	@echo "== attacks"
	@$(BIN)/python -m pytest -n 2 -m attack $(ARGS)

fuzz: setup ## Search for inputs that an instance does not bear; SECONDS=600, SEED=7
	@echo "== fuzz"
	FUZZ_SECONDS=$(or $(SECONDS),120) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -n 2 tests/fuzz $(ARGS)

api: setup ## Let schemathesis try all that the OpenAPI document says; SECONDS=120, SEED=7, ARGS="--database postgresql"
	@echo "== api"
	$(BIN)/python -m tests.api.contract --seconds $(or $(SECONDS),120) $(if $(SEED),--seed $(SEED)) $(ARGS)

interop: setup ## A neighbourhood and a server of others, Fedify; needs npm
	@echo "== interop"
	@tests/interop/install
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests/interop $(ARGS)

interop-where-npm-is:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory interop ARGS=; else \
	echo "== interop: LEFT OUT. npm is not on this machine, so nothing was tested against a server of others."; fi

browser: setup ## Click through two neighbourhoods in Chromium, and let axe look at every page
	@echo "== browser"
	@tests/browser/install
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/browser $(ARGS)

browser-where-chromium-is:
	@if command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; }; then \
	$(MAKE) --no-print-directory browser ARGS=; else \
	echo "== browser: LEFT OUT. chromium is not on this machine, so nobody clicked, and axe looked at nothing."; fi

screenshots: setup ## Pictures of the main pages, in build/screenshots
	@tests/browser/install
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

second: setup ## Check a signed statement with a second implementation; needs node
	@echo "== second"
	$(BIN)/python -m pytest tests/second $(ARGS)

second-where-node-is:
	@if command -v node >/dev/null; then $(MAKE) --no-print-directory second ARGS=; else \
	echo "== second: LEFT OUT. node is not on this machine, so no second implementation checked a signed statement."; fi

conformance: setup ## What test suites of others say of a started instance; needs npm
	@echo "== conformance"
	@tests/conformance/install
	$(BIN)/python -m pytest tests/conformance $(ARGS)

docs: setup ## Make the tables and examples of the documentation anew, out of the code
	$(BIN)/python -m tests.docs.write

messages: setup ## Bring the translations up to date with the code (docs/how-to/translate-fedaid.md)
	@$(BIN)/python -m tests.locales.write

explore: setup ## Explore the timebank's state tables exhaustively; ARGS=--all explores millions of states
	$(BIN)/python -m tests.timebank.explore $(ARGS)

ladder: setup ## Prove the privacy ladder on more days; SEEDS=20
	@echo "== ladder"
	LADDER_SEEDS=$(or $(SEEDS),20) $(BIN)/python -m pytest tests/ladder -q $(ARGS)

simulate: setup ## Simulate ledgers under faults; SEEDS=200, or SEED=123 alone with its trace
	$(BIN)/python -m tests.timebank.simulate $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),200)) $(ARGS)

soak: setup ## Simulate ten thousand seeds (hours)
	$(BIN)/python -m tests.timebank.simulate --seeds $(or $(SEEDS),10000) $(ARGS)

crash: setup ## Kill and restore real servers while people use them; SECONDS=60 for each kind of database
	$(BIN)/python -m tests.timebank.crash --seconds $(or $(SECONDS),60) $(ARGS)

big: setup ## How long pages take with 10,000 members and 50,000 listings, on both databases; ARGS="--seed 8"
	$(BIN)/python -m tests.big $(ARGS)

bench: setup ## How fast an instance is, against what the machine can do; NAME=inbox_sqlite for one figure, PICTURE=profile.svg
	@PATH="$(CURDIR)/$(BIN):$$PATH" PICTURE=$(PICTURE) $(BIN)/python -m tests.bench $(NAME) $(ARGS)

lock: setup ## Pin every package by hash
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --quiet pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --quiet pyproject.toml --group dev -o requirements-dev.lock

clean: ## Remove what can be made again
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis tests/interop/node_modules tests/conformance/node_modules tests/conformance/.venv
