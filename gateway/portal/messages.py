"""What the service says to operators, in the language of the page."""

import re
import tomllib
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "translations" / "messages"
_PLACE = re.compile(r"\{(\d)\}")


def translated(language: str, text: str) -> str:
    """`text` in one of `languages.LANGUAGES`; as it is where there is no translation, as in English.

    What stands in a message, such as the reason that another one gives, is translated too.
    """
    for pattern, wording in _wordings(language):
        found = pattern.fullmatch(text)
        if found is not None:
            return _filled(wording, [translated(language, part) for part in found.groups()])
    return text


def _filled(wording: str, parts: list[str]) -> str:
    return _PLACE.sub(lambda place: parts[int(place[1])], wording)


@cache
def _wordings(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns of English texts and their wordings, those that say the most first."""
    path = _FOLDER / f"{language}.toml"
    if not path.exists():
        return ()
    known = tomllib.loads(path.read_text(encoding="utf-8"))
    ordered = sorted(known, key=lambda text: len(_PLACE.sub("", text)), reverse=True)
    return tuple((_pattern(text), known[text]) for text in ordered)


def _pattern(text: str) -> re.Pattern[str]:
    parts = _PLACE.split(text)
    return re.compile("".join(re.escape(part) if at % 2 == 0 else "(.+?)" for at, part in enumerate(parts)), re.DOTALL)
