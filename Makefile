# Everything a developer types. `make help` lists it.
#
# Two stamps in .venv say what is installed: one for running, one for testing. A target installs again
# only when a lock file or pyproject.toml is newer than its stamp.

SHELL      := /bin/sh
PYTHON     ?= python3
VENV       := .venv
BIN        := $(VENV)/bin
PIP        := $(BIN)/python -m pip --disable-pip-version-check
RUN_STAMP  := $(VENV)/run.stamp
TEST_STAMP := $(VENV)/test.stamp
NODE_DIR   := tests/interop/node
NODE_STAMP := $(NODE_DIR)/node_modules/npm.stamp
ARGS       ?=
PYTEST_ARGS ?= -n auto --dist loadfile
OUTSIDE    := tests/mission tests/journeys tests/twilio_api tests/interop

# Every process that a test starts would compile the house anew.
unexport PYTHONDONTWRITEBYTECODE

# Each hash-checked; without build isolation, for the build tools stand in the lock file too.
INSTALL_LOCKED := $(PIP) install --quiet --require-hashes --requirement
INSTALL_SELF   := $(PIP) install --quiet --no-deps --no-build-isolation --editable .
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check lint types contracts bench bench-quick lock clean node chromium kannel

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUN_STAMP) ## start a gateway with a demo account; options in ARGS="--port 7868", settings in STOPWIRE_*
	@exec $(BIN)/stopwire up --demo $(ARGS)

test: $(TEST_STAMP) node chromium kannel lint types contracts ## run everything: lint, types, contracts, all tests
	$(BIN)/pytest $(PYTEST_ARGS)
	@echo "The tests from outside once more, with the doors in a process of their own"
	STOPWIRE_TEST_WORKERS=1 $(BIN)/pytest $(PYTEST_ARGS) $(OUTSIDE)

check: $(TEST_STAMP) lint types contracts ## run the quick half, under a minute
	$(BIN)/pytest -q -m 'not slow' tests/core tests/house

lint: $(TEST_STAMP) ## look for faults in the text of the code
	$(BIN)/ruff check .

types: $(TEST_STAMP) ## prove the types
	$(BIN)/mypy --strict src

contracts: $(TEST_STAMP) ## prove that imports only go down
	$(BIN)/lint-imports --no-logo

bench: $(RUN_STAMP) ## measure beside Kannel, about an hour; options in ARGS="--only F1,F4", see bench/README.md
	$(BIN)/python bench/run.py $(ARGS)

bench-quick: $(RUN_STAMP) ## one short run of most figures, about two minutes; needs Kannel too, or ARGS=--no-kannel
	$(BIN)/python bench/run.py --quick $(ARGS)

lock: $(TEST_STAMP) ## pin every dependency again, in its newest version: LOCK= keeps the pinned ones
	$(PIP) install --quiet $$($(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["lock"])')
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["test"], sep="\n")' > $(VENV)/test-group.in
	$(COMPILE) $(LOCK) --build-deps-for editable --output-file requirements.lock pyproject.toml
	$(COMPILE) $(LOCK) --output-file requirements-test.lock requirements.lock $(VENV)/test-group.in
LOCK ?= --upgrade

clean: ## remove what builds and tests left behind, .venv too
	rm -rf $(VENV) $(NODE_DIR)/node_modules dist build .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "Stopwire needs Python 3.11 or newer, and there is no $(PYTHON) here: install it, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Stopwire needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1): name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) comes without venv or pip: install them (on Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): requirements.lock pyproject.toml | $(BIN)/python
	$(INSTALL_LOCKED) requirements.lock
	$(INSTALL_SELF)
	@touch $@

# The test lock holds everything of the run lock, in the same versions.
$(TEST_STAMP): requirements-test.lock pyproject.toml | $(BIN)/python
	$(INSTALL_LOCKED) requirements-test.lock
	$(INSTALL_SELF)
	@touch $@ $(RUN_STAMP)

# A browser for the console's tests. Without one they are left out, except under CI=true: there it is installed.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
		if [ "$$CI" != true ]; then echo "There is no Chromium here: the console's tests will be skipped"; exit 0; fi; \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { \
			echo "The console's tests need Chromium, and it can be installed by root on Debian or Ubuntu only: install it, then run again" >&2; exit 1; }; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends chromium; \
	}

# A gateway in C as a peer over SMPP. It is a package of Debian and Ubuntu; elsewhere its test is left out, except under CI=true.
kannel:
	@command -v bearerbox >/dev/null || [ -x /usr/sbin/bearerbox ] || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends kannel; \
		else echo "There is no Kannel here (on Debian: apt-get install kannel): its test will be skipped"; fi; }

# The official SDK for Node, and axe-core. Without npm their tests are left out, except under CI=true: there npm is installed.
node:
	@if ! command -v npm >/dev/null && [ "$$CI" = true ]; then \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { \
			echo "The Node SDK tests need npm, and it can be installed by root on Debian or Ubuntu only: install npm, then run again" >&2; exit 1; }; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends nodejs npm; \
	fi
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NODE_STAMP); \
	else echo "There is no npm here: the Node SDK tests will be skipped"; fi

$(NODE_STAMP): $(NODE_DIR)/package.json $(NODE_DIR)/package-lock.json
	cd $(NODE_DIR) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
