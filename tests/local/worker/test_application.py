"""The facts of the Functions host that decide whether an HTTP proxy works in production, each by name."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from local.worker import application
from local.worker.client import Client, ClientResponse

type Serve = Callable[[str], Awaitable[Client]]

ECHO = """
    @app.route("echo/{*path}", methods=["GET", "HEAD", "POST"])
    async def echo(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(json.dumps({
            "method": req.method, "url": req.url, "headers": dict(req.headers),
            "params": dict(req.params), "route": dict(req.route_params), "body": req.get_body().decode(),
        }))
"""


def seen(response: ClientResponse) -> dict[str, Any]:
    assert response.status == 200
    request: dict[str, Any] = json.loads(response.body)
    return request


async def answer(serve: Serve, expression: str, method: str = "GET") -> ClientResponse:
    client = await serve(f"""
        @app.route("it", methods=["GET", "HEAD"])
        async def it(req: func.HttpRequest) -> func.HttpResponse:
            return {expression}
    """)
    return await client.request(method, "/it")


async def test_the_first_function_by_name_answers(serve: Serve) -> None:
    client = await serve("""
        @app.route("x/known", methods=["GET"])
        async def second(req: func.HttpRequest) -> func.HttpResponse:
            return func.HttpResponse("specific")

        @app.route("x/{*path}", methods=["GET"])
        async def first(req: func.HttpRequest) -> func.HttpResponse:
            return func.HttpResponse("catch-all")
    """)
    assert (await client.request("GET", "/x/known")).body == b"catch-all"


async def test_repeated_query_parameters_are_joined_with_commas_and_empty_ones_dropped(serve: Serve) -> None:
    client = await serve(ECHO)
    target = "/echo?date=ge2020&date=le2021&name=&flag&Code=a+b%2Cc&code=d"
    request = seen(await client.request("GET", target))
    assert request["params"] == {"date": "ge2020,le2021", "Code": "a b,c,d"}


async def test_the_url_keeps_the_raw_query_and_encodes_the_path_anew(serve: Serve) -> None:
    client = await serve(ECHO)
    request = seen(await client.request("GET", "/echo/%61%20b%7Cc/$x?date=%67e2020&date=&c=http%3A%2F%2Fs|1"))
    assert request["url"] == "http://localhost:7071/echo/a%20b%7Cc/$x?date=%67e2020&date=&c=http%3A%2F%2Fs|1"
    assert request["route"] == {"path": "a b|c/$x"}


async def test_the_url_has_the_host_that_the_client_named(serve: Serve) -> None:
    client = await serve(ECHO)
    request = seen(await client.request("GET", "/echo", headers={"Host": "gateway.example"}))
    assert request["url"] == "http://gateway.example/echo"


@pytest.mark.parametrize(
    ("target", "parameters"),
    [("/echo", {}), ("/echo/", {}), ("/ECHO/a/", {"path": "a/"}), ("/echo/a", {"path": "a"})],
)
async def test_a_catch_all_takes_the_empty_path_and_keeps_a_trailing_slash(
    serve: Serve, target: str, parameters: dict[str, str]
) -> None:
    client = await serve(ECHO)
    assert seen(await client.request("GET", target))["route"] == parameters


@pytest.mark.parametrize("target", ["//echo", "/echo//a", "/echo/a%2Fb", "/nothing"])
async def test_double_and_encoded_slashes_find_no_function(serve: Serve, target: str) -> None:
    client = await serve(ECHO)
    response = await client.request("GET", target)
    assert (response.status, response.body) == (404, b"")


async def test_dot_segments_are_resolved_before_routing(serve: Serve) -> None:
    client = await serve(ECHO)
    assert seen(await client.request("GET", "/x/../echo/a/%2e%2e/b"))["url"] == "http://localhost:7071/echo/b"


async def test_chunked_request_bodies_arrive_empty(serve: Serve) -> None:
    client = await serve(ECHO)
    request = seen(await client.request("POST", "/echo", body=[b"some", b"thing"]))
    assert request["body"] == ""
    assert request["headers"]["transfer-encoding"] == "chunked"


async def test_a_chunked_body_arrives_empty_whatever_its_content_length_says(serve: Serve) -> None:
    client = await serve(ECHO)
    request = seen(await client.request("POST", "/echo", headers={"Content-Length": "4"}, body=[b"some"]))
    assert request["body"] == ""


async def test_bodies_with_a_length_arrive_whole(serve: Serve) -> None:
    client = await serve(ECHO)
    assert seen(await client.request("POST", "/echo", body="größe".encode()))["body"] == "größe"


async def test_request_header_names_are_lower_case_and_repeated_ones_joined(serve: Serve) -> None:
    client = await serve(ECHO)
    headers = [("X-One", "A"), ("ACCEPT", "a"), ("Accept", "b")]
    request = seen(await client.request("GET", "/echo", headers=headers))
    assert request["headers"] == {"host": "localhost:7071", "x-one": "A", "accept": "a,b"}


async def test_of_repeated_response_headers_only_the_last_survives(serve: Serve) -> None:
    client = await serve("""
        @app.route("it", methods=["GET"])
        async def it(req: func.HttpRequest) -> func.HttpResponse:
            response = func.HttpResponse("x")
            for name, value in [("Link", "one"), ("Link", "two"), ("Vary", "a"), ("vary", "b")]:
                response.headers.add(name, value)
            return response
    """)
    response = await client.request("GET", "/it")
    assert response.header_values("link") == ["two"]
    assert response.header_values("vary") == ["b"]


async def test_every_set_cookie_survives_written_anew_by_the_host(serve: Serve) -> None:
    client = await serve("""
        @app.route("it", methods=["GET"])
        async def it(req: func.HttpRequest) -> func.HttpResponse:
            response = func.HttpResponse("x")
            response.headers.add("Set-Cookie", "a=1; Path=/p; HttpOnly; Secure; SameSite=Lax; Max-Age=60")
            response.headers.add("Set-Cookie", "b=x=y/z")
            return response
    """)
    response = await client.request("GET", "/it")
    assert response.header_values("set-cookie") == [
        "a=1; max-age=60; path=/p; secure; samesite=lax; httponly",
        "b=x%3Dy%2Fz; path=/",
    ]


async def test_204_gets_a_content_type_nobody_asked_for_and_no_body(serve: Serve) -> None:
    response = await answer(serve, "func.HttpResponse(status_code=204)")
    assert (response.status, response.body) == (204, b"")
    assert response.headers == (("content-type", "text/plain; charset=utf-8"),)


async def test_304_carries_no_body(serve: Serve) -> None:
    response = await answer(serve, "func.HttpResponse('x', status_code=304, headers={'ETag': 'W/\"1\"'})")
    assert (response.status, response.body, response.header("etag")) == (304, b"", 'W/"1"')
    assert response.header("content-length") is None


async def test_head_has_the_headers_of_get_and_no_body(serve: Serve) -> None:
    response = await answer(serve, "func.HttpResponse('12345', mimetype='application/json')", "HEAD")
    assert (response.status, response.body) == (200, b"")
    assert response.header("content-length") == "5"
    assert response.header("content-type") == "application/json"


async def test_head_may_state_the_length_of_the_body_it_did_not_build(serve: Serve) -> None:
    response = await answer(serve, "func.HttpResponse(headers={'Content-Length': '7'})", "HEAD")
    assert response.header_values("content-length") == ["7"]


async def test_a_wrong_content_length_of_a_function_is_not_sent(serve: Serve) -> None:
    response = await answer(serve, "func.HttpResponse('12345', headers={'Content-Length': '7'})")
    assert (response.header_values("content-length"), response.body) == (["5"], b"12345")


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PROPFIND"])
async def test_undeclared_methods_find_no_function(serve: Serve, method: str) -> None:
    client = await serve("""
        @app.route("it", methods=["GET"])
        async def it(req: func.HttpRequest) -> func.HttpResponse:
            return func.HttpResponse("x")
    """)
    assert (await client.request("GET", "/it")).status == 200
    assert (await client.request(method, "/it")).status == 404


async def test_an_exception_is_500_with_an_empty_body_and_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = await answer(serve, "1 / 0")
    assert (response.status, response.body) == (500, b"")
    assert any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)
    assert "Function it failed" in caplog.text


@pytest.mark.parametrize("value", ["'caf\\u00e9'", "'a\\x01b'"])
async def test_a_response_header_the_server_cannot_send_is_500(serve: Serve, value: str) -> None:
    assert (await answer(serve, f"func.HttpResponse(headers={{'X-A': {value}}})")).status == 500


async def test_a_body_over_the_limit_is_413(serve: Serve) -> None:
    client = await serve(ECHO)
    headers = {"Content-Length": str(100 * 1024 * 1024 + 1)}
    assert (await client.request("POST", "/echo", headers=headers, body=b"x")).status == 413


async def test_a_url_over_the_limit_is_414(serve: Serve) -> None:
    client = await serve(ECHO)
    assert (await client.request("GET", "/echo?q=" + "x" * 8192)).status == 414
    assert (await client.request("GET", "/echo?q=" + "x" * 8000)).status == 200


@pytest.mark.parametrize("target", ["/echo/a%00b", "/echo/%00"])
async def test_a_nul_in_the_path_is_400(serve: Serve, target: str) -> None:
    client = await serve(ECHO)
    assert (await client.request("GET", target)).status == 400


async def test_the_trace_context_of_the_request_reaches_the_function(serve: Serve) -> None:
    client = await serve("""
        @app.route("it", methods=["GET"])
        async def it(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
            trace = context.trace_context
            return func.HttpResponse(f"{trace.trace_parent} {trace.trace_state} {len(context.invocation_id)}")
    """)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    response = await client.request("GET", "/it", headers={"traceparent": parent, "tracestate": "a=1"})
    assert response.body.decode() == f"{parent} a=1 36"


async def test_async_functions_run_on_the_servers_loop_and_plain_ones_in_a_thread(serve: Serve) -> None:
    client = await serve("""
        import asyncio, threading
        loop_at_import = asyncio.get_running_loop()

        @app.route("loop", methods=["GET"])
        async def on_loop(req: func.HttpRequest) -> func.HttpResponse:
            return func.HttpResponse(f"{id(asyncio.get_running_loop())} {id(loop_at_import)}")

        @app.route("thread", methods=["GET"])
        def in_thread(req: func.HttpRequest) -> func.HttpResponse:
            return func.HttpResponse(str(threading.current_thread() is threading.main_thread()))
    """)
    here = id(asyncio.get_running_loop())
    assert (await client.request("GET", "/loop")).body.decode() == f"{here} {here}"
    assert (await client.request("GET", "/thread")).body == b"False"


async def test_two_apps_with_functions_of_one_name_do_not_mix(serve: Serve) -> None:
    app = """
        @app.route("it", methods=["GET"])
        async def it(req: func.HttpRequest) -> func.HttpResponse:
            return func.HttpResponse({answer!r})
    """
    one, two = await serve(app.format(answer="one")), await serve(app.format(answer="two"))
    assert (await one.request("GET", "/it")).body == b"one"
    assert (await two.request("GET", "/it")).body == b"two"


async def test_a_function_without_a_route_has_its_name_for_one(serve: Serve) -> None:
    client = await serve("""
        @app.route()
        async def plain(req: func.HttpRequest) -> func.HttpResponse:
            return func.HttpResponse("x")
    """)
    assert (await client.request("DELETE", "/plain")).status == 200


async def test_the_body_limit_is_the_hosts(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "MAXIMUM_BODY_BYTES", 4)
    client = await serve(ECHO)
    assert seen(await client.request("POST", "/echo", body=b"1234"))["body"] == "1234"
    assert (await client.request("POST", "/echo", body=b"12345")).status == 413
