from gateway.registry.expiring import ExpiringRows
from gateway.registry.storage import Storage
from gateway.registry.store import ASSERTIONS


class UsedAssertions(ExpiringRows):
    """The assertions that were used and have not ended yet; a row's key is the assertion's digest."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage.table(ASSERTIONS))
