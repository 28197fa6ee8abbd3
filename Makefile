.DEFAULT_GOAL := help
.PHONY: help setup demo test up down check bench

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.* ## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r t d; do printf '%-7s %s\n' "$$t" "$$d"; done

setup:
	@scripts/setup

demo: setup ## start everything and play the Patients app (ONCE=1: exit after the walk-through)
	@.venv/bin/python -m local demo

test: setup ## the whole test suite, end to end included
	@.venv/bin/python -m pytest -n 2

up: setup ## the demo's services in the background; writes .local/stack.json
	@.venv/bin/python -m local up

down: setup ## stop what `make up` started
	@.venv/bin/python -m local down

check: setup ## formatter, linter, type checker
	@scripts/check

bench: setup ## speed and memory beside a Node proxy and others (ARGS=--quick: briefly; needs wrk)
	@.venv/bin/python -m bench.run $(ARGS)
