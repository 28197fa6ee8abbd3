from typing import Any

import pytest

from gateway.audit import By
from gateway.errors import Duplicate, Invalid, InvalidFields, Stale, StorageUnavailable, Unknown, UpstreamBroken
from gateway.manage.changes import public_etag
from gateway.manage.documents import TenantNew, validated
from gateway.manage.operations import Operations
from gateway.registry import Registry, Tenant
from gateway.secrets import FileSecretStore
from gateway.settings import Settings
from gateway.versions import FhirVersion

GUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

type Fields = dict[str, Any]
type Hospital = Any  # conftest's, whose class cannot be imported


async def make(operations: Operations, by: By, fields: Fields, **more: object) -> Tenant:
    made = await operations.tenants.create(by, validated(TenantNew, fields | more))
    return made.stored.value


async def actions(operations: Operations) -> list[tuple[str, str]]:
    return [(entry.change.action, entry.outcome) for entry in (await operations.trail.page(100)).items]


async def test_a_tenant_is_made_recorded_and_announced(
    operations: Operations, by: By, tenant_fields: Fields, changed: list[str]
) -> None:
    made = await operations.tenants.create(by, validated(TenantNew, tenant_fields))
    assert made.created
    assert made.warnings == ()
    assert (await operations.tenants.find(GUID)).value == made.stored.value
    (entry,) = (await operations.trail.page(10)).items
    assert (entry.by, entry.change.action, entry.change.tenant_id) == (by, "tenant.create", GUID)
    assert entry.change.before is None
    assert entry.change.after is not None
    assert entry.change.after["fhir_url"] == tenant_fields["fhir_url"]
    assert changed == [GUID]


@pytest.mark.parametrize(
    ("stated", "version"),
    [("1.0.2", "dstu2"), ("3.0.1", "stu3"), ("3.0.2", "stu3"), ("4.0.0", "r4"), ("4.0.1", "r4")],
)
async def test_auto_takes_the_version_of_the_servers_metadata(
    operations: Operations, by: By, hospital: Hospital, tenant_fields: Fields, stated: str, version: str
) -> None:
    hospital.answer = {"resourceType": "CapabilityStatement", "fhirVersion": stated}
    made = await make(operations, by, tenant_fields, fhir_version="auto")
    assert made.fhir_version == FhirVersion(version)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (UpstreamBroken("The FHIR server cannot be reached."), "cannot be reached"),
        (b"<html>", "not a capability statement"),
        ({"resourceType": "Patient"}, "not a capability statement"),
        ([], "not a capability statement"),
        (503, "status 503"),
        ({"fhirVersion": "5.0.0"}, "5.0.0"),
        ({"fhirVersion": {"no": "text"}}, "are possible"),
    ],
)
async def test_a_version_that_cannot_be_detected_is_an_error_and_beside_a_stated_one_a_warning(
    operations: Operations, by: By, hospital: Hospital, tenant_fields: Fields, answer: object, reason: str
) -> None:
    hospital.answer = answer
    with pytest.raises(Invalid, match=reason) as error:
        await make(operations, by, tenant_fields, fhir_version="auto")
    assert error.value.field == "fhir_version"
    assert await actions(operations) == []
    made = await operations.tenants.create(by, validated(TenantNew, tenant_fields))
    assert made.created
    assert reason in made.warnings[0]


async def test_a_server_of_another_version_than_stated_is_a_warning(
    operations: Operations, by: By, tenant_fields: Fields
) -> None:
    made = await operations.tenants.create(by, validated(TenantNew, tenant_fields | {"fhir_version": "r4"}))
    assert made.stored.value.fhir_version is FhirVersion.R4
    assert made.warnings == ("The FHIR server says that it speaks stu3, not r4.",)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"fhir_url": "http://ehr.example/fhir"}, "fhir_url"),
        ({"fhir_url": "https://10.1.2.3/fhir"}, "fhir_url"),
        ({"fhir_url": "https://[fd00::1]/fhir"}, "fhir_url"),
        ({"fhir_url": "https://localhost/fhir"}, "fhir_url"),
        ({"fhir_url": "https://user:pw@ehr.example/fhir"}, "fhir_url"),
        ({"system": "imaginary"}, "system"),
        ({"auth": {"kind": "basic", "username": "u", "secret": "not-there"}}, "auth.secret"),
        ({"auth": {"kind": "private-key-jwt", "client_id": "c", "key": "not-there"}}, "auth.key"),
        ({"auth": {"kind": "entra", "certificate": "not-there"}}, "auth.certificate"),
        (
            {
                "auth": {
                    "kind": "client-secret-post",
                    "client_id": "c",
                    "secret": "there",
                    "token_url": "http://a.example",
                }
            },
            "auth.token_url",
        ),
    ],
)
async def test_what_the_world_objects_to_names_the_field(
    operations: Operations, by: By, secrets: FileSecretStore, tenant_fields: Fields, fields: Fields, field: str
) -> None:
    await secrets.set("there", "value")
    with pytest.raises(Invalid) as error:
        await make(operations, by, tenant_fields, **fields)
    assert error.value.field == field
    assert field in error.value.public
    assert await actions(operations) == []


async def test_private_addresses_are_possible_where_the_setting_says_so(
    operations: Operations, by: By, settings: Settings, tenant_fields: Fields
) -> None:
    operations.checks._settings = settings.model_copy(update={"allow_private_upstreams": True})
    made = await make(operations, by, tenant_fields, fhir_url="http://127.0.0.1:8080/fhir")
    assert made.fhir_url == "http://127.0.0.1:8080/fhir"


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"tenant_id": "hospital"}, "tenant_id", "must be a GUID such as"),
        ({"tenant_id": None}, "tenant_id", "string"),
        ({"fhir_url": "ehr.example"}, "fhir_url", "must be an absolute http or https URL"),
        ({"fhir_url": "https://ehr.example/fhir?x=1"}, "fhir_url", "without query"),
        ({"fhir_version": "r5"}, "fhir_version", "'auto', 'dstu2', 'stu3' or 'r4'"),
        ({"name": "  "}, "name", "1 to 200 characters"),
        ({"name": "x" * 201}, "name", "200 characters"),
        ({"nmae": "x"}, "nmae", "known fields: tenant_id, name"),
        ({"auth": {"kind": "magic"}}, "auth", "'none'"),
        ({"auth": {"kind": "basic", "username": "u"}}, "auth.secret", "is missing"),
        ({"auth": {"kind": "header", "name": "X-Key", "secret": "a b"}}, "auth.secret", "letters, digits and hyphens"),
        ({"max_concurrency": 0}, "max_concurrency", "greater than or equal to 1"),
    ],
)
def test_a_wrong_field_is_named_with_what_to_do(tenant_fields: Fields, fields: Fields, field: str, text: str) -> None:
    with pytest.raises(InvalidFields) as error:
        validated(TenantNew, tenant_fields | fields)
    assert error.value.field == field
    assert text in error.value.public


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(InvalidFields) as error:
        validated(TenantNew, {"tenant_id": "x", "fhir_version": "r5"})
    assert [field for field, _ in error.value.problems] == ["tenant_id", "name", "fhir_url", "fhir_version"]


async def test_making_the_same_once_more_changes_nothing(operations: Operations, by: By, tenant_fields: Fields) -> None:
    first = await operations.tenants.create(by, validated(TenantNew, tenant_fields))
    again = await operations.tenants.create(by, validated(TenantNew, tenant_fields | {"tenant_id": GUID.upper()}))
    auto = await operations.tenants.create(by, validated(TenantNew, tenant_fields | {"fhir_version": "auto"}))
    assert not again.created
    assert not auto.created
    assert again.stored == auto.stored == first.stored
    assert len(await actions(operations)) == 1


async def test_an_id_with_other_values_is_a_duplicate(operations: Operations, by: By, tenant_fields: Fields) -> None:
    await make(operations, by, tenant_fields)
    with pytest.raises(Duplicate) as error:
        await make(operations, by, tenant_fields, name="Another")
    assert error.value.field == "tenant_id"


async def test_an_update_changes_the_named_fields_and_the_trail_holds_only_those(
    operations: Operations, by: By, tenant_fields: Fields
) -> None:
    before = await make(operations, by, tenant_fields, mrn_system="urn:oid:1.2", notes="old")
    made = await operations.tenants.update(by, GUID, {"notes": "new", "mrn_system": None})
    after = made.stored.value
    assert (after.notes, after.mrn_system, after.name, after.created) == ("new", None, before.name, before.created)
    entry = (await operations.trail.page(1)).items[0]
    assert entry.change.before == {"notes": "old", "mrn_system": "urn:oid:1.2"}
    assert entry.change.after == {"notes": "new", "mrn_system": None}


async def test_fixed_headers_and_parameters_are_changed_as_a_whole_and_recorded(
    operations: Operations, by: By, tenant_fields: Fields
) -> None:
    headers, practice = {"Redox-Source-Id": "3f9c0a52", "X-Site": "1"}, {"ah-practice": "Organization/a-1.Practice-1"}
    made = await make(operations, by, tenant_fields, extra_headers=headers, extra_parameters=practice)
    assert (made.extra_headers, made.extra_parameters) == (headers, practice)
    (entry,) = (await operations.trail.page(1)).items
    assert entry.change.after is not None
    assert (entry.change.after["extra_headers"], entry.change.after["extra_parameters"]) == (headers, practice)
    changed = await operations.tenants.update(by, GUID, {"extra_headers": {"X-Site": "2"}})
    assert changed.stored.value.extra_headers == {"X-Site": "2"}
    assert changed.stored.value.extra_parameters == practice
    entry = (await operations.trail.page(1)).items[0]
    assert entry.change.before == {"extra_headers": headers}
    assert entry.change.after == {"extra_headers": {"X-Site": "2"}}
    cleared = await operations.tenants.update(by, GUID, {"extra_headers": {}, "extra_parameters": {}})
    assert (cleared.stored.value.extra_headers, cleared.stored.value.extra_parameters) == ({}, {})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"extra_headers": {"Authorization": "Bearer x"}}, "extra_headers"),
        ({"extra_headers": {"x-key": "1"}}, "extra_headers"),
        ({"extra_headers": {"X-Site": 1}}, "extra_headers"),
        ({"extra_headers": None}, "extra_headers"),
        ({"extra_parameters": {"patient": "1"}}, "extra_parameters"),
        ({"extra_parameters": ["ah-practice"]}, "extra_parameters"),
    ],
)
async def test_a_fixed_header_or_parameter_that_may_not_be_names_its_field(
    operations: Operations, by: By, secrets: FileSecretStore, tenant_fields: Fields, fields: Fields, field: str
) -> None:
    await secrets.set("there", "value")
    await make(operations, by, tenant_fields, auth={"kind": "header", "name": "X-Key", "secret": "there"})
    with pytest.raises(InvalidFields) as error:
        await operations.tenants.update(by, GUID, fields)
    assert error.value.field.partition(".")[0] == field


async def test_an_update_that_changes_nothing_writes_nothing(
    operations: Operations, by: By, tenant_fields: Fields
) -> None:
    await make(operations, by, tenant_fields)
    found = await operations.tenants.find(GUID)
    made = await operations.tenants.update(by, GUID, {"name": tenant_fields["name"], "fhir_version": "STU3"})
    assert made.stored == found
    assert len(await actions(operations)) == 1


@pytest.mark.parametrize("patch", [{"name": None}, {"fhir_url": None}, {"enabled": "perhaps"}, {"tenant_id": GUID}, []])
async def test_a_wrong_patch_is_refused(operations: Operations, by: By, tenant_fields: Fields, patch: object) -> None:
    await make(operations, by, tenant_fields)
    with pytest.raises(InvalidFields):
        await operations.tenants.update(by, GUID, patch)


async def test_a_tenant_whose_secret_is_gone_can_still_be_disabled(
    operations: Operations, by: By, secrets: FileSecretStore, settings: Settings, tenant_fields: Fields
) -> None:
    await secrets.set("there", "value")
    await make(operations, by, tenant_fields, auth={"kind": "basic", "username": "u", "secret": "there"})
    (settings.local_keys_dir / "there").unlink()
    made = await operations.tenants.update(by, GUID, {"enabled": False})
    assert not made.stored.value.enabled
    with pytest.raises(Invalid):
        await operations.tenants.update(by, GUID, {"mrn_system": "urn:oid:1.2"})


async def test_if_match_lets_one_of_two_editors_through(operations: Operations, by: By, tenant_fields: Fields) -> None:
    await make(operations, by, tenant_fields)
    etag = public_etag(await operations.tenants.find(GUID))
    await operations.tenants.update(by, GUID, {"notes": "first"}, etag)
    with pytest.raises(Stale):
        await operations.tenants.update(by, GUID, {"notes": "second"}, etag)
    with pytest.raises(Stale):
        await operations.tenants.remove(by, GUID, etag)
    await operations.tenants.update(by, GUID, {"notes": "third"}, "*")
    await operations.tenants.remove(by, GUID, public_etag(await operations.tenants.find(GUID)))
    with pytest.raises(Unknown):
        await operations.tenants.find(GUID)


async def test_removal_is_recorded_with_what_was_there(operations: Operations, by: By, tenant_fields: Fields) -> None:
    await make(operations, by, tenant_fields)
    await operations.tenants.remove(by, GUID)
    entry = (await operations.trail.page(1)).items[0]
    assert (entry.change.action, entry.change.after) == ("tenant.remove", None)
    assert entry.change.before is not None
    assert entry.change.before["name"] == tenant_fields["name"]
    with pytest.raises(Unknown):
        await operations.tenants.remove(by, GUID)


async def test_the_trail_of_a_whole_life_verifies(operations: Operations, by: By, tenant_fields: Fields) -> None:
    await make(operations, by, tenant_fields)
    await operations.tenants.update(by, GUID, {"notes": "new"})
    report = await operations.verify_audit()
    assert (report.entries, report.findings) == (2, ())


async def test_without_its_trail_nothing_is_changed(
    operations: Operations, by: By, registry: Registry, tenant_fields: Fields
) -> None:
    await registry.storage._service.delete_table("audit")
    with pytest.raises(StorageUnavailable):
        await make(operations, by, tenant_fields)
    assert await registry.find_tenant(GUID) is None
