# `make demo` and `make test` are all the set-up a fresh machine needs: Python 3.11 or newer, nothing else.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Byte-code is worth a factor of two at start; some environments switch it off.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test lint system format unit functional test-llama test-modal-matrix smoke-modal bench bench-serving bench-clean docs proto clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.installed ## make the virtual environment and install preheat with its tools

$(VENV)/.installed: pyproject.toml
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit("preheat needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --editable '.[all]' --group dev
	@touch $@

demo: install ## deploy a real model on this machine, call it, show the answers, tear down
	@PATH="$(CURDIR)/$(BIN):$$PATH" PREHEAT_HOME="$(CURDIR)/.preheat" bash examples/demo.sh

test: install system lint ## everything CI runs: style, types, architecture, unit, contract and functional tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

system: install ## install the Debian packages that tests of containers need, as root
	@$(BIN)/python -m tests.system_packages

format: install ## rewrite the sources in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

unit: install ## the fast tests alone
	$(BIN)/python -m pytest -n 2 tests/unit tests/architecture

functional: install system ## the tests that start real runtimes
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests/contract tests/functional

test-modal-matrix: install ## the Modal tests with the oldest and the newest supported client
	for client in oldest newest; do TEST_MODAL_CLIENT=$$client $(BIN)/python -m pytest -n 2 --dist loadgroup tests/functional/modal/test_*.py tests/functional/modal/running || exit 1; done

test-llama: install ## the tests of llama.cpp with the real library, which takes minutes to compile
	TEST_LLAMA=real $(BIN)/python -m pytest tests/functional/handlers/test_llama_cpp.py

smoke-modal: install ## deploy to your own Modal account, call it and remove it: needs a token, costs cents, runs in no CI
	@$(BIN)/preheat status --provider modal
	PREHEAT_REAL=modal $(BIN)/python -m pytest tests/contract --provider modal

bench: install ## cold starts, builds and memory, as ratios measured in one run
	$(BIN)/python -m tests.bench

bench-serving: install ## serving beside FastAPI, LitServe, BentoML, MLServer, Ray Serve and pytriton (BENCH="--quick")
	$(BIN)/python -m tests.bench.serving $(BENCH)

bench-clean: ## remove the environments of the peers
	rm -rf .bench

docs: install ## write the generated pages and the bootstrap stack again
	$(BIN)/python -m preheat.project.reference > docs/configuration.md
	$(BIN)/python -m preheat.cli.reference > docs/cli.md
	$(BIN)/python -m preheat_providers._aws.bootstrap.document > infra/aws/bootstrap.json

proto: install ## write what is generated from the gRPC service again
	cd framework/preheat/runtime/grpc && $(CURDIR)/$(BIN)/python -m grpc_tools.protoc \
	  --proto_path=. --descriptor_set_out=inference.binpb --pyi_out=. inference.proto

clean: bench-clean ## remove what make made
	rm -rf $(VENV) .preheat .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
