# `make demo` and `make test` need a Rust toolchain, Python 3.10 or later and a C linker; they set up the rest.
.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-python test-pythons test-oldest test-extension test-host sanitize lint bench docs wheel clean

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BENCHES := .venv-benches
# An absolute path: maturin runs in the packages' own folders.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PACKAGE_SOURCES := $(shell find crates examples/demo/src tests/extension/src -name '*.rs' -o -name '*.toml' | grep -v '/target/') \
                   $(shell find python -name '*.py' -o -name '*.pyi') Cargo.toml Cargo.lock pyproject.toml

help:             ## this list
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  +##' Makefile | sed 's/:.*##/\t/' | expand -t 16

$(BIN)/python:
	$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv $(VENV)

# What the tests, the demo and the benchmarks need beside the package itself.
$(VENV)/.requirements: $(BIN)/python requirements-dev.txt
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	touch $@

$(VENV)/.installed: $(VENV)/.requirements $(PACKAGE_SOURCES)
	$(BIN)/python scripts/install.py $(PYO3_PYTHON) .
	touch $@

$(VENV)/.demo: $(VENV)/.installed
	$(BIN)/python scripts/install.py $(PYO3_PYTHON) examples/demo
	touch $@

$(VENV)/.testing: $(VENV)/.installed
	$(BIN)/python scripts/install.py $(PYO3_PYTHON) tests/extension
	touch $@

demo: $(VENV)/.demo               ## a Python function inside a Rust integrator
	$(BIN)/python examples/demo/demo.py

test: test-rust test-python test-pythons test-extension test-host sanitize  ## every check

test-rust: $(VENV)/.requirements  ## the crates, with and without features
	cargo test --workspace --exclude ringback-python --exclude ringback-demo --exclude ringback-testing --exclude ringback-peers
	cargo test -p ringback --features ndarray,complex,loader
	cargo test -p ringback-runtime --features linear --test linear
	cargo test -p ringback --doc --features pyo3,ndarray pages

test-python: $(VENV)/.demo $(VENV)/.testing  ## the Python package
	$(BIN)/python -m pytest -q

# What links to Python has no place in the tree of a program without it.
test-host: $(VENV)/.installed     ## examples/host: exported functions in a Rust program without Python
	$(BIN)/python examples/host/model.py target/host/model
	$(BIN)/python scripts/host.py target/host/model

test-pythons: $(VENV)/.testing $(VENV)/.demo ## the Python package on each other CPython that is here and that Numba supports
	$(BIN)/python scripts/other_pythons.py

# Not a part of `make test`: as long as that again, and seldom a surprise.
test-oldest: $(VENV)/.testing $(VENV)/.demo ## the Python package and the crates with the oldest versions that they ask for
	$(BIN)/python scripts/oldest.py --crates
	$(BIN)/python scripts/oldest.py

test-extension: $(VENV)/.installed ## examples/extension as a stranger builds and tests it, in an environment of its own
	$(BIN)/python scripts/extension.py

sanitize: $(VENV)/.requirements   ## the core crate's tests under Miri, else AddressSanitizer, else valgrind
	$(BIN)/python scripts/sanitize.py

lint: $(VENV)/.installed          ## rustfmt, clippy, ruff, pyright, rustdoc
	$(BIN)/python -m pip install -q ruff==0.17.6 "pyright[nodejs]==1.1.414"
	cargo fmt --all --check
	cargo fmt --manifest-path examples/extension/Cargo.toml --check
	cargo fmt --manifest-path tests/host/Cargo.toml --check
	cargo fmt --manifest-path examples/host/Cargo.toml --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p ringback --all-targets --features ndarray,complex,loader -- -D warnings
	cargo clippy -p ringback-runtime --all-targets --features linear -- -D warnings
	cargo clippy --manifest-path examples/extension/Cargo.toml --target-dir target/extension --locked --all-targets -- -D warnings
	cargo clippy --manifest-path tests/host/Cargo.toml --target-dir target/host -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features

# The benchmarks' own environment: peers that neither the package nor its tests need.
$(BENCHES)/.requirements: $(BIN)/python benches/requirements.txt
	$(BIN)/python -m venv $(BENCHES)
	$(BENCHES)/bin/python -m pip install -q -r benches/requirements.txt
	touch $@

$(VENV)/.peers: $(VENV)/.installed $(shell find benches/peers -name '*.rs' -o -name '*.toml')
	$(BIN)/python scripts/install.py $(PYO3_PYTHON) benches/peers
	touch $@

$(BENCHES)/.installed: $(BENCHES)/.requirements $(VENV)/.testing $(VENV)/.peers
	$(BENCHES)/bin/python -m pip install -q --force-reinstall --no-deps \
	    target/wheels/package/*.whl target/wheels/extension/*.whl target/wheels/peers/*.whl
	touch $@

bench: $(BENCHES)/.installed      ## ratios to peers; `python benches/run.py --write` writes them down
	$(BENCHES)/bin/python benches/run.py

docs: $(VENV)/.requirements       ## the crates' documentation, in target/doc
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features

wheel: $(VENV)/.requirements      ## dist/ringback-*.whl, for every CPython from 3.10 on
	$(BIN)/maturin build --release --out dist

clean:
	rm -rf $(VENV) .venv-* target dist
