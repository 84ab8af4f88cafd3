# SPDX-License-Identifier: Apache-2.0
# `make` or `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
STUBS := clients/python
PARALLEL ?= --numprocesses 2 --dist loadfile
CONFIG ?= server/quickstart.toml

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- set up ------------------------------------------------------------------

.PHONY: setup
setup: $(VENV)/.ready ## create .venv, install everything, generate stubs, compile kernels

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit("Consilience needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Run: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.ready: requirements.lock pyproject.toml clients/python/pyproject.toml | $(UV)
	@echo "Installing; PyTorch is most of it: 6 GB on disk, once ..."
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --compile-bytecode --requirement requirements.lock
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --no-deps --editable clients/python --editable .
	$(MAKE) --no-print-directory proto kernels
	$(BIN)/python -m compileall -q server kernels models clients/python
	touch $@

.PHONY: kernels
kernels: ## compile every numba kernel into the on-disk cache
	$(BIN)/python -m kernels.warm

.PHONY: lock
lock: | $(UV) ## renew requirements.lock from pyproject.toml
	$(UV) pip compile --quiet --upgrade --no-header --no-annotate --no-emit-package consilience \
	  --all-extras --group dev pyproject.toml --output-file requirements.lock

# --- run ---------------------------------------------------------------------

.PHONY: run
run: setup ## set up if need be, then start the server on loopback with the quickstart configuration
	$(BIN)/consilience serve --config $(CONFIG)

# --- check -------------------------------------------------------------------

.PHONY: test
test: setup check pytest ## everything that must hold: lint, types, floor plan, contract, all tests

.PHONY: check
check: lint typecheck proto-check ## lint, types, floor plan and contract, without the tests

.PHONY: pytest
pytest: ## all tests, in two processes; whole servers alone, for their deadlines; kernels once more as plain Python
	$(BIN)/python -m pytest $(PARALLEL) --ignore tests/e2e
	$(BIN)/python -m pytest tests/e2e
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest $(PARALLEL) tests/kernels

.PHONY: triton-client
triton-client: .venvs/tritonclient/.ready ## Triton's client in an environment of its own, for its tests
.venvs/tritonclient/.ready: | $(UV)
	$(UV) venv --quiet --clear --python $(BIN)/python .venvs/tritonclient
	$(UV) pip install --quiet --python .venvs/tritonclient/bin/python "tritonclient[grpc]>=2.60" ml_dtypes aiohttp
	touch $@

.PHONY: lint
lint: ## ruff and the floor plan
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

.PHONY: format
format: ## format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: typecheck
typecheck: ## strict mypy
	$(BIN)/mypy

.PHONY: docs
docs: ## write docs/configuration.md from the settings
	PYTHONPATH=. $(BIN)/python docs/generate.py

# --- measure -----------------------------------------------------------------

.PHONY: bench
bench: setup ## all benchmarks; raw results under benchmarks/results
	$(BIN)/python -m benchmarks.server.startup
	$(BIN)/python -m benchmarks.server.predict_overhead
	$(BIN)/python -m benchmarks.server.aggregate_overhead
	$(BIN)/python -m benchmarks.storage.saves
	$(BIN)/python -m benchmarks.storage.audit
	$(BIN)/python -m benchmarks.server.stream_arrivals
	$(BIN)/python -m benchmarks.llm.tail
	$(BIN)/python -m benchmarks.llm.concurrency
	$(BIN)/python -m benchmarks.llm.money
	$(BIN)/python -m benchmarks.caching.similarity
	$(BIN)/python -m benchmarks.kernels.run
	$(BIN)/python -m benchmarks.kernels.ticks
	$(BIN)/python -m benchmarks.learning.live
	if [ -n "$${CONSILIENCE_DATA:-}" ]; then \
	  $(BIN)/python -m benchmarks.research.claims "$$CONSILIENCE_DATA/forecasts"; \
	  $(BIN)/python -m benchmarks.research.report "$$CONSILIENCE_DATA/forecasts"; fi
	$(BIN)/python -m benchmarks.models.latency
	$(BIN)/python -m benchmarks.inference.batching
	$(BIN)/python -m benchmarks.inference.overload
	$(BIN)/python -m benchmarks.inference.serving

.PHONY: serving-peers
serving-peers: $(VENV)/.ready | $(UV) ## pytriton and MLServer, each in an environment of its own, to be measured against
	for peer in "pytriton nvidia-pytriton" "mlserver mlserver uvloop<0.22"; do set -- $$peer; name=$$1; shift; \
	  $(UV) venv --quiet --clear --python $(BIN)/python .venvs/$$name; \
	  $(UV) pip install --quiet --python .venvs/$$name/bin/python "$$@"; \
	  $(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	    > "$$(.venvs/$$name/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch_of_the_server.pth"; \
	done

.PHONY: replay-check
replay-check: setup ## replay 10,000 stored predictions of every kind to the same bits
	CONSILIENCE_REPLAYS=10000 $(BIN)/python -m pytest tests/engine/test_replay.py -k same_bits -q -n 0

# --- contract ----------------------------------------------------------------

.PHONY: proto
proto: ## generate the Python stubs from protos/
	$(BIN)/python -m grpc_tools.protoc -I protos \
	  --python_out=$(STUBS) --pyi_out=$(STUBS) --grpc_python_out=$(STUBS) protos/consilience/v1/*.proto
	$(BIN)/python -m grpc_tools.protoc -I protos/inference --include_imports \
	  --descriptor_set_out=server/rpc/inference/protocol.binpb protos/inference/grpc_service.proto

.PHONY: proto-check
proto-check: proto ## lint the contract, refuse breaking changes, want committed stubs
	$(BIN)/buf lint
	@tag=$$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true); \
	if [ -n "$$tag" ]; then $(BIN)/buf breaking --against ".git#tag=$$tag"; \
	else echo "buf breaking: skipped, nothing is released yet"; fi
	@git diff --exit-code --stat -- $(STUBS)/consilience/v1 server/rpc/inference/protocol.binpb || { echo "stubs differ from protos/: run 'make proto' and commit"; exit 1; }

# --- Go: the client, and tools (needs Go 1.23 or newer) ----------------------

GO ?= go
TOOLS := build/tools
GO_INSTALL = GOBIN=$(CURDIR)/$(TOOLS) $(GO) install

$(TOOLS)/ghz:
	$(GO_INSTALL) github.com/bojand/ghz/cmd/ghz@v0.93.0
$(TOOLS)/grpcurl:
	$(GO_INSTALL) github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4
$(TOOLS)/protoc-gen-go:
	$(GO_INSTALL) google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
$(TOOLS)/protoc-gen-go-grpc:
	$(GO_INSTALL) google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2

.PHONY: tools
tools: $(TOOLS)/ghz $(TOOLS)/grpcurl ## install ghz and grpcurl into build/tools

.PHONY: proto-go
proto-go: $(TOOLS)/protoc-gen-go $(TOOLS)/protoc-gen-go-grpc ## generate the Go stubs from protos/
	$(BIN)/buf generate --template clients/go/buf.gen.yaml

# --- load --------------------------------------------------------------------

.PHONY: load
load: $(TOOLS)/ghz ## load every kind of call with ghz; HTML and JSON reports in build/load
	$(BIN)/python -m benchmarks.load.run
