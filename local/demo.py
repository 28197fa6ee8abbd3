import signal
import sys
from contextlib import suppress

from rich.console import Console

from local.places import state_folder
from local.running import running_stack, take_down
from local.stack import Report, bring_up
from local.stack_file import Stack, stack_path
from local.walkthrough import default_visits, walk


def run(report: Report, *, once: bool) -> int:
    """Bring the stack up, walk through it and serve until Ctrl-C; with `once`, stop after the walk-through.

    Returns 0 when every call succeeded and every table has rows, and after Ctrl-C. A stack that is up already
    is walked through and left running. Raises LocalFailure when it cannot start.
    """
    stack = running_stack()
    if stack is not None:
        report(f"already up at {stack.base_url}: the walk-through uses that stack and leaves it running")
        return _walk(stack)
    stack = bring_up(report)
    try:
        outcome = _walk(stack)
        if once:
            return outcome
        _serve_until_interrupted(stack, report)
        report("\nstopping…")
        return 0
    finally:
        take_down()


def _serve_until_interrupted(stack: Stack, report: Report) -> None:
    # Ctrl-C may come as soon as the last line is out.
    with suppress(KeyboardInterrupt):
        _say_where(stack, report)
        signal.pause()


def _walk(stack: Stack) -> int:
    console = Console(width=None if sys.stdout.isatty() else 120)
    problems = walk(stack, default_visits(stack), console)
    for problem in problems:
        print(f"problem: {problem}", file=sys.stderr)
    if not problems:
        console.print(f"every call at {len(stack.tenants)} tenants succeeded")
    return 1 if problems else 0


def _say_where(stack: Stack, report: Report) -> None:
    report(f"\nFHIR         {stack.fhir_base_url}/metadata")
    report(f"token        {stack.token_url}")
    report(f"credentials  {stack_path(state_folder())}")
    if stack.portal_url:
        report(f"portal       {stack.portal_url} (works once)")
    report("serving until Ctrl-C")
