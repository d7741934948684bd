#!/usr/bin/env bash
# make test: everything, from a bare clone. PYTEST_ARGS narrows it: PYTEST_ARGS='tests/checking -x' make test
source "$(dirname "$0")/steps.sh"

step "System packages" system_packages bwrap chromium
step "Environment" environment tests
export PATH="$PWD/$VENV/bin:$PATH" OMP_NUM_THREADS=1
step "Format and lint" ruff check .
step "Format" ruff format --check .
step "Types" mypy
step "Tests" pytest -n 2 --dist loadfile ${PYTEST_ARGS:-}
total "All tests passed"
