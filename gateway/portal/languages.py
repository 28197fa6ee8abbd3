"""English and Simplified Chinese: one catalogue each, chosen by cookie, else by Accept-Language (RFC 9110 §12.5.4)."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = {"en": "English", "zh-Hans": "简体中文"}
_FOLDER = Path(__file__).parent / "translations"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """The texts of one of LANGUAGES by their keys."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def chosen(cookie: str, accept: str) -> str:
    """One of LANGUAGES."""
    if cookie in LANGUAGES:
        return cookie
    wanted: list[tuple[float, str]] = []
    for part in accept.split(","):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        primary = tag.strip().lower().partition("-")[0]
        language = {"en": "en", "zh": "zh-Hans"}.get(primary)
        if language and weight > 0:
            wanted.append((weight, language))
    return max(wanted, key=lambda pair: pair[0])[1] if wanted else "en"
