"""`python -m local up|down|demo`: what the Makefile's targets of these names call."""

import os
import sys

from local.failure import LocalFailure
from local.interrupts import treat_as_ctrl_c
from local.places import state_folder
from local.running import running_stack, take_down
from local.stack_file import stack_path


def main(arguments: list[str]) -> int:
    """Run one command: 0 when it did what it says, 1 when something is in the way, 2 for a usage error."""
    commands = {"up": _up, "down": _down, "demo": _demo}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"usage: python -m local {'|'.join(commands)}", file=sys.stderr)
        return 2
    treat_as_ctrl_c()
    try:
        return commands[arguments[0]]()
    except LocalFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; everything is stopped", file=sys.stderr)
        return 130


def _up() -> int:
    stack = running_stack()
    if stack is not None:
        print(f"already up at {stack.base_url} (make down stops it)")
        return 0
    from local.stack import bring_up  # noqa: PLC0415 -- `down` must work while the gateway's code does not

    stack = bring_up(_report)
    print(f"up at {stack.base_url}; credentials in {stack_path(state_folder())}")
    return 0


def _down() -> int:
    stopped = take_down()
    print(f"stopped {stopped} programs" if stopped else "nothing is up")
    return 0


def _demo() -> int:
    from local import demo  # noqa: PLC0415 -- `down` must work while the gateway's code does not

    return demo.run(_report, once=os.environ.get("ONCE", "") not in ("", "0"))


def _report(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
