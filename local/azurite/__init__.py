"""Azurite, Microsoft's emulator of Table Storage, pinned by the package-lock.json beside this file."""

from local.azurite.emulator import connection_string, install, is_installed, start, wait_until_ready

__all__ = ["connection_string", "install", "is_installed", "start", "wait_until_ready"]
