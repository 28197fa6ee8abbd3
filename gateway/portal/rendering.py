from functools import cache, partial
from pathlib import Path
from typing import Any

from gateway.portal.languages import LANGUAGES, catalogue
from gateway.portal.messages import translated

FOLDER = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STATIC = {"portal.css": "text/css; charset=utf-8", "portal.js": "text/javascript; charset=utf-8"}


@cache
def _environment() -> Any:  # noqa: ANN401  # Jinja2's Environment, loaded with the first page
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    loader = FileSystemLoader(FOLDER / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def render(template: str, language: str, **values: object) -> bytes:
    """A page of `templates/`; its texts come from the language's catalogue, and a missing one is an error.

    Templates have `t` for the catalogue, `known` for what it holds, and `say` for texts of the service.
    """
    texts = catalogue(language)
    page = _environment().get_template(template)
    words = {"t": texts.__getitem__, "known": texts.__contains__, "say": partial(translated, language)}
    text: str = page.render(language=language, languages=LANGUAGES, **words, **values)
    return text.encode()


@cache
def static(name: str) -> bytes:
    """A file that STATIC names."""
    return (FOLDER / "static" / name).read_bytes()
