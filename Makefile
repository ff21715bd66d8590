# Two commands matter: `make demo` runs the main job, `make test` passes the whole suite. Both need only Python >= 3.11.
# `make quick` is for in between: all that needs no server, no browser and no root.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: samples demo quick test servers lint types format mutants lock docs notebooks fuzz fuzz-go clean

# One Dockerfile build, exported twice: into the image (inline), where the install step is lost, and with mode=max.
DEMO := $(BIN)/cachegraph check --fail-on never --names tests/data/layouts/web-prov
demo: $(VENV)/.base
	@echo '$$ cachegraph check (an image with inline cache)'
	@$(DEMO) tests/data/layouts/web-oci
	@echo
	@echo '$$ cachegraph check (the same build, exported with mode=max)'
	@$(DEMO) tests/data/layouts/web-max
	@echo
	@echo 'Yours: $(BIN)/cachegraph check SPEC (what you give to --cache-from, a path, or an image reference)'

# Whole files go to a process, and whatever needs one server (tests/servers/sharing.py).
SHARED := --dist loadfile --no-loadscope-reorder
# Without compiled files each process would compile all tests anew.
unexport PYTHONDONTWRITEBYTECODE

quick: $(VENV)/.dev lint types
	$(BIN)/python -m pytest -q -n 3 $(SHARED) --hypothesis-profile=quick -m "not server and not browser and not slow"

# Two processes; JOBS=1 takes one.
JOBS ?= 2
test: $(VENV)/.dev servers lint types
	$(BIN)/python -m pytest $(if $(filter-out 1,$(JOBS)),-n $(JOBS) $(SHARED))

# Registry, browser, Azurite and Neo4j for the tests: installs what is missing, or says what to install.
servers: $(VENV)/.dev
	$(BIN)/python -m tests.servers.programs

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Changes the code in small ways, and lists the changes that no test notices. SAMPLE=0 tries every change.
PATHS  ?= cachegraph/core
SAMPLE ?= 400
mutants: $(VENV)/.dev
	$(BIN)/python -m tests.mutants $(PATHS) $(if $(filter-out 0,$(SAMPLE)),--sample $(SAMPLE))

# The lock files name versions and hashes only, so a mirror of the package index serves as well.
lock: $(VENV)/.dev
	$(BIN)/python -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock pyproject.toml
	$(BIN)/python -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --all-extras --group dev -o requirements-dev.lock pyproject.toml

# Writes the pages that are made from declarations, and the site: build/site/index.html.
docs: $(VENV)/.dev
	$(BIN)/python -m docs.tools.pages docs
	$(BIN)/python -m sphinx -q -W --keep-going -E -a docs build/site

# Packs the sample exports that come with the package from the test data.
samples: $(VENV)/.dev
	$(BIN)/python -m tests.sampledata.make

# Attacks every reader for so many seconds (fuzz/); what breaks is kept in build/fuzz.
SECONDS ?= 60
fuzz: $(VENV)/.dev
	$(BIN)/python -m fuzz --seconds $(SECONDS)

# Asks BuildKit's own importer about the same configs, and buildx's own parser about the same cache strings: needs Go,
# and fetches both through the module proxy.
fuzz-go: $(VENV)/.dev
	cd fuzz/go && go build -o ../../build/fuzz-importer . && go build -o ../../build/fuzz-specs ./specs
	$(BIN)/python -m fuzz.differential build/fuzz-importer --seconds $(SECONDS)
	$(BIN)/python -m fuzz.strings build/fuzz-specs

# Runs every notebook from top to bottom, and leaves them with their outputs in build/notebooks.
notebooks: $(VENV)/.dev
	mkdir -p build/notebooks
	$(BIN)/jupyter-execute --output=../build/notebooks/{notebook_name} notebooks/*.ipynb

$(VENV)/bin/python:
	@sh .ci/venv "$(PYTHON)" "$(VENV)"

$(VENV)/.base: $(VENV)/bin/python requirements.lock pyproject.toml
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(VENV) has a Python older than 3.11 (say make clean, and try again)" >&2; exit 1; }
	$(BIN)/python -m pip install -q --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --no-deps -e .
	touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(VENV) has a Python older than 3.11 (say make clean, and try again)" >&2; exit 1; }
	$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -q --no-deps -e .
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
