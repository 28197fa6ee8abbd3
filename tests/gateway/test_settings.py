import json
import re
from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError, load_settings, setting_names
from gateway.versions import FhirVersion

ROOT = Path(__file__).parents[2]
CONTRACT = [
    "PUBLIC_BASE_URL",
    "TABLES_CONNECTION",
    "TABLES_CONNECTION__tableServiceUri",
    "TABLES_CONNECTION__clientId",
    "KEY_VAULT_URL",
    "DEFAULT_FHIR_VERSION",
    "TOKEN_LIFETIME_SECONDS",
    "CACHE_TTL_SECONDS",
    "CACHE_STALE_SECONDS",
    "UPSTREAM_TIMEOUT_SECONDS",
    "MAX_BODY_BYTES",
    "MAX_BATCH_ENTRIES",
    "TENANT_MAX_CONCURRENCY",
    "CLIENT_RATE_PER_SECOND",
    "ALLOW_PRIVATE_UPSTREAMS",
    "ENTRA_TENANT_ID",
    "ENTRA_CLIENT_ID",
    "ENTRA_CLIENT_SECRET",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "LOG_LEVEL",
]
# Read by the Functions host, not by the app.
OF_THE_HOST = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsSecretStorageType"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in setting_names().values():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://gateway.example/")
    monkeypatch.setenv("TABLES_CONNECTION", "UseDevelopmentStorage=true")


def test_every_name_of_the_contract_is_a_setting() -> None:
    assert set(CONTRACT) <= set(setting_names().values())


def test_the_sample_file_holds_exactly_the_settings() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert set(sample) - OF_THE_HOST == set(setting_names().values())


def test_the_sample_file_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in json.loads((ROOT / "local.settings.sample.json").read_text())["Values"].items():
        monkeypatch.setenv(name, value)
    assert load_settings().default_fhir_version is FhirVersion.STU3


def test_the_sample_file_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = load_settings().model_dump(exclude={"public_base_url", "tables_connection", "allow_private_upstreams"})
    for name, value in json.loads((ROOT / "local.settings.sample.json").read_text())["Values"].items():
        monkeypatch.setenv(name, value)
    assert load_settings().model_dump(include=set(defaults)) == defaults


def test_the_documentation_lists_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`|[^`].*?) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    documented = dict(rows)
    assert set(documented) == set(setting_names().values())
    for field, name in setting_names().items():
        default = Settings.model_fields[field].default
        if documented[name]:
            assert str(default).lower() == documented[name].lower()
        else:
            assert default is None or Settings.model_fields[field].is_required()


def test_an_empty_value_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_LIFETIME_SECONDS", "")
    assert load_settings().token_lifetime_seconds == 3600


def test_the_identity_form_replaces_the_connection_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLES_CONNECTION")
    monkeypatch.setenv("TABLES_CONNECTION__tableServiceUri", "https://account.table.core.windows.net/")
    monkeypatch.setenv("TABLES_CONNECTION__clientId", "3d5a6f6e-0000-4000-8000-000000000000")
    settings = load_settings()
    assert settings.tables_connection is None
    assert str(settings.tables_connection_service_uri) == "https://account.table.core.windows.net/"


def test_addresses_derive_from_the_public_base_url() -> None:
    settings = load_settings()
    assert settings.fhir_base_url == "https://gateway.example/fhir"
    assert settings.token_url == "https://gateway.example/oauth2/token"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_BASE_URL", "gateway"),
        ("DEFAULT_FHIR_VERSION", "r9"),
        ("TOKEN_LIFETIME_SECONDS", "0"),
        ("TOKEN_LIFETIME_SECONDS", "soon"),
        ("CACHE_TTL_SECONDS", "0"),
        ("CACHE_STALE_SECONDS", "-1"),
        ("UPSTREAM_TIMEOUT_SECONDS", "0"),
        ("MAX_BODY_BYTES", "10"),
        ("MAX_BATCH_ENTRIES", "0"),
        ("TENANT_MAX_CONCURRENCY", "0"),
        ("CLIENT_RATE_PER_SECOND", "-1"),
        ("ALLOW_PRIVATE_UPSTREAMS", "perhaps"),
        ("KEY_VAULT_URL", "vault"),
        ("LOG_LEVEL", "LOUD"),
        ("TABLES_CONNECTION__tableServiceUri", "account"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert str(error.value).startswith(f"{name}: ")
    assert "\n" not in str(error.value)


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBLIC_BASE_URL")
    with pytest.raises(SettingsError, match=r"^PUBLIC_BASE_URL: is missing$"):
        load_settings()


@pytest.mark.parametrize("both", [True, False])
def test_storage_is_named_exactly_once(monkeypatch: pytest.MonkeyPatch, both: bool) -> None:
    if both:
        monkeypatch.setenv("TABLES_CONNECTION__tableServiceUri", "https://account.table.core.windows.net/")
    else:
        monkeypatch.delenv("TABLES_CONNECTION")
    with pytest.raises(SettingsError, match=r"TABLES_CONNECTION .*or TABLES_CONNECTION__tableServiceUri"):
        load_settings()


def test_a_secret_value_is_never_in_the_message_or_the_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLES_CONNECTION", "AccountKey=very-secret")
    monkeypatch.setenv("ENTRA_CLIENT_SECRET", "another-secret")
    assert "secret" not in repr(load_settings()).replace("entra_client_secret", "")
    monkeypatch.setenv("LOG_LEVEL", "very-secret")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert "very-secret" not in str(error.value)
