# Each target sets up what it needs: the first run creates $(VENV) and installs into it.
VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
PIP = --quiet --disable-pip-version-check --constraint constraints.txt
JOBS ?= 3
BENCH ?= $(VENV)/bench
MODULES = __init__.py version.py errors.py outputs.py temporary.py inputs.py printable.py settings.py api cli lut profilers reports search supernets

.PHONY: demo test test-fast check docs bench bench-search clean

# DRY_RUN=1 says what it would do and how long that takes.
demo: $(VENV)/.demo
	@$(BIN)/gnomon demo $(if $(DRY_RUN),--dry-run)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

test-fast: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow"

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	ln -sfn $(CURDIR) $(VENV)/gnomon  # so that modules are gnomon.*, whatever the clone is called
	cd $(VENV) && bin/mypy --config-file gnomon/pyproject.toml $(MODULES:%=gnomon/%)
	$(BIN)/python -m pytest -q tests/test_architecture.py

# Offline, once everything is installed; the site is then build/docs/html/index.html.
docs: $(VENV)/.dev
	$(BIN)/python docs/site/build_site.py build/docs

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/cli_startup.py
	$(BIN)/python benchmarks/lut_throughput.py
	$(BIN)/python benchmarks/latency_fidelity.py --backend onnxruntime
	$(BIN)/python benchmarks/latency_fidelity.py --backend openvino
	$(BIN)/python benchmarks/supernet_accuracy.py --data "$$($(BIN)/gnomon data prepare fashion-mnist)"
	$(BIN)/python benchmarks/search_shares.py --cache $(VENV)/fashion_validations.jsonl

# Tables of BENCH, as CONTRIBUTING.md says; results stay there, so that an interrupted run goes on.
bench-search: $(VENV)/.dev
	$(BIN)/python -m pip install $(PIP) --editable '.[bench]'
	$(BIN)/python benchmarks/search_efficiency.py --jobs $(JOBS) --landscape ofa --budget 500 \
	  --data $(BENCH)/ofa_mbv3_top1.csv --results $(BENCH)/ofa.jsonl
	$(BIN)/python benchmarks/search_efficiency.py --jobs $(JOBS) --landscape macro --budget 200 \
	  --data $(BENCH)/nas_bench_macro.csv --results $(BENCH)/macro.jsonl
	$(BIN)/python benchmarks/search_efficiency.py --jobs $(JOBS) --landscape fashion --budget 200 \
	  --data $(BENCH)/fashion_validations.jsonl --results $(BENCH)/fashion.jsonl

$(VENV)/.demo: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what this takes into $(VENV): once, some minutes"
	@$(BIN)/python -m pip install $(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what this takes into $(VENV): once, some minutes"
	@$(BIN)/python -m pip install $(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build *.egg-info gnomon-demo .mypy_cache .ruff_cache .pytest_cache
