import pytest

from local.worker.errors import HostError
from local.worker.routes import HttpFunction, Router, check
from local.worker.shadowing import Shadow, shadowed

GET = frozenset({"GET"})
POST = frozenset({"POST"})


def answering(functions: list[HttpFunction], method: str, path: str) -> str | None:
    found = Router(functions, "").match(method, path)
    return found[0].name if found else None


def test_routes_are_tried_in_alphabetical_order_of_function_name_not_by_how_specific_they_are() -> None:
    catch_all, literal = "x/{*path}", "x/known"
    assert answering([HttpFunction("b", literal), HttpFunction("a", catch_all)], "GET", "/x/known") == "a"
    assert answering([HttpFunction("b", catch_all), HttpFunction("a", literal)], "GET", "/x/known") == "a"
    assert answering([HttpFunction("B", literal), HttpFunction("a", catch_all)], "GET", "/x/known") == "a"


def test_a_function_without_the_method_is_passed_over() -> None:
    functions = [HttpFunction("a", "x/{id}", POST), HttpFunction("b", "x/known", GET)]
    assert answering(functions, "GET", "/x/known") == "b"
    assert answering(functions, "POST", "/x/known") == "a"
    assert answering(functions, "HEAD", "/x/known") is None


def test_a_failed_constraint_leaves_the_request_to_the_next_function() -> None:
    functions = [HttpFunction("a", "x/{id:int}"), HttpFunction("b", "x/{name}")]
    assert answering(functions, "GET", "/x/1") == "a"
    assert answering(functions, "GET", "/x/one") == "b"


def test_the_prefix_of_host_json_stands_before_every_route() -> None:
    router = Router([HttpFunction("a", "/x")], "api/v1")
    assert router.match("GET", "/API/v1/x") is not None
    assert router.match("GET", "/x") is None


@pytest.mark.parametrize("route", ["admin", "/admin/x", "Admin", "administer", "runtime", "runtime/x", "Runtimes"])
def test_routes_of_the_hosts_own_space_are_refused(route: str) -> None:
    with pytest.raises(HostError, match="belong to the host"):
        check([HttpFunction("a", route)])


def test_a_route_that_only_contains_admin_is_not_refused() -> None:
    check([HttpFunction("a", "manage/admin")])


@pytest.mark.parametrize("names", [("same", "same"), ("same", "SAME")])
def test_two_functions_with_one_name_are_refused(names: tuple[str, str]) -> None:
    with pytest.raises(HostError, match="two functions have this name"):
        check([HttpFunction(name, f"r{index}") for index, name in enumerate(names)])


def test_one_route_for_two_functions_is_refused_only_if_they_share_a_method() -> None:
    check([HttpFunction("a", "x", GET), HttpFunction("b", "x", POST)])
    with pytest.raises(HostError, match="POST"):
        check([HttpFunction("a", "x", GET | POST), HttpFunction("b", "X", POST)])


@pytest.mark.parametrize("name", ["1st", "host", "a b", ""])
def test_names_that_the_host_refuses(name: str) -> None:
    with pytest.raises(HostError, match="not a valid function name"):
        check([HttpFunction(name, "x")])


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("x/{*path}", "x/known"),
        ("x/{*path}", "x"),
        ("x/{*path}", "x/{id}/y/{*rest}"),
        ("{*path}", "x/y"),
        ("x/{a}", "x/{b}"),
        ("x/{a}", "X/Known"),
        ("x/{a}", "x/{b:int}"),
        ("x/{a:int}", "x/5"),
        ("x/{a?}", "x"),
        ("x/{a?}", "x/{b?}"),
    ],
)
def test_a_route_whose_every_path_an_earlier_function_takes_is_shadowed(earlier: str, later: str) -> None:
    functions = [HttpFunction("b", later, GET | POST), HttpFunction("a", earlier, GET)]
    assert shadowed(functions) == [Shadow("b", "a", GET)]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("x/known", "x/{*path}"),
        ("x/{a}", "x/{*path}"),
        ("x/{a}", "x/{b?}"),
        ("x/{a:int}", "x/{b}"),
        ("x/{a:int}", "x/five"),
        ("x/{a}/y", "x/y/{b}"),
        ("x/y/{*path}", "x"),
        ("x/{a}", "x/y/z"),
    ],
)
def test_a_route_with_paths_of_its_own_is_not_shadowed(earlier: str, later: str) -> None:
    assert shadowed([HttpFunction("a", earlier), HttpFunction("b", later)]) == []


def test_a_route_is_not_shadowed_by_one_with_other_methods_or_one_that_sorts_after_it() -> None:
    assert shadowed([HttpFunction("a", "{*path}", POST), HttpFunction("b", "x", GET)]) == []
    assert shadowed([HttpFunction("b", "{*path}"), HttpFunction("a", "x")]) == []
