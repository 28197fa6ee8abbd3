import json
import stat
from pathlib import Path

from local.stack_file import (
    DemoClient,
    DemoTenant,
    Stack,
    read_stack,
    remember_client,
    remembered_client,
    stack_path,
    write_stack,
)

CLIENT = DemoClient("11111111-1111-1111-1111-111111111111", "pgw_made-up", "Patients app (demo)")
STACK = Stack(
    base_url="http://localhost:7071",
    storage_connection_string="DefaultEndpointsProtocol=http;…",
    clients=(CLIENT,),
    tenants=(DemoTenant("22222222-2222-2222-2222-222222222222", "A hospital", "stu3", "http://127.0.0.1:1/fhir"),),
)


def test_stack_json_is_the_contracts(tmp_path: Path) -> None:
    write_stack(tmp_path, STACK)
    assert json.loads(stack_path(tmp_path).read_text()) == {
        "base_url": "http://localhost:7071",
        "fhir_base_url": "http://localhost:7071/fhir",
        "token_url": "http://localhost:7071/oauth2/token",
        "portal_url": None,
        "management_token": None,
        "storage_connection_string": "DefaultEndpointsProtocol=http;…",
        "clients": [
            {
                "client_id": "11111111-1111-1111-1111-111111111111",
                "client_secret": "pgw_made-up",
                "name": "Patients app (demo)",
            }
        ],
        "tenants": [
            {
                "tenant_id": "22222222-2222-2222-2222-222222222222",
                "name": "A hospital",
                "fhir_version": "stu3",
                "fhir_url": "http://127.0.0.1:1/fhir",
            }
        ],
    }


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    assert read_stack(tmp_path) is None
    write_stack(tmp_path, STACK)
    assert read_stack(tmp_path) == STACK
    assert remembered_client(tmp_path) is None
    remember_client(tmp_path, CLIENT)
    assert remembered_client(tmp_path) == CLIENT


def test_files_with_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    stack_path(tmp_path).touch(mode=0o644)
    write_stack(tmp_path, STACK)
    remember_client(tmp_path, CLIENT)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
