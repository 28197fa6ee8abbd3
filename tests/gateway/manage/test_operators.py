from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from gateway.errors import RoleRequired, SignInRequired, StorageUnavailable
from gateway.manage.authority import Authority
from gateway.manage.operators import ADMIN, READER, Operators, issue_operator_token
from gateway.secrets import FileSecretStore
from gateway.settings import Settings

KEYS = [generate_private_key(65537, 2048) for _ in range(2)]


@dataclass
class Entra:
    """Plays Entra's metadata and keys."""

    url: str = ""
    keys: dict[str, RSAPrivateKey] = field(default_factory=lambda: {"one": KEYS[0]})
    reads: int = 0
    broken: bool = False
    time: float = 1_800_000_000.0

    async def configuration(self, request: web.Request) -> web.Response:
        self.reads += 1
        if self.broken:
            raise web.HTTPServiceUnavailable
        tenant = request.match_info["tenant"]
        base = f"{self.url}/{tenant}"
        return web.json_response({"issuer": f"{base}/v2.0", "jwks_uri": f"{base}/discovery/v2.0/keys"})

    async def jwks(self, _request: web.Request) -> web.Response:
        keys = [
            RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig"}
            for kid, key in self.keys.items()
        ]
        return web.json_response({"keys": [*keys, {"kty": "EC", "kid": "other"}]})

    def opened(self, settings: Settings, session: aiohttp.ClientSession) -> Authority:
        tenant = settings.entra_tenant_id
        return Authority(f"{self.url}/{tenant}/v2.0", tenant, session, lambda: self.time)

    def token(self, settings: Settings, kid: str = "one", key: RSAPrivateKey | None = None, **claims: Any) -> str:  # noqa: ANN401  # JWT claims
        tenant = settings.entra_tenant_id
        given = {
            "iss": f"{self.url}/{tenant}/v2.0",
            "aud": settings.entra_client_id,
            "tid": tenant,
            "exp": self.time + 3600,
            "nbf": self.time - 10,
            "oid": "11111111-2222-3333-4444-555555555555",
            "preferred_username": "operator@hospital.example",
            "roles": [ADMIN],
        }
        signed = {name: value for name, value in (given | claims).items() if value is not None}
        return "Bearer " + jwt.encode(signed, key or self.keys[kid], "RS256", headers={"kid": kid})


@pytest.fixture
async def authority() -> AsyncIterator[Entra]:
    authority = Entra()
    app = web.Application()
    app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", authority.configuration)
    app.router.add_get("/{tenant}/discovery/v2.0/keys", authority.jwks)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    authority.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield authority
    await runner.cleanup()


@pytest.fixture
def operators(
    settings: Settings, secrets: FileSecretStore, session: aiohttp.ClientSession, authority: Entra
) -> Operators:
    return Operators(settings, secrets, authority.opened(settings, session))


async def test_an_admin_is_let_in_and_named(operators: Operators, authority: Entra, settings: Settings) -> None:
    operator = await operators.verify(authority.token(settings))
    assert operator.name == "operator@hospital.example (11111111-2222-3333-4444-555555555555)"
    operator.require(ADMIN)
    operator.require(READER)


async def test_a_reader_only_reads(operators: Operators, authority: Entra, settings: Settings) -> None:
    operator = await operators.verify(
        authority.token(settings, aud=f"api://{settings.entra_client_id}", roles=[READER])
    )
    operator.require(READER)
    with pytest.raises(RoleRequired):
        operator.require(ADMIN)


@pytest.mark.parametrize("roles", [None, [], ["Other.Role"], "Gateway.Admin", [{"a": 1}]])
async def test_without_an_app_role_nothing_is_possible(
    operators: Operators, authority: Entra, settings: Settings, roles: object
) -> None:
    operator = await operators.verify(authority.token(settings, roles=roles))
    with pytest.raises(RoleRequired):
        operator.require(READER)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-app"},
        {"aud": None},
        {"iss": "https://login.example/other/v2.0"},
        {"tid": "another-tenant"},
        {"tid": None},
        {"exp": 1_800_000_000.0 - 61},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": 1_800_000_000.0 + 61},
        {"key": KEYS[1]},
    ],
)
async def test_a_token_that_is_not_for_here_is_refused(
    operators: Operators, authority: Entra, settings: Settings, claims: dict[str, Any]
) -> None:
    with pytest.raises(SignInRequired) as error:
        await operators.verify(authority.token(settings, **claims))
    assert 'error="invalid_token"' in error.value.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic eA==", "Bearer x", "Bearer a.b.c", "Bearer " + "x" * 20_000]
)
async def test_no_token_is_no_entry(operators: Operators, header: str | None) -> None:
    with pytest.raises(SignInRequired):
        await operators.verify(header)


async def test_an_unsigned_token_or_one_signed_with_the_public_key_is_refused(
    operators: Operators, authority: Entra, settings: Settings
) -> None:
    good = authority.token(settings).removeprefix("Bearer ")
    claims = jwt.decode(good, options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", "none", headers={"kid": "one"})
    confused = jwt.encode(claims, "public key used as a shared secret", "HS256", headers={"kid": "one"})
    for token in (unsigned, confused):
        with pytest.raises(SignInRequired):
            await operators.verify(f"Bearer {token}")


async def test_keys_are_read_once_a_day_and_when_the_authority_rotated(
    operators: Operators, authority: Entra, settings: Settings
) -> None:
    for _ in range(5):
        await operators.verify(authority.token(settings))
    assert authority.reads == 1
    authority.keys = {"two": KEYS[1]}
    authority.time += 61
    await operators.verify(authority.token(settings, kid="two"))
    assert authority.reads == 2
    with pytest.raises(SignInRequired):
        await operators.verify(authority.token(settings, kid="one", key=KEYS[0]))
    authority.time += 24 * 3600
    await operators.verify(authority.token(settings, kid="two"))
    assert authority.reads == 3


async def test_made_up_key_ids_do_not_flood_the_authority(
    operators: Operators, authority: Entra, settings: Settings
) -> None:
    await operators.verify(authority.token(settings))
    for number in range(20):
        with pytest.raises(SignInRequired):
            await operators.verify(authority.token(settings, kid=f"made-up-{number}", key=KEYS[0]))
    assert authority.reads == 1


async def test_while_the_authority_is_down_the_known_keys_serve(
    operators: Operators, authority: Entra, settings: Settings
) -> None:
    authority.broken = True
    with pytest.raises(StorageUnavailable):
        await operators.verify(authority.token(settings))
    authority.broken, authority.time = False, authority.time + 61
    await operators.verify(authority.token(settings))
    authority.broken, authority.time = True, authority.time + 2 * 24 * 3600
    await operators.verify(authority.token(settings))


async def test_the_stacks_token_works_until_the_next_one(operators: Operators, secrets: FileSecretStore) -> None:
    first = await issue_operator_token(secrets)
    (await operators.verify(f"Bearer {first}")).require(ADMIN)
    assert first not in (secrets._folder / "operator-token").read_text()
    second = await issue_operator_token(secrets)
    (await operators.verify(f"bearer {second}")).require(ADMIN)
    with pytest.raises(SignInRequired):
        await operators.verify(f"Bearer {first}")


async def test_where_there_is_a_key_vault_the_stacks_token_is_nothing(
    settings: Settings, secrets: FileSecretStore, session: aiohttp.ClientSession, authority: Entra
) -> None:
    token = await issue_operator_token(secrets)
    in_azure = Settings.model_validate(settings.model_dump() | {"key_vault_url": "https://vault.example"})
    operators = Operators(in_azure, secrets, authority.opened(in_azure, session))
    with pytest.raises(SignInRequired):
        await operators.verify(f"Bearer {token}")


async def test_without_entra_settings_only_the_stacks_token_works(
    settings: Settings, secrets: FileSecretStore, session: aiohttp.ClientSession, authority: Entra
) -> None:
    bare = settings.model_copy(update={"entra_tenant_id": None, "entra_client_id": None})
    operators = Operators(bare, secrets, authority.opened(bare, session))
    with pytest.raises(SignInRequired):
        await operators.verify(authority.token(settings))
    assert authority.reads == 0
