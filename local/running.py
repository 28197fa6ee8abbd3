"""The stack that is up: found and stopped without the gateway's code, which a developer may be changing just now."""

from pathlib import Path

from local import processes
from local.interrupts import deferred
from local.places import state_folder
from local.stack_file import Stack, read_stack, stack_path


def running_stack() -> Stack | None:
    """The stack that is up, None when none is; one that has lost a program does not count as up."""
    programs = processes.read_record(record_path(state_folder()))
    if not programs or not all(map(processes.is_alive, programs)):
        return None
    return read_stack(state_folder())


def take_down() -> int:
    """Stop, in reverse order, exactly what was started; returns how many programs that were."""
    state = state_folder()
    with deferred():
        programs = [program for program in processes.read_record(record_path(state)) if processes.is_alive(program)]
        for program in reversed(programs):
            processes.stop(program)
        record_path(state).unlink(missing_ok=True)
        stack_path(state).unlink(missing_ok=True)
    return len(programs)


def record_path(state: Path) -> Path:
    """Where the programs of the stack of the state folder `state` are remembered."""
    return state / "run" / "programs.json"
