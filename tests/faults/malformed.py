"""Requests that no client should send, drawn from a seed: methods, paths, queries, headers, tokens, bodies, framing."""

import base64
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SEARCH"]
_BROKEN_METHODS = ["", "get", "CONNECT", "G" * 300, "GE T", "G\x00T", "\xff\xfe", "GET\t", "POST\r"]
_SEGMENTS = [
    "Patient", "Patient/p0", "Patient/_search", "Observation/1/_history", "Patient/p0/_history/1", "metadata",
    "$everything", "Patient/$match", "Patient/p0/Observation", "Binary/1", "_history", "_search", "Nothing", "patient",
    "%00", "%2e%2e/%2e%2e/etc/passwd", "..", "./././", "%2F%2F", "a%2fb", "%ff%fe", "%u0041", "%", "%zz", "%C3%28",
    "//", "/", "\\", "a|b", "{id}", "*", ";x=y", "Patient%20/p0", "x" * 2000, "%41" * 500,
    "00000000-0000-0000-0000-000000000000", "not-a-guid", "-1", "1e999", "' OR 1=1--", "<script>", "${jndi:x}",
    "Patient/%F0%9F%8F%A5", "Patient/\xff",
]  # fmt: skip
_READ = ["Patient/p0", "Patient", "Observation", "Encounter", "Patient/_search", "r4/Patient/p1", "stu3/Patient", "r4"]
_QUERIES = [
    "", "?", "?&&&", "?=", "?=x", "?_count=-1", "?_count=99999999999999999999", "?_count=x", "?_count=0", "?_sort=",
    "?_sort=-,-", "?_page=AAAA", "?_page=" + "A" * 3000, "?pgw-page=x", "?name:contains=%00", "?name=%ff", "?family=%",
    "?_format=xml", "?_format=%00", "?_summary=bogus", "?_elements=,", "?_include=*", "?_revinclude=x:y:z:w",
    "?patient=Patient/../../p0", "?subject=http://127.0.0.1/Patient/1", "?date=ge", "?date=9999999999-99-99",
    "?_lastUpdated=gt%2B", "?identifier=|||", "?code=a|b|c|d", "?a=1" + "&a=1" * 1500, "?" + "x" * 7000, "?x[]=1",
    "?continuation=%00", "?continuation=e30", "?continuation=WyJhIiwiYiJd", "?top=-1", "?top=1e9", "?top=٣",
    "?tenant=x", "?client=%00", "?since=yesterday", "?since=9999-99-99T99:99:99Z", "?lang=%00", "?code=%00&state=",
]  # fmt: skip
_HEADERS = [
    "Accept: */*;q=x", "Accept: application/fhir+json;fhirVersion=9.0", "Accept: " + "a/b," * 1000, "Accept: \xff",
    "Accept: application/xml", "Accept-Encoding: gzip;q=9, zzz", "Accept-Language: \xc3\x28, *;q=-1",
    "Prefer: handling=",
    "X-Request-Id: " + "x" * 500, "X-Request-Id: a\x00b", "X-Request-Id: \"'<>", "If-None-Match: W/", "If-Match: *",
    "If-Match: \xff", "If-Modified-Since: never", "X-Forwarded-For: ,,,", "X-Forwarded-For: 999.1.1.1, ::zz",
    "X-Forwarded-For: 10.0.0.%d", "X-Forwarded-Host: evil.example", "Host: evil.example", "Host: \xff", "Host: a b",
    "Cookie: " + "c=1; " * 500, "Cookie: \xff=\x80", "Cookie: session=AAAA", "Range: bytes=5-1", "Expect: 100-continue",
    "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "TE: trailers", "traceparent: 00-zz-zz-zz",
    "traceparent: 00-" + "0" * 32 + "-" + "0" * 16 + "-00", "tracestate: =,=,", "Origin: null",
    "Content-Encoding: gzip", "Content-Encoding: br", "X-HTTP-Method-Override: DELETE", "Authorization: Bearer x",
]  # fmt: skip
_BROKEN_HEADERS = [
    "NoColon", ": no-name", "A B: c", "X: a\r\n folded", "X\x00: y", "X: \x00", "\xff: y", "X : y",
    "Content-Length: -1",
    "Content-Length: 0x10", "Content-Length: 5, 6", "Content-Length: 99999999999999999999", "Content-Length: \u0663",
    "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: xchunked", "Big: " + "x" * 70_000,
    "\r\n".join(f"H{number}: v" for number in range(300)),
]  # fmt: skip
_TYPES = [
    "application/x-www-form-urlencoded", "application/fhir+json", "application/json", "application/merge-patch+json",
    "application/fhir+json; charset=utf-7", "text/plain", "multipart/form-data; boundary=", "\xff/\xfe", ";;;", "",
]  # fmt: skip
_VERSIONS = ["HTTP/1.0", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1"]
_BROKEN_VERSIONS = ["", "HTTP/9.9", "HTTP/2.0", "http/1.1", "HTTP/1.1 extra", "HTTP/-1.1", "ICY"]
_RAW = [
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x07" * 300,
    b"\r\n\r\n\r\n",
    b"\x00" * 500,
    b"GET /health/live\r\n\r\n",
    b"GET /health/live HTTP/1.1\nHost: x\n\n",
    b"GET http://evil.example/fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET ",
    b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n",
    b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\na",
    b"POST /fhir/r4 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{",
]

_READ_AT_ONCE = 32_768


@dataclass(frozen=True, slots=True)
class Malformed:
    """A request as it goes over the wire. `whole`: it is one HTTP request that ends."""

    wire: bytes
    whole: bool
    what: str

    @property
    def must_be_answered(self) -> bool:
        """Of what is larger, a part may be unread when the answer is sent: then TCP resets the connection, and the
        client may never see it (RFC 9112 §9.6).
        """
        return self.whole and len(self.wire) < _READ_AT_ONCE


@dataclass(frozen=True)
class Known:
    """What is true of the service, for requests that are wrong in one thing only."""

    routes: Sequence[str]
    client_id: str
    secret: str
    tenant: str
    token: str
    operator: str
    victims: Sequence[str]
    """Ids of a tenant and a client that may be changed and removed."""


class Maker:
    """The same requests for the same seed."""

    def __init__(self, seed: int, known: Known) -> None:
        self._draw = random.Random(seed)  # noqa: S311  # the same requests each time
        self._known = known

    def next(self) -> Malformed:
        draw = self._draw
        if draw.random() < 0.05:
            return self._raw()
        broken = draw.random() < 0.15
        path = self._path()
        method = draw.choice(["POST"] * 9 + _METHODS if "/oauth2/" in path else ["GET", "POST", "PATCH", *_METHODS])
        method = draw.choice(_BROKEN_METHODS) if broken and draw.random() < 0.3 else method
        body, declared = self._body(path)
        headers = ["Host: gateway.example", f"Content-Type: {self._type(path)}", *self._authorization(path)]
        headers += draw.sample(_HEADERS, draw.choice([0, 0, 1, 3]))
        headers += [draw.choice(_BROKEN_HEADERS)] if broken and draw.random() < 0.5 else []
        if body or draw.random() < 0.3:
            length = len(body) if not broken else len(body) + draw.choice([0, 0, 5, -5])
            headers.append(f"Content-Length: {max(0, length)}" if declared else "Transfer-Encoding: chunked")
            if not declared:
                body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        version = draw.choice(_BROKEN_VERSIONS if broken and draw.random() < 0.3 else _VERSIONS)
        line = f"{method} {path} {version}"
        draw.shuffle(headers)
        headers = [header.replace("%d", str(draw.randrange(256))) for header in headers]
        head = "\r\n".join([line, *headers, "Connection: close", "", ""])
        # HTTP's octets beyond ASCII, as the strings above mean them, and UTF-8 where there are no such octets.
        wire = head.encode("latin-1") if all(ord(each) < 256 for each in head) else head.encode()
        return Malformed(wire + body, not broken and "Upgrade" not in head, line[:300])

    def _raw(self) -> Malformed:
        draw = self._draw
        wire = draw.choice([*_RAW, draw.randbytes(draw.randrange(1, 2000))])
        return Malformed(wire[: draw.randrange(1, len(wire) + 1)], whole=False, what=f"raw {wire[:60]!r}")

    def _path(self) -> str:
        draw = self._draw
        path = "/" + draw.choice(self._known.routes)
        while "{" in path:
            before, _, rest = path.partition("{")
            good = _READ if rest.startswith("*path") else self._known.victims
            path = before + draw.choice(good if draw.random() < 0.6 else _SEGMENTS) + rest.partition("}")[2]
        if draw.random() < 0.1:
            path = draw.choice([path.upper(), path + "/", "/" + path, path.replace("/", "//"), path + "%20", path[1:]])
        query = "" if draw.random() < 0.4 else draw.choice(_QUERIES)
        target = path.replace(" ", "%20") + query.replace(" ", "%20")
        return target or "/"

    def _authorization(self, path: str) -> list[str]:
        draw, known = self._draw, self._known
        right = known.operator if "/manage/" in path else known.token
        flipped = list(known.token)
        flipped[draw.randrange(len(flipped))] = draw.choice("Aa0_-.=")
        parts = known.token.split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
        wrong = [
            "Bearer", "Bearer  ", "Bearer a b", "Bearer " + "A" * 6000, "bearer \xff", "Basic !!!", "Basic /w==",
            "Basic Og==", "Digest x", "\x7f", "pgo_x", "Bearer pgo_x", "Bearer ..", "Bearer e30.e30.e30",
            "Basic " + base64.b64encode(f"{known.client_id}:{known.secret}x".encode()).decode(),
            "Basic " + base64.b64encode(b"\xff:\xfe").decode(), "Basic " + base64.b64encode(b"no colon").decode(),
            f"Bearer {''.join(flipped)}", f"Bearer {known.token[:-20]}", f"Bearer {none}.{parts[1]}.",
            f"Bearer {parts[0]}.{parts[1]}.{parts[0]}", f"Bearer {self._jwt()}",
            "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6W119.e30.AA", "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6bnVsbH0.W10.AA",
        ]  # fmt: skip
        kind = draw.random()
        if kind < 0.2 or ("/oauth2/" in path and kind < 0.9):
            return []
        return [f"Authorization: {f'Bearer {right}' if kind < 0.8 else draw.choice(wrong)}"]

    def _jwt(self) -> str:
        claims = {name: self._json(2) for name in ("iss", "sub", "aud", "exp", "iat", "jti", "scope")}
        header = {"alg": self._draw.choice(["ES256", "ES384", "RS384", "HS256", None, 7]), "kid": self._json(1)}
        encoded = [base64.urlsafe_b64encode(_dumped(part)).rstrip(b"=").decode() for part in (header, claims)]
        return ".".join([*encoded, "AAAA"])

    def _type(self, path: str) -> str:
        right = _TYPES[0] if "/oauth2/" in path or "_search" in path else "application/json"
        return right if self._draw.random() < 0.7 else self._draw.choice(_TYPES)

    def _body(self, path: str) -> tuple[bytes, bool]:
        """A body, and whether its length is declared (else it is chunked)."""
        draw = self._draw
        declared = draw.random() < 0.9
        if draw.random() < 0.3:
            return b"", declared
        if "/oauth2/" in path:
            return self._form(), declared
        makers = [self._batch, self._batch, self._garbage, lambda: _dumped(self._json(4)), self._resource]
        return draw.choice(makers)(), declared

    def _garbage(self) -> bytes:
        draw = self._draw
        return draw.choice(
            [
                draw.randbytes(draw.randrange(3000)),
                b"[" * 50_000,
                b'{"a":' * 20_000,
                b'{"resourceType":"Bundle","type":"batch","entry":' + b"[" * 5000,
                b'{"resourceType":"Bundle","resourceType":"Patient"}',
                b'"\\ud800"',
                b'{"resourceType":"\\ud83d"}',
                b'{"a":1e999999}',
                b'{"a":' + b"9" * 5000 + b"}",
                b"NaN",
                b"\xef\xbb\xbf{}",
                b"\xff\xfe{\x00}\x00",
                b"<Patient xmlns='http://hl7.org/fhir'/>",
                b"\x1f\x8b\x08\x00" + b"\x00" * 50,
                b" " * 1_100_000,
            ]
        )

    def _form(self) -> bytes:
        draw, known = self._draw, self._known
        fields: dict[str, Any] = {
            "grant_type": "client_credentials",
            "client_id": known.client_id,
            "client_secret": known.secret,
            "scope": known.tenant,
        }
        values = [
            "", "%", "%ff", "%00", "x" * 5000, "+", "%E2%98%83", "\xff", "a&b=c", "system/*.read", "system/*.cruds?x=y",
            f"{known.tenant}+{known.client_id}", f"{known.tenant}+system/Patient.rs", "tenant:", "urn:uuid:x",
            "{}", "null", self._jwt(),
        ]  # fmt: skip
        others = ["grant-type", "client_assertion", "client_assertion_type", "token", "", "scope "]
        for _ in range(draw.randrange(1, 4)):
            name = draw.choice([*fields, *others])
            fields[name] = draw.choice(values)
        if draw.random() < 0.2:
            fields.pop(draw.choice(list(fields)))
        pairs = [f"{name}={value}" for name, value in fields.items()]
        if draw.random() < 0.2:
            pairs += draw.choices(pairs, k=draw.choice([1, 100]))
        text = "&".join(pairs)
        return text.encode("latin-1")

    def _batch(self) -> bytes:
        draw = self._draw
        urls = [draw.choice([*_READ, *_SEGMENTS]) + draw.choice(_QUERIES) for _ in range(5)]
        entries: list[Any] = [
            {"request": {"method": draw.choice([*_METHODS, 7, None, ""]), "url": draw.choice([*urls, self._json(1)])}}
            for _ in range(draw.choice([0, 1, 5, 49, 60]))
        ]
        if draw.random() < 0.4:
            entries.append(self._json(3))
        bundle = {
            "resourceType": "Bundle",
            "type": draw.choice(["batch", "batch", "transaction", "x", 7]),
            "entry": entries,
        }
        if draw.random() < 0.1:
            bundle["entry"] = self._json(3)
        return _dumped(bundle)

    def _resource(self) -> bytes:
        draw, known = self._draw, self._known
        tenant = {"tenant_id": draw.choice(known.victims), "name": "x", "fhir_url": "http://127.0.0.1:9/fhir"}
        client = {"client_id": draw.choice(known.victims), "name": "x", "tenants": [known.tenant]}
        document: dict[str, Any] = {**draw.choice([tenant, client, {}])}
        for name in draw.sample([*tenant, *client, "auth", "jwks", "jwks_uri", "expires", "notes"], draw.randrange(5)):
            document[name] = self._json(3)
        return _dumped(document)

    def _json(self, depth: int) -> Any:  # noqa: ANN401  # any JSON value
        draw = self._draw
        scalars = [None, True, -1, 0, 2**63 - 1, 1.5e300, "", "x", "\x00", "🏥", "\u202e", "x" * 3000, "../..", "1e999"]
        if depth == 0 or draw.random() < 0.4:
            return draw.choice(scalars)
        if draw.random() < 0.5:
            return [self._json(depth - 1) for _ in range(draw.randrange(4))]
        names = ["resourceType", "id", "request", "url", "keys", "kty", "kind", "\x00", "", "x"]
        return {draw.choice(names): self._json(depth - 1) for _ in range(draw.randrange(4))}


def _dumped(value: object) -> bytes:
    return orjson.dumps(value)
