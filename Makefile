# Two commands are enough: `make bench` and `make test`. Both install what is missing (Debian: apt-get, as root).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/pip --quiet --disable-pip-version-check

.PHONY: bench test test-lab test-cluster lint perf truth fuzz faults soak system requirements clean help

fuzz: $(READY) ## fuzz every parser, coverage-guided, for SECONDS (60) each; needs atheris (extra fuzz)
	$(PIP) install --require-hashes --only-binary :all: --requirement requirements/fuzz.txt
	nice -n 19 $(BIN)/python -m tests.fuzz $(or $(SECONDS),60) $(TARGETS)

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

bench: $(READY) ## the main job on the lab: same zone, quick profile, three matrices and a report
	$(BIN)/invoke lab.run -- $(BIN)/invoke bench --zone same --profile quick

# What compares no speeds runs several at a time; the tests of a cluster, of which there is one, side by side with the lab's
test: $(READY) ## all tests this machine can run; what is skipped says why
	$(BIN)/pytest -n 4 -m "not lab and not cluster" $(PYTEST_ARGS)
	$(MAKE) --jobs=2 --output-sync=target test-lab test-cluster
	$(BIN)/pytest -m quiet $(PYTEST_ARGS)

test-lab: $(READY)
	$(BIN)/pytest -n 3 -m "lab and not quiet" $(PYTEST_ARGS)

test-cluster: $(READY) # 5: there is none, and all were skipped
	$(BIN)/pytest -m "cluster and not quiet" $(PYTEST_ARGS) || [ $$? = 5 ]

lint: $(READY) ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

perf: $(READY) ## benchmarks: ratios and overheads measured in one run
	$(BIN)/pytest -q -s tests/benchmarks/bench_startup.py tests/benchmarks/bench_overhead.py --override-ini=python_files='bench_*.py'

truth: $(READY) ## what netbench claims against what is true, simulated and in the lab (40 minutes)
	$(BIN)/pytest -q -s tests/benchmarks/bench_truth.py tests/benchmarks/bench_precision.py tests/benchmarks/bench_lab_truth.py --override-ini=python_files='bench_*.py'

faults: $(READY) ## 200 faults at random moments of runs in the lab (FAULTS=N; half an hour), and some on a cluster
	NETBENCH_FAULTS=$(or $(FAULTS),200) $(BIN)/pytest -q -n 3 tests/faults
	NETBENCH_CLUSTER_FAULTS=5 $(BIN)/pytest -q tests/e2e/test_cluster_faults.py || [ $$? = 5 ]

soak: $(READY) ## 500 steps in a row: memory, threads and file descriptors
	$(BIN)/pytest -q -s tests/benchmarks/bench_soak.py --override-ini=python_files='bench_*.py'

system:
	@.ci/system-packages

# Wheels alone, by their hashes: nothing is built with what no hash stands for
$(READY): setup.cfg pyproject.toml requirements/dev.txt .ci/system-packages
	@.ci/system-packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "netbench needs Python 3.10 or later: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --only-binary :all: --requirement requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# For every Python from 3.10 on. uv is in a venv of its own; it chooses, and what is installed is what its hashes say
UV := $(VENV)/uv
BUILD := setuptools>=64
COMPILE := $(UV)/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-emit-index-url \
  --no-annotate --custom-compile-command "make requirements" $(UPGRADE)

requirements: ## make requirements/*.txt again after a change of setup.cfg; UPGRADE=--upgrade takes the newest releases
	$(PYTHON) -m venv $(UV)
	$(UV)/bin/pip install --quiet --disable-pip-version-check --upgrade uv
	echo '$(BUILD)' | $(COMPILE) setup.cfg - --output-file requirements/core.txt
	echo '$(BUILD)' | $(COMPILE) setup.cfg - --extra dev --constraint requirements/core.txt --output-file requirements/dev.txt
	$(COMPILE) requirements/fuzz.in --output-file requirements/fuzz.txt
	rm -rf $(UV)

clean: ## remove the virtual environment and caches; runs under reports/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache netbench.egg-info
