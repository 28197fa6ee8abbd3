"""Many small emulated hospitals in one process: `python -m tests.faults.hospitals COUNT FILE` writes their base URLs, a
line each, to FILE and serves until it is stopped.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from tests.upstreams.data import hospital
from tests.upstreams.server import emulate


async def serve(count: int, file: Path) -> None:
    async with AsyncExitStack() as stack:
        resources = hospital("r4", patients=12, encounters=1)
        servers = [await stack.enter_async_context(emulate(resources=resources)) for _ in range(count)]
        fresh = file.with_suffix(".new")
        fresh.write_text("".join(f"{server.base_url}\n" for server in servers))
        fresh.replace(file)
        while True:
            await asyncio.sleep(1)
            for server in servers:
                server.requests.clear()  # nobody looks at them here


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
