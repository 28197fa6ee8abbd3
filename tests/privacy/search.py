"""Finds needles in texts, however they are written down there."""

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from urllib.parse import unquote_plus

from tests.privacy.patients import Needle

# Every token of the gateway and every assertion is a JWT: a header, claims and a signature.
_JWT = re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_URL_SAFE = str.maketrans("-_", "+/")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_BEGINNING = 16
_RUN = re.compile(rf"\S{{{_BEGINNING},}}")
# Letters and digits apart: `ge1952-07-08` holds a birth date.
_WORD = re.compile(r"[^\W\d_]+|\d+")


@dataclass(frozen=True)
class Finding:
    needle: Needle
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.needle.kind} {self.needle.text!r} in {self.where}: {self.text[:300]}"


@dataclass
class Search:
    """Looks for needles in whatever it is given, one text (a line, a row, an attribute) at a time."""

    needles: frozenset[Needle]
    secrets: frozenset[str]
    texts: int = 0
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        # By its longest word, so that each line is held against few.
        self._by_word: dict[str, list[Needle]] = {}
        for needle in self.needles:
            self._by_word.setdefault(max(_WORD.findall(needle.text.casefold()), key=len), []).append(needle)
        # Whole secrets only: a hint of a few characters may be shown. By how they begin, since there are many of both.
        self._by_beginning: dict[str, list[str]] = {}
        for secret in self.secrets:
            self._by_beginning.setdefault(secret[:_BEGINNING], []).append(secret)
        self._seen: set[str] = set()

    def look(self, where: str, text: str) -> None:
        self.texts += 1
        if text in self._seen:
            return
        self._seen.add(text)
        for spelled in set(spellings(text)):
            self._look(where, text, spelled)

    def _look(self, where: str, text: str, spelled: str) -> None:
        folded = spelled.casefold()
        for word in set(_WORD.findall(folded)):
            for needle in self._by_word.get(word, ()):
                if _pattern(needle).search(folded):
                    self.findings.append(Finding(needle, where, text))
        if _JWT.search(spelled):
            self.findings.append(Finding(Needle("token", "a JWT"), where, text))
        for secret in self._secrets_in(spelled):
            self.findings.append(Finding(Needle("secret", secret[:6] + "…"), where, text))

    def _secrets_in(self, spelled: str) -> Iterator[str]:
        for run in _RUN.findall(spelled):
            for start in range(len(run) - _BEGINNING + 1):
                for secret in self._by_beginning.get(run[start : start + _BEGINNING], ()):
                    if run.startswith(secret, start):
                        yield secret


@cache
def _pattern(needle: Needle) -> re.Pattern[str]:
    # Letters and digits around it would make another word of it; of a date only digits, for FHIR's prefixes (`ge`).
    more = r"\d" if needle.kind == "birth date" else r"[^\W_]"
    return re.compile(rf"(?<!{more}){re.escape(needle.text.casefold())}(?!{more})")


def spellings(text: str) -> Iterator[str]:
    """A text as it is, and decoded as URL, form, JSON string, HTML or base64."""
    yield text
    if "%" in text or "+" in text:
        once = unquote_plus(text)
        yield once
        if "%" in once:
            yield unquote_plus(once)
    if "\\u" in text:
        yield _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    if "&" in text:
        yield html.unescape(text)
    for run in _ENCODED.findall(text):
        yield from _decoded(run)


@lru_cache(maxsize=65_536)
def _decoded(run: str) -> tuple[str, ...]:
    plain = run.rstrip("=")
    try:
        octets = base64.b64decode(plain.translate(_URL_SAFE) + "=" * (-len(plain) % 4), validate=True)
        decoded = octets.decode()
    except (binascii.Error, ValueError):
        return ()
    return (decoded,) if decoded.isprintable() else ()


def strings(value: object) -> Iterator[str]:
    """Every string in a JSON value, names of members included; other values as JSON writes them."""
    match value:
        case str():
            yield value
        case dict():
            for name, inner in value.items():
                yield str(name)
                yield from strings(inner)
        case list() | tuple():
            for inner in value:
                yield from strings(inner)
        case _:
            yield json.dumps(value, default=str)
