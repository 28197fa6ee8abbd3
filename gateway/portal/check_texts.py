"""The report of a conformance check in the language of the page. The report itself is English (gateway/conformance)."""

import re
import tomllib
from functools import cache
from pathlib import Path

from gateway.portal.messages import translated

FOLDER = Path(__file__).parent / "translations" / "checks"
_KINDS = {
    "n": r"\d+",
    "numbers": r"\d+(?:, \d+)*",
    "name": r"[\w.:§-]+",
    "types": r"[A-Z]\w+(?:, [A-Z]\w+)*",
    "path": r"[\w.:\[\]()='-]+(?: \| [\w.:\[\]()='-]+)*",
    "text": ".+",
}
PLACE = re.compile(rf"\{{((?:{'|'.join(_KINDS)})2?)\}}")


def in_language(language: str, text: str) -> str | None:
    """A text of a report in one of `languages.LANGUAGES`; None where it has no translation.

    Numbers, names and paths stay as they are. A reason that a message of the service gives is translated as that is.
    """
    if language == "en":
        return text
    wordings, patterns = _catalogue(language)
    if text in wordings:
        return wordings[text]
    for pattern, wording in patterns:
        found = pattern.fullmatch(text)
        filled = _filled(language, wording, found.groupdict()) if found else None
        if filled is not None:
            return filled
    message = translated(language, text)
    return None if message == text else message


def _filled(language: str, wording: str, parts: dict[str, str]) -> str | None:
    own = {name: in_language(language, part) if name.startswith("text") else part for name, part in parts.items()}
    return None if None in own.values() else PLACE.sub(lambda place: str(own[place[1]]), wording)


@cache
def _catalogue(language: str) -> tuple[dict[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """Wordings of whole texts; and patterns with their wordings, those that say the most first."""
    known: dict[str, str] = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    whole = {text: wording for text, wording in known.items() if not PLACE.search(text)}
    ordered = sorted(known.keys() - whole.keys(), key=lambda text: (-len(PLACE.sub("", text)), text))
    return whole, tuple((_pattern(text), known[text]) for text in ordered)


def _pattern(text: str) -> re.Pattern[str]:
    parts = PLACE.split(text)
    return re.compile("".join(re.escape(part) if at % 2 == 0 else _group(part) for at, part in enumerate(parts)))


def _group(place: str) -> str:
    return f"(?P<{place}>{_KINDS[place.removesuffix('2')]})"
