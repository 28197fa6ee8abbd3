import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

# A hospital's slow name server holds a thread for many seconds; those of asyncio's own few do the work of everybody.
_THREADS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="names")


class NameResolver(AbstractResolver):
    """The system's resolver, in threads of its own."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of a host. Raises OSError, which aiohttp makes a ClientConnectorError of."""

        def look_up() -> list[ResolveResult]:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            return [
                ResolveResult(
                    hostname=host,
                    host=str(address[0]),
                    port=port,
                    family=its_family,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
                for its_family, _, protocol, _, address in found
            ]

        return await asyncio.get_running_loop().run_in_executor(_THREADS, look_up)

    async def close(self) -> None:
        pass
