from collections.abc import Callable
from http import HTTPStatus

import pytest

from local.sandbox import OAuthAccess, load_hospital
from local.sandbox.app import build_app
from tests.local.sandbox.asgi_client import Client

NORTHFIELD_KEY = {"x-api-key": "sandbox-only-northfield-key"}


@pytest.fixture(scope="session")
def lakeside() -> Client:
    hospital = load_hospital("lakeside")
    return Client(build_app(hospital), hospital.base_path)


@pytest.fixture(scope="session")
def northfield() -> Client:
    hospital = load_hospital("northfield")
    return Client(build_app(hospital), hospital.base_path, NORTHFIELD_KEY)


@pytest.fixture
def anonymous() -> Callable[[str], Client]:
    def client(name: str) -> Client:
        hospital = load_hospital(name)
        return Client(build_app(hospital), hospital.base_path)

    return client


@pytest.fixture
async def riverbend() -> Client:
    hospital = load_hospital("riverbend")
    assert isinstance(hospital.access, OAuthAccess)
    app = build_app(hospital)
    secret = f"client_id={hospital.access.client_id}&client_secret={hospital.access.client_secret}"
    token = await Client(app, "").form(hospital.access.token_path, f"grant_type=client_credentials&{secret}")
    assert token.status == HTTPStatus.OK
    return Client(app, hospital.base_path, {"authorization": f"Bearer {token.json['access_token']}"})
