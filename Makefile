# Ringscope: every command of the checkout.  `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help run setup test test-pure check format bench wheel bundle docs docs-html clean distclean
SHELL := /bin/sh
PY := .venv/bin/python
ARGS ?=
JOBS ?= 2
export PYTHON

help:
	@echo 'make run      set up what is missing, then open the window (no display: run the tour); ARGS="..." are passed on'
	@echo 'make setup    the set-up alone; .venv/bin/ringscope works after it'
	@echo 'make test     the whole suite: core uncompiled, then everything compiled'
	@echo 'make check    format, lint, types, import contracts, fast tests'
	@echo 'make format   let ruff format and mend what it can'
	@echo 'make bench    measure speed and memory; results in bench.json'
	@echo 'make wheel    build the wheel into dist/'
	@echo 'make bundle   build a folder that runs without installation, and its archive, into dist/'
	@echo 'make docs     the documentation in English and Chinese, HTML and PDF, every figure drawn; make docs-html needs no LaTeX'
	@echo 'make clean    remove what builds and tests made; make distclean removes .venv too'

run:
	@tools/bootstrap.sh
	@exec .venv/bin/ringscope $(ARGS)

setup:
	@tools/bootstrap.sh
	@echo 'Ready: .venv/bin/ringscope'

# The compiled run comes last: its summary is the last thing on the terminal.
test: test-pure
	@echo '== every test, compiled core'
	@RINGSCOPE_EXPECT_COMPILED=1 $(PY) -m pytest -q -n $(JOBS) --dist loadgroup -m "not bench" $(ARGS)

test-pure:
	@tools/bootstrap.sh --extra test
	@echo '== tests of the core, uncompiled (RINGSCOPE_PURE=1)'
	@RINGSCOPE_PURE=1 $(PY) -m pytest -q -n $(JOBS) --dist loadgroup tests/core

check:
	@tools/bootstrap.sh --extra test --extra check
	@tools/step.sh 'format' .venv/bin/ruff format --check .
	@tools/step.sh 'lint' .venv/bin/ruff check .
	@tools/step.sh 'types' $(PY) -m mypy
	@tools/step.sh 'import contracts' .venv/bin/lint-imports
	@tools/step.sh 'fast tests' $(PY) -m pytest -q -n $(JOBS) --dist loadgroup -m 'not slow and not bench'

format:
	@tools/bootstrap.sh --extra check
	@.venv/bin/ruff check --fix-only -q .
	@.venv/bin/ruff format .

bench:
	@tools/bootstrap.sh --extra test
	@$(PY) -m pytest -q -s -m bench tests/bench $(ARGS)

wheel:
	@tools/bootstrap.sh --extra dist
	@tools/step.sh 'wheel' $(PY) -m build --wheel --no-isolation --outdir dist .

bundle:
	@tools/bootstrap.sh --extra dist
	@tools/step.sh 'bundle' $(PY) packaging/bundle/build.py

docs:
	@tools/bootstrap.sh --extra docs --tools latex
	@tools/step.sh 'documentation, English, HTML' $(PY) tools/docs.py html en
	@tools/step.sh 'documentation, Chinese, HTML' $(PY) tools/docs.py html zh
	@tools/step.sh 'documentation, English, PDF' $(PY) tools/docs.py pdf en
	@tools/step.sh 'documentation, Chinese, PDF' $(PY) tools/docs.py pdf zh

docs-html:
	@tools/bootstrap.sh --extra docs
	@tools/step.sh 'documentation, English, HTML' $(PY) tools/docs.py html en
	@tools/step.sh 'documentation, Chinese, HTML' $(PY) tools/docs.py html zh

clean:
	@rm -rf build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache docs/_build packaging/bundle/out
	@find core app resources tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
	@find core -name '*.so' -delete

distclean: clean
	@rm -rf .venv
