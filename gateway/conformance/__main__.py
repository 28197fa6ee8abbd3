"""`python -m gateway.conformance`: the verb `check` by itself."""

import typer

from gateway.cli.check import check

if __name__ == "__main__":
    typer.run(check)
