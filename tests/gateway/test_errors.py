import re

import pytest

from gateway import errors
from gateway.errors import GatewayError


def tree(base: type[GatewayError]) -> list[type[GatewayError]]:
    return [error for child in base.__subclasses__() for error in (child, *tree(child))]


def test_the_modules_docstring_names_every_error_with_its_status() -> None:
    described = dict(re.findall(r"[├└]── (\w+)\s+(.*)", errors.__doc__ or ""))
    for error in tree(GatewayError):
        if error.__module__ != errors.__name__:
            continue
        assert error.__name__ in described
        if not error.__subclasses__():
            assert described[error.__name__].startswith(str(error.status)), error.__name__


@pytest.mark.parametrize("error", tree(GatewayError), ids=lambda error: error.__name__)
def test_the_private_detail_is_not_in_what_a_caller_reads(error: type[GatewayError]) -> None:
    try:
        raised = error("public", detail="private")
    except TypeError:
        return  # its text is fixed, or it has no detail
    assert "private" not in str(raised)
    assert "private" not in raised.public
    assert "private" not in "".join(raised.headers.values())
