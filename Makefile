# `make demo` and `make test` do all their own set-up: a fresh Debian needs python3 (3.11 or newer), git and make.
# Everything lands in .venv and .cache of this clone; nothing is installed on the machine and no service is started.

PYTHON ?= python3
OOMTRIAGE_CACHE ?= $(CURDIR)/.cache
export OOMTRIAGE_CACHE
export PIP_DISABLE_PIP_VERSION_CHECK = 1

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --no-input --no-cache-dir
# Binaries that tests start. A name is a group in tools/debian_binaries.py.
DEBIAN_GROUPS := prometheus prometheus-3.5 kustomize postgresql pgbouncer
# One worker a core: half of the tests' time is waiting for real servers. `make unit PYTEST_ARGS="-x tests/unit"` for some.
PYTEST_ARGS ?= -n auto
ARGS ?=

.PHONY: help demo test compat lint unit fuzz audit bench mutants pictures pages binaries requirements release release-check image-check clean

help:
	@echo 'make demo     recorded real incidents, from webhook to message, on this machine alone (ARGS=--once to print and exit)'
	@echo 'make test     lint, then every test, the ones on real Prometheus and Alertmanager included'
	@echo 'make compat   the tests again on newer Prometheus, Alertmanager, VictoriaMetrics and Python (ARGS="sid python3.13 ..." for some)'
	@echo 'make lint     ruff, mypy, import layers, unused code'
	@echo 'make fuzz     requests that nobody means well, other ones each time (ten minutes; ARGS are of pytest)'
	@echo 'make audit    known weaknesses of the pinned dependencies, where an index of them answers'
	@echo 'make bench    the measurements behind the README (ARGS="NAME ..." for some)'
	@echo 'make mutants  breaks the rules one way at a time and tells what their tests do not notice (minutes)'
	@echo 'make pictures draws the stories of tests/stories as they look in Slack, into var/pictures (ARGS="NAME ..." for some)'
	@echo 'make pages    the pages in a real browser: on a phone, with and without scripts, light and dark'
	@echo 'make requirements   pin the newest dependencies anew, with hashes'
	@echo 'make image-check  what the image would hold: the build steps of its Dockerfile, run without a builder'
	@echo 'make release  everything up to the upload: dist/ with wheel, source, chart, text and sums, each tried (docs/releasing.md)'

demo: $(VENV)/.runtime
	$(BIN)/oomtriage demo $(ARGS)

test: lint unit

unit: $(VENV)/.dev binaries
	$(BIN)/python -m pytest $(PYTEST_ARGS)

compat: $(VENV)/.dev
	$(BIN)/python tools/compat.py $(ARGS)

fuzz: $(VENV)/.dev
	$(BIN)/python -m pytest --hypothesis-profile=fuzz --timeout=0 tests/fuzz $(ARGS)

# In a place of its own: it is no dependency of ours. It asks pypi.org, or OSV with ARGS="-s osv".
audit: $(VENV)/.base
	$(PYTHON) tools/make_venv.py $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install -q pip-audit
	$(VENV)/audit/bin/pip-audit --require-hashes --disable-pip -r requirements/runtime.txt -r requirements/charts.txt -r requirements/postgres.txt -r requirements/dev.txt $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/unused_code.py

bench: $(VENV)/.dev
	$(BIN)/python -m bench $(ARGS)

mutants: $(VENV)/.dev binaries
	$(BIN)/python -m bench rules_mutants $(ARGS)

# Its browser is fetched when it is first wanted, and is no part of `make test`.
pictures: $(VENV)/.dev
	@$(PYTHON) tools/debian_binaries.py pictures
	$(BIN)/python -m tests.pictures $(ARGS)

# The pages in a real browser; `make test` runs these where the browser has been fetched.
pages: $(VENV)/.dev
	@$(PYTHON) tools/debian_binaries.py pictures
	@$(BIN)/python -m pip download -q --no-deps --require-hashes -r requirements/pages.txt -d "$${OOMTRIAGE_CACHE:-.cache}/axe"
	$(BIN)/python -m pytest tests/pages $(PYTEST_ARGS)

# Looks at the disk and is done when they are there.
binaries:
	@$(PYTHON) tools/debian_binaries.py $(DEBIAN_GROUPS)

$(VENV)/.base: requirements/build.txt tools/make_venv.py
	$(PYTHON) tools/make_venv.py $(VENV)
	$(PIP) --require-hashes -r requirements/build.txt
	@touch $@

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml $(VENV)/.base
	$(PIP) --require-hashes -r requirements/runtime.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

# No index address goes into the files: whoever installs uses the index their pip is set up for.
COMPILE := $(VENV)/pin/bin/pip-compile -q --upgrade --generate-hashes --no-header --no-annotate --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
requirements: $(VENV)/.base
	$(PYTHON) tools/make_venv.py $(VENV)/pin
	$(VENV)/pin/bin/python -m pip install -q pip-tools
	$(COMPILE) -o requirements/runtime.txt pyproject.toml
	$(COMPILE) --extra dev -c requirements/runtime.txt -o requirements/dev.txt pyproject.toml
	$(COMPILE) -c requirements/dev.txt -o requirements/build.txt requirements/build.in
	awk '/^[^ ]/ {keep = /^resvg-py==/} keep' requirements/dev.txt > requirements/charts.txt
	awk '/^[^ ]/ {keep = /^psycopg(-binary)?==|^typing-extensions==/} keep' requirements/dev.txt > requirements/postgres.txt

release: $(VENV)/.dev
	$(BIN)/python tools/release_check.py

release-check: release

image-check:
	$(PYTHON) tools/image_check.py

clean:
	rm -rf $(VENV) .venv-* .cache dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
