# Each target sets up what it needs: the first run creates $(VENV) and installs into it.
VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
JOBS ?= 2
MODULES = __init__.py version.py api.py cli lut profilers reports search supernets

.PHONY: demo test check bench clean

demo: $(VENV)/.demo
	$(BIN)/gnomon demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	ln -sfn $(CURDIR) $(VENV)/gnomon  # so that modules are gnomon.*, whatever the clone is called
	cd $(VENV) && bin/mypy --config-file gnomon/pyproject.toml $(MODULES:%=gnomon/%)
	$(BIN)/python -m pytest -q tests/test_architecture.py

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/cli_startup.py
	$(BIN)/python benchmarks/lut_throughput.py
	$(BIN)/python benchmarks/latency_fidelity.py --backend onnxruntime
	$(BIN)/python benchmarks/latency_fidelity.py --backend openvino
	$(BIN)/python benchmarks/supernet_accuracy.py --data "$$($(BIN)/gnomon data prepare fashion-mnist)"

$(VENV)/.demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[demo]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build *.egg-info gnomon-demo .mypy_cache .ruff_cache .pytest_cache
