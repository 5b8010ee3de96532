# make demo   the default question, from nothing     make test   what must pass before a commit
# make lint   style, types and import floors          make check  that, and what takes longer
# make bench  how fast is it here
PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Where PYTHONDONTWRITEBYTECODE is set nothing would ever be compiled, and every import would be slow.
COMPILE := $(BIN)/python -m compileall -q -j 2 -x '/tests?/'

.PHONY: demo test check lint bench clean

demo: $(VENV)/.installed
	@$(COMPILE) omnisim
	$(BIN)/python -m omnisim $(ARGS)

test: lint
	@$(COMPILE) omnisim
	$(BIN)/python -m pytest -n 2 -m 'not slow'

check: lint
	@$(COMPILE) omnisim
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed
	$(BIN)/python -m omnisim bench $(ARGS)

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "Installing omnisim into $(VENV); the first time takes a few minutes."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@$(COMPILE) $(VENV)/lib omnisim || true
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
	@command -v chromium >/dev/null || { apt-get -qq update && apt-get -qq install --yes \
	  --no-install-recommends chromium; } || echo "Tests of the workshop need Chromium: install it."
	@$(COMPILE) $(VENV)/lib omnisim || true
	touch $@
