# Two commands matter: `make course` grades a class from a fresh clone, `make test` runs every test.
SHELL := /bin/bash
.PHONY: help course test build solutions bank bench bench-grading bench-attacks lint clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

course: ## environment, build, simulate a class, grade it, write feedback and report
	@tools/course.sh

test: ## everything: lint, types, unit tests, bank, attacks, notebooks, browser
	@tools/test.sh

build: ## source/ and release/ from the manuscript
	@. tools/steps.sh && environment instructors && $$VENV/bin/coursework build

solutions: ## execute the solution notebooks whose inputs changed
	@. tools/steps.sh && environment instructors && $$VENV/bin/coursework build --solutions

bank: ## prove that hidden tests accept every right answer and reject every wrong one
	@. tools/steps.sh && environment tests && $$VENV/bin/coursework bank check

bench: ## time of the reference layers beside torch.nn
	@. tools/steps.sh && environment tests && $$VENV/bin/python -m tests.bench.layers

bench-grading: ## a class graded by stock nbgrader and by ours, side by side
	@. tools/steps.sh && environment tests && $$VENV/bin/python -m tests.bench.grading

bench-attacks: ## what attacks on the grader achieve, here and with stock nbgrader
	@. tools/steps.sh && environment tests && $$VENV/bin/python -m tests.attacks.bench

lint: ## ruff and mypy
	@. tools/steps.sh && environment tests && $$VENV/bin/ruff check . && $$VENV/bin/ruff format --check . && $$VENV/bin/mypy

clean: ## remove what can be made again (not the virtual environment)
	rm -rf build autograded/*/ feedback report submitted gradebook.db .pytest_cache .mypy_cache .ruff_cache .hypothesis
