import time

from gateway.registry.storage import Storage
from gateway.registry.store import TABLES
from gateway.settings import Settings
from gateway.tokens.revocation import Revocations


async def test_a_revocation_by_an_instance_whose_clock_is_late_is_seen(tables_connection: str) -> None:
    """As late as instances' clocks may differ when keys retire: five minutes."""
    settings = Settings(public_base_url="https://gateway.example", tables_connection=tables_connection)
    storage = Storage.open(settings)
    await storage.ensure(TABLES)
    right, late = Revocations(storage, settings), Revocations(storage, settings, clock=lambda: time.time() - 290)
    assert not await right.revoked("a-token")
    await late.revoke("a-token", time.time() + 600)
    right._reads.forget("revoked")
    assert await right.revoked("a-token")
    await storage.close()
