"""Tenants, clients and their hashed secrets: what the operator sets up, kept in Table Storage.

`Registry` reads and changes rows and always sees the newest; `Directory` answers the hot path from a cache that is at
most `CACHE_TTL_SECONDS` old and outlives a storage failure by `CACHE_STALE_SECONDS`.
"""

from gateway.registry.directory import Directory
from gateway.registry.models import Client, ClientSecret, Stored, Tenant
from gateway.registry.store import Registry

__all__ = ["Client", "ClientSecret", "Directory", "Registry", "Stored", "Tenant"]
