import json
import re
from pathlib import Path

import pycep
import pytest

from gateway.settings import setting_names

REPOSITORY = Path(__file__).parents[2]
INFRA = REPOSITORY / "infra"
FILES = sorted(INFRA.rglob("*.bicep"))

# Built-in roles of Azure, by the GUIDs that its documentation lists.
ROLES = {
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
# Local only, or the other form of a setting that Bicep sets.
NOT_IN_AZURE = {"TABLES_CONNECTION", "LOCAL_KEYS_DIR"}
# Of the host and the worker, not of the service.
PLATFORM = {
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "PYTHON_ENABLE_OPENTELEMETRY",
    "TABLES_CONNECTION__credential",
}


def module(name: str) -> str:
    return (INFRA / "modules" / f"{name}.bicep").read_text(encoding="utf-8")


def everything() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in FILES)


def app_settings() -> dict[str, str]:
    found = re.search(r"name: 'appsettings'\n  properties: \{\n(.*?)\n  \}", module("function-app"), re.DOTALL)
    assert found is not None
    return dict(re.findall(r"^    (\w+): (.*)$", found.group(1), re.MULTILINE))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_parses(path: Path) -> None:
    assert pycep.BicepParser().parse(text=path.read_text(encoding="utf-8"))


def test_every_module_is_used_and_every_used_module_is_there() -> None:
    main = (INFRA / "main.bicep").read_text(encoding="utf-8")
    assert set(re.findall(r"'modules/([\w-]+)\.bicep'", main)) == {
        path.stem for path in (INFRA / "modules").glob("*.bicep")
    }


def test_each_module_is_given_exactly_its_parameters() -> None:
    main = (INFRA / "main.bicep").read_text(encoding="utf-8")
    for name, body in re.findall(r"'modules/([\w-]+)\.bicep' =.*?params: \{\n(.*?)\n  \}", main, re.DOTALL):
        given = set(re.findall(r"^    (\w+):", body, re.MULTILINE))
        assert given == set(re.findall(r"^param (\w+)", module(name), re.MULTILINE)), name


def test_outputs_that_are_read_exist() -> None:
    main = (INFRA / "main.bicep").read_text(encoding="utf-8")
    files = dict(re.findall(r"^module (\w+) 'modules/([\w-]+)\.bicep'", main, re.MULTILINE))
    for symbol, output in re.findall(r"(\w+)!?\.outputs\.(\w+)", main):
        assert re.search(rf"^output {output} ", module(files[symbol]), re.MULTILINE), f"{symbol}.{output}"


def test_parameter_file_names_parameters_of_main() -> None:
    main = (INFRA / "main.bicep").read_text(encoding="utf-8")
    given = re.findall(r"^param (\w+) =", (INFRA / "main.bicepparam").read_text(encoding="utf-8"), re.MULTILINE)
    declared = dict(re.findall(r"^param (\w+) \w+( =)?", main, re.MULTILINE))
    assert set(given) <= set(declared)
    assert {name for name, default in declared.items() if not default} <= set(given)


def test_outputs_of_main_are_upper_snake() -> None:
    main = (INFRA / "main.bicep").read_text(encoding="utf-8")
    names = re.findall(r"^output (\w+)", main, re.MULTILINE)
    assert names
    assert all(re.fullmatch(r"[A-Z][A-Z_]*[A-Z]", name) for name in names)


def test_settings_are_those_of_the_settings_class_and_the_sample() -> None:
    sample = json.loads((REPOSITORY / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    in_bicep = set(app_settings()) - PLATFORM
    assert in_bicep == set(setting_names().values()) - NOT_IN_AZURE
    assert in_bicep <= set(sample)


def test_constant_settings_have_the_defaults_of_the_sample() -> None:
    sample = json.loads((REPOSITORY / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    constants = {
        name: value.strip("'")
        for name, value in app_settings().items()
        if value.startswith("'") and "$" not in value and name not in PLATFORM
    }
    assert constants.pop("ALLOW_PRIVATE_UPSTREAMS") == "false"
    assert constants == {name: sample[name] for name in constants}


@pytest.mark.parametrize(
    "name",
    [
        "FUNCTIONS_WORKER_RUNTIME",
        "FUNCTIONS_EXTENSION_VERSION",
        "FUNCTIONS_MAX_HTTP_CONCURRENCY",
        "WEBSITE_RUN_FROM_PACKAGE",
        "SCM_DO_BUILD_DURING_DEPLOYMENT",
        "ftpsState",
        "linuxFxVersion",
        "alwaysOn",
        "functionAppScaleLimit",
    ],
)
def test_what_flex_consumption_gave_up_is_not_set(name: str) -> None:
    assert name not in everything()


def test_client_secret_is_a_key_vault_reference() -> None:
    text = module("function-app")
    assert "'@Microsoft.KeyVault(SecretUri=${keyVaultUrl}secrets/entra-client-secret)'" in text
    assert "keyVaultReferenceIdentity: identityResourceId" in text


def test_only_the_listed_roles_are_assigned() -> None:
    guids = set(re.findall(r"'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'", everything()))
    assert guids == set(ROLES)


def test_app_reads_secrets_and_only_the_key_operator_writes_them() -> None:
    text = module("key-vault")
    app = re.search(r"resource appReads .*?\n}", text, re.DOTALL)
    operator = re.search(r"resource operatorWrites .*?\n}", text, re.DOTALL)
    assert app is not None
    assert operator is not None
    assert "secretsUser" in app.group()
    assert "secretsOfficer" not in app.group()
    assert "principalId: keyOperatorPrincipalId" in operator.group()
    assert "secretsOfficer" in operator.group()


def test_the_operator_writes_exports_and_the_app_does_not() -> None:
    text = module("data-storage")
    exports = re.search(r"resource operatorWritesExports .*?\n}", text, re.DOTALL)
    assert exports is not None
    assert "scope: exports" in exports.group()
    assert "principalId: operatorPrincipalId" in exports.group()
    assert text.count("blobDataContributor)") == 2  # its name and its role
    app = re.search(r"resource appWritesTables .*?\n}", text, re.DOTALL)
    assert app is not None
    assert "tableDataContributor" in app.group()


@pytest.mark.parametrize("name", ["host-storage", "data-storage"])
def test_storage_takes_identities_and_tls_only(name: str) -> None:
    text = module(name)
    for line in (
        "allowSharedKeyAccess: false",
        "allowBlobPublicAccess: false",
        "minimumTlsVersion: 'TLS1_2'",
        "supportsHttpsTrafficOnly: true",
    ):
        assert line in text


def test_data_is_copied_to_another_region() -> None:
    text = module("data-storage")
    allowed = text[: text.index("param redundancy")].rpartition("@allowed([")[2]
    # Geo-redundant kinds of storage have a G in their name, local and zonal ones have none.
    kinds = re.findall(r"'Standard_(\w+)'", allowed)
    assert kinds
    assert all("G" in kind for kind in kinds)
    assert "name: redundancy" in text


def test_vault_keeps_what_is_deleted() -> None:
    text = module("key-vault")
    for line in ("enablePurgeProtection: true", "enableRbacAuthorization: true", "enableSoftDelete: true"):
        assert line in text


def test_telemetry_takes_identities_only_and_is_capped() -> None:
    text = module("monitoring")
    for line in ("DisableLocalAuth: true", "dailyQuotaGb: dailyCapGigabytes", "cap: dailyCapGigabytes"):
        assert line in text


def test_app_is_flex_consumption_on_python_313() -> None:
    text = module("function-app")
    for line in (
        "name: 'FC1'",
        "tier: 'FlexConsumption'",
        "version: '3.13'",
        "httpsOnly: true",
        "minTlsVersion: '1.2'",
        "type: 'UserAssignedIdentity'",
        "perInstanceConcurrency: perInstanceConcurrency",
    ):
        assert line in text
    versions = re.findall(r"'Microsoft\.Web/[\w/]+@(\d{4}-\d\d-\d\d)'", text)
    assert versions
    assert min(versions) >= "2025-03-01"


def test_only_diagnostic_settings_use_a_preview_version() -> None:
    previews = set(re.findall(r"'([\w./]+)@[\d-]+-preview'", everything()))
    assert previews == {"Microsoft.Insights/diagnosticSettings"}  # it has no other


def test_no_secret_leaves_or_enters_in_the_open() -> None:
    text = everything()
    assert not re.search(r"\blist\w*\(", text)  # listKeys and its kin
    for line in re.findall(r"^(?:param|output) .*$", text, re.MULTILINE):
        assert not re.search(r"secret|password|connectionstring|\bkey\b", line, re.IGNORECASE), line


def test_concurrency_is_the_one_that_was_measured() -> None:
    main = (INFRA / "main.bicep").read_text(encoding="utf-8")
    chosen = re.search(r"^param perInstanceConcurrency int = (\d+)$", main, re.MULTILINE)
    assert chosen is not None
    assert f"`perInstanceConcurrency` = {chosen.group(1)}" in (REPOSITORY / "docs" / "operating.md").read_text(
        encoding="utf-8"
    )
