"""The real function app in this process, with its service."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.service import Service
from local.worker.application import Application, load

ROOT = Path(__file__).parents[1]


@asynccontextmanager
async def running_app(base_url: str, environment: dict[str, str]) -> AsyncIterator[tuple[Application, Service]]:
    """Load it under `base_url` with these settings, private upstreams allowed; its service is closed at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", list(sys.path))
        patch.delitem(sys.modules, "function_app", raising=False)
        for name, value in {"PUBLIC_BASE_URL": base_url, "ALLOW_PRIVATE_UPSTREAMS": "true", **environment}.items():
            patch.setenv(name, value)
        application = await load(ROOT)
        service: Service = sys.modules["function_app"]._app.service
        try:
            yield application, service
        finally:
            await service.uses.settle()
            await service.close()
