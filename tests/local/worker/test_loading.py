from collections.abc import Callable
from pathlib import Path

import pytest

from local.worker.application import load
from local.worker.client import Client
from local.worker.errors import HostError
from local.worker.settings import apply_local_settings

type WriteApp = Callable[..., Path]

FUNCTION = """
    @app.route("it", methods=["GET"])
    async def it(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("x")
"""


@pytest.mark.parametrize("level", ["FUNCTION", "ADMIN"])
async def test_a_function_with_a_key_is_refused_because_of_fhirs_code_parameter(
    write_app: WriteApp, level: str
) -> None:
    app_dir = write_app(FUNCTION.replace('["GET"]', f'["GET"], auth_level=func.AuthLevel.{level}'))
    with pytest.raises(HostError, match=r"function 'it': auth level .* 'code'"):
        await load(app_dir)


async def test_the_default_auth_level_is_a_key_and_refused(write_app: WriteApp) -> None:
    head = "import azure.functions as func\napp = func.FunctionApp()\n"
    with pytest.raises(HostError, match="auth level 'function'"):
        await load(write_app(FUNCTION, head=head))


@pytest.mark.parametrize("route", ["admin/users", "runtime"])
async def test_a_route_of_the_hosts_own_space_is_refused(write_app: WriteApp, route: str) -> None:
    with pytest.raises(HostError, match="belong to the host"):
        await load(write_app(FUNCTION.replace('"it"', f'"{route}"')))


async def test_two_functions_with_one_name_are_refused(write_app: WriteApp) -> None:
    with pytest.raises(HostError, match="unique function name"):
        await load(write_app(FUNCTION + FUNCTION))


async def test_the_prefix_is_api_unless_host_json_says_otherwise(write_app: WriteApp) -> None:
    default = Client(await load(write_app(FUNCTION)))
    assert (await default.request("GET", "/api/it")).status == 200
    assert (await default.request("GET", "/it")).status == 404
    host = '{"version": "2.0", "extensions": {"http": {"routePrefix": "/v1/", "customHeaders": {"X-A": "b"}}}}'
    own = Client(await load(write_app(FUNCTION, host)))
    response = await own.request("GET", "/v1/it")
    assert (response.status, response.header("x-a")) == (200, "b")


async def test_functions_with_other_triggers_are_listed_but_not_served(write_app: WriteApp) -> None:
    timer = """
    @app.timer_trigger(arg_name="timer", schedule="0 0 * * * *")
    async def hourly(timer: func.TimerRequest) -> None:
        pass
    """
    application = await load(write_app(FUNCTION + timer))
    assert [function.name for function in application.functions] == ["it"]
    assert application.not_served == ["hourly"]


@pytest.mark.parametrize(
    ("content", "message"), [("{", "cannot be read"), ("[]", "must hold a JSON object"), ("{}", "version")]
)
async def test_a_host_json_that_azure_would_refuse(write_app: WriteApp, content: str, message: str) -> None:
    with pytest.raises(HostError, match=message):
        await load(write_app(FUNCTION, content))


def test_values_of_local_settings_json_yield_to_the_environment(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text('{"IsEncrypted": false, "Values": {"A": "file", "B": "file"}}')
    environment = {"A": "shell"}
    apply_local_settings(tmp_path, environment)
    assert environment == {"A": "shell", "B": "file"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"IsEncrypted": true, "Values": {"A": "zzz"}}', "encrypted"),
        ('{"Values": {"PORT": 1}}', "PORT must be a string"),
    ],
)
def test_local_settings_json_that_cannot_be_used(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "local.settings.json").write_text(content)
    with pytest.raises(HostError, match=message):
        apply_local_settings(tmp_path, {})
