"""Tenants, clients and their hashed secrets: what the operator sets up, kept in Table Storage.

`Registry` reads and changes rows and always sees the newest; `Directory` answers the hot path from a cache that is at
most `CACHE_TTL_SECONDS` old and outlives a storage failure by `CACHE_STALE_SECONDS`.
"""

from gateway.registry.directory import Directory
from gateway.registry.models import Client, ClientSecret, Tenant
from gateway.registry.storage import Storage
from gateway.registry.store import Registry
from gateway.registry.table import Page, Stored
from gateway.registry.uses import Uses

__all__ = ["Client", "ClientSecret", "Directory", "Page", "Registry", "Storage", "Stored", "Tenant", "Uses"]
