"""Create signing key and pepper in Key Vault where they are missing. No secret is printed or leaves this process but
towards the vault.
"""

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.secrets import KeyVaultSecretStore, SecretsUnavailable
from gateway.tokens.keys import Keys

_PAUSE_SECONDS = 10


async def create(vault_url: str, wait: float) -> None:
    """Ensure both, as the signed-in identity. A new role assignment takes some minutes to work, so it is tried again
    for `wait` seconds. Raises SecretsUnavailable afterwards.
    """
    store = KeyVaultSecretStore(vault_url, client_id=None)
    end = time.monotonic() + wait
    try:
        while True:
            try:
                await Keys(store).ensure()
            except SecretsUnavailable:
                if time.monotonic() >= end:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return
    finally:
        await store.close()


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 both are there, 1 the vault refused or did not answer, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Example: python scripts/first_keys.py --vault-url https://kv-abc.vault.azure.net/ --wait 300",
    )
    parser.add_argument("--vault-url", default=os.environ.get("KEY_VAULT_URL"), help="default: KEY_VAULT_URL")
    parser.add_argument("--wait", type=float, default=300, help="seconds to keep trying (default 300)")
    given = parser.parse_args(arguments)
    if not given.vault_url:
        parser.error("no vault: set KEY_VAULT_URL or give --vault-url")
    try:
        asyncio.run(create(given.vault_url, given.wait))
    except SecretsUnavailable as error:
        print(f"{error}: does this identity hold Key Vault Secrets Officer on the vault?", file=sys.stderr)
        return 1
    print("signing key and pepper are in Key Vault")
    return 0


if __name__ == "__main__":
    sys.exit(main())
