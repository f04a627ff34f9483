# Two commands are enough: `make bench` and `make test`. Both install what is missing (Debian: apt-get, as root).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/pip --quiet --disable-pip-version-check
SUITE := .ci/suite $(if $(PYTEST_ARGS),--may-be-empty) # -k may leave nothing of a suite

.PHONY: bench test test-long test-long-many test-long-cluster lint perf truth fuzz faults soak system requirements clean help

fuzz: $(READY) ## fuzz every parser, coverage-guided, for SECONDS (60) each; needs atheris (extra fuzz)
	$(PIP) install --require-hashes --only-binary :all: --requirement requirements/fuzz.txt
	nice -n 19 $(BIN)/python -m tests.fuzz $(or $(SECONDS),60) $(TARGETS)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

bench: $(READY) ## the main job on the lab: same zone, quick profile, three matrices and a report
	$(BIN)/invoke lab.run -- $(BIN)/invoke bench --zone same --profile quick

# Several at a time: most of the time of a test is waiting
test: $(READY) ## for newcomers, under 15 minutes: what this machine can run of the unit and lab tests; what is skipped says why
	@$(SUITE) "unit tests" $(BIN)/pytest -n 4 -m "not long and not lab" $(PYTEST_ARGS)
	@$(SUITE) "lab tests" $(BIN)/pytest -n 3 -m "not long and lab" $(PYTEST_ARGS)

# These measure what an attack costs, or run many campaigns at a time: beside others they would measure those
ATTACKS := tests/hostile/test_endpoint.py tests/run/test_races.py tests/run/test_attacks.py

# The cluster's tests, of which there is one, side by side with the others; what compares speeds runs alone
test-long: $(READY) ## the rest: faults, attacks, login shells, a cluster where there is one, speeds (half an hour)
	@.ci/system-packages test-long
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-long-many test-long-cluster
	@$(SUITE) "long tests, attacks" $(BIN)/pytest -m long $(ATTACKS) $(PYTEST_ARGS)
	@$(SUITE) "long tests, speeds" $(BIN)/pytest -m "long and quiet" $(PYTEST_ARGS)

test-long-many: $(READY)
	@$(SUITE) "long tests" $(BIN)/pytest -n 3 -m "long and not cluster and not quiet" $(ATTACKS:%=--ignore=%) $(PYTEST_ARGS)

test-long-cluster: $(READY)
	@$(SUITE) $(if $(NETBENCH_TEST_KUBECONFIG),,--may-be-empty) "long tests, cluster" $(BIN)/pytest -m "long and cluster and not quiet" $(PYTEST_ARGS)

lint: $(READY) ## ruff, mypy, import-linter
	@$(SUITE) "ruff" $(BIN)/ruff check .
	@$(SUITE) "ruff format" $(BIN)/ruff format --check .
	@$(SUITE) "mypy" $(BIN)/mypy
	@PYTHONPATH=. $(SUITE) "import contracts" $(BIN)/lint-imports

perf: $(READY) ## start-up against Invoke's, and a step's overhead against an older netbench, as ratios (a quarter of an hour)
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
