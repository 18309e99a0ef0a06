# Everything a person does with a checkout. `make` alone lists it.
# Needs only make and a python3 >= 3.11 with venv; brings its own uv when none is on PATH.

# A shell that has another environment active must not leak into ours.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# An organization's own certificate authority is in the system's store, which uv reads only when asked.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_NATIVE_TLS ?= true
endif

MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
PACKAGES := $(wildcard crypto anomaly secure_api experiments)
WORKERS ?= 2
TESTS ?= tests

BIN := .venv/bin
CORE := .venv/.core-is-installed
TEST := .venv/.test-is-installed

# Runs one step of the gate and prints what it took; the step's own status decides.
define step
@began=$$(date +%s); status=0; $(2) || status=$$?; \
ended=$$(date +%s); \
if [ $$status -eq 0 ]; then echo "== $(1): ok, $$((ended - began)) s"; \
else echo "== $(1): FAILED, $$((ended - began)) s" >&2; fi; exit $$status
endef

# Sets $python to the first one that is new enough, or says in one line what is missing.
define with_python
python=; for candidate in $${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do \
    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
        python="$$("$$candidate" -c 'import sys; print(sys.executable)')"; break; fi; \
done; \
if [ -z "$$python" ]; then \
    echo "secure-api needs Python 3.11 or newer; python3 here is: $$(python3 --version 2>/dev/null || echo none)" >&2; \
    exit 1; fi
endef

# Sets $uv to the uv on PATH, or to one that it builds in .uv; gives it a cache that it can write.
define with_uv
uv=uv; if ! uv --version >/dev/null 2>&1; then \
    uv=.uv/bin/uv; \
    if ! .uv/bin/uv --version >/dev/null 2>&1; then \
        $(with_python); \
        "$$python" -c 'import ensurepip, venv' 2>/dev/null || \
            { echo "secure-api needs Python's venv module: install the package python3-venv, or uv" >&2; exit 1; }; \
        echo "building .uv (no uv on PATH)"; rm -rf .uv; \
        "$$python" -m venv .uv && \
        .uv/bin/python -m pip install --quiet --require-hashes --requirement requirements/bootstrap.txt || \
            { rm -rf .uv; exit 1; }; \
    fi; \
fi; \
if [ -z "$${UV_CACHE_DIR:-}" ]; then \
    cache="$${XDG_CACHE_HOME:-$${HOME:-/nonexistent}/.cache}/uv"; \
    if ! { mkdir -p "$$cache" && [ -w "$$cache" ]; } 2>/dev/null; then export UV_CACHE_DIR=.uv-cache; fi; \
fi
endef

LOCK := pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test check lint types layers format experiments experiments-full docs-figures lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile

demo: $(CORE) ## start a server and watch it believe and refuse requests
	@$(BIN)/secure-api demo

check: lint types layers test ## the whole gate: format, lint, types, layers, tests, coverage

lint: $(TEST) ## formatting and lint, without changing a file
	$(call step,format,$(BIN)/ruff format --quiet --check .)
	$(call step,lint,$(BIN)/ruff check --quiet .)

types: $(TEST) ## mypy --strict over the packages and the tests
	$(call step,types,$(BIN)/mypy --strict $(PACKAGES) tests)

layers: $(TEST) ## imports only point down
	$(call step,layers,$(BIN)/lint-imports --no-logo)

test: $(TEST) ## the tests, warnings as errors, branch coverage; TESTS=path for some of them
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(if $(filter tests,$(TESTS)),--cov --cov-report=term) $(TESTS)

format: $(TEST) ## rewrite the files as ruff formats them
	@$(BIN)/ruff check --quiet --fix-only . && $(BIN)/ruff format .

experiments: $(TEST) ## what each protection costs here: every experiment, quickly, and its report
	@$(BIN)/secure-api experiments run --quick --open

experiments-full: $(TEST) ## the same for figures that you quote; takes about half an hour
	@$(BIN)/secure-api experiments run --full --open

docs-figures: $(TEST) ## write the figures of the newest committed results into README and docs
	@$(BIN)/secure-api experiments figures

lock: ## pin requirements/*.txt again; UPGRADE=1 takes the newest releases
	@$(with_uv); set -e; \
	"$$uv" $(LOCK) requirements/bootstrap.in --output-file requirements/bootstrap.txt >/dev/null; \
	"$$uv" $(LOCK) pyproject.toml --all-extras --group test --output-file requirements/test.txt >/dev/null; \
	"$$uv" $(LOCK) pyproject.toml --extra private --group build --constraints requirements/test.txt --output-file requirements/core.txt >/dev/null; \
	if grep -n '://' requirements/*.txt; then echo "a requirement names a host" >&2; exit 1; fi

clean: ## remove everything that make and the tools have built
	@rm -rf .venv .uv .uv-cache .coverage .coverage.* .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(CORE): requirements/core.txt pyproject.toml | .venv/bin/python
	@$(call install,core.txt)
	@touch $@

$(TEST): requirements/test.txt pyproject.toml | .venv/bin/python
	@$(call install,test.txt)
	@touch $(CORE) $@

define install
echo "installing requirements/$(1) into .venv"; $(with_uv); set -e; \
"$$uv" pip install --quiet --python .venv/bin/python --require-hashes --requirement requirements/$(1); \
"$$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
endef

.venv/bin/python:
	@$(with_python); $(with_uv); rm -rf .venv; "$$uv" venv --quiet --python "$$python" .venv
