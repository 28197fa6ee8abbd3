import pytest
from pydantic import Field, ValidationError

from gateway.registry.extras import ExtraHeaders, ExtraParameters
from gateway.registry.models import HeaderAuth, Model, NoAuth, UpstreamAuth


class Server(Model):
    auth: UpstreamAuth = NoAuth()
    extra_headers: ExtraHeaders = Field(default_factory=dict)
    extra_parameters: ExtraParameters = Field(default_factory=dict)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Redox-Source-Id": "3f9c0a52-7d1e-4c57-9b6a-2f1f6a0f4d11"},
        {"X-Tenant": "a" * 256, "Epic-Client-ID": "North & South; west"},
        {f"X-{number}": "1" for number in range(10)},
    ],
)
def test_headers_that_may_be_sent(headers: dict[str, str]) -> None:
    assert Server(extra_headers=headers).extra_headers == headers


# RFC 9110 §7.6.1, §9 to §15, W3C Trace Context, RFC 7239; and what the gateway says for itself.
@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "Proxy-Authorization", "Host", "Cookie", "Content-Type", "Content-Length", "Accept"),
        *("Accept-Encoding", "Connection", "Keep-Alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Expect"),
        *("X-Request-Id", "traceparent", "tracestate", "baggage", "Forwarded", "X-Forwarded-Host", "Via", "Range"),
        *("If-None-Match", "If-Modified-Since", "Prefer", "User-Agent", "X-HTTP-Method-Override", "host", "ACCEPT"),
    ],
)
def test_headers_of_the_gateway_and_of_http_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=f"must not hold {name}, which the gateway or HTTP itself sets"):
        Server(extra_headers={name: "x"})


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"X": "1", "Two Words": "1"}, "see entry 2"),
        ({"X-Käse": "1"}, "see entry 1"),
        ({"X:Y": "1"}, "see entry 1"),
        ({"": "1"}, "see entry 1"),
        ({"X" * 65: "1"}, "see entry 1"),
        ({"X-A": ""}, "must give X-A a value"),
        ({"X-A": "a\r\nX-B: 1"}, "must give X-A a value"),
        ({"X-A": "a\n"}, "must give X-A a value"),
        ({"X-A": " a"}, "must give X-A a value"),
        ({"X-A": "ä"}, "must give X-A a value"),
        ({"X-A": "a" * 257}, "must give X-A a value of 1 to 256"),
        ({"X-A": "1", "x-a": "2"}, "each name once"),
        ({f"X-{number}": "1" for number in range(11)}, "at most 10 entries"),
    ],
)
def test_other_headers_are_refused_and_no_value_is_repeated(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as error:
        Server(extra_headers=headers)
    assert all(
        value not in problem["msg"] for problem in error.value.errors() for value in headers.values() if value[2:]
    )


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"_count": "1"}, "see entry 1"),
        ({"_tag": "x"}, "see entry 1"),
        ({"a&b": "x"}, "see entry 1"),
        ({"ah-practice:exact": "x"}, "see entry 1"),
        ({"patient": "1"}, "must not hold patient, which searches go by"),
        ({"Subject": "1"}, "must not hold Subject"),
        ({"beneficiary": "1"}, "must not hold beneficiary"),
        ({"subscriber": "1"}, "must not hold subscriber"),
        ({"birthdate": "1"}, "must not hold birthdate"),
        ({"identifier": "1"}, "must not hold identifier"),
        ({"family": "1"}, "must not hold family"),
        ({"date": "1"}, "must not hold date"),
        ({"category": "1"}, "must not hold category"),
        ({"ah-practice": ""}, "must give ah-practice a value"),
        ({"ah-practice": "a\nb"}, "must give ah-practice a value"),
        ({"a": "1", "A": "2"}, "each name once"),
        ({f"a{number}": "1" for number in range(11)}, "at most 10 entries"),
    ],
)
def test_parameters_that_are_searched_by_and_no_names_are_refused(parameters: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Server(extra_parameters=parameters)


def test_parameters_that_may_be_sent() -> None:
    # The names by which athenahealth tells practices apart.
    names = ("ah-practice", "ah-brand", "ah-department", "ah-provider-group", "ah-chart-sharing-group")
    parameters = dict.fromkeys(names, "Organization/a-1.Practice-195900")
    assert Server(extra_parameters=parameters).extra_parameters == parameters


def test_the_header_of_the_credential_is_no_fixed_one() -> None:
    auth = HeaderAuth(name="X-Api-Key", secret="the-key")
    assert Server(auth=auth, extra_headers={"X-Other": "1"}).extra_headers == {"X-Other": "1"}
    with pytest.raises(ValidationError, match="must not hold x-api-key, which is the header of the credential"):
        Server(auth=auth, extra_headers={"x-api-key": "1"})
