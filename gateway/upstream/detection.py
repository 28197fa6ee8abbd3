"""Which kind of FHIR server this is, by what its capability statement says of itself."""

import re
from typing import Any
from urllib.parse import urlsplit

# Makers before those whose software they build upon: a vendor's server may say that HAPI is inside. Patterns of whole
# words, in lower case, over the name of the software, the publisher, the implementation, the title and the copyright.
_WORDS = (
    ("azure", r"azure (api for fhir|health|healthcare)|azurehealthcareapis"),
    ("microsoft-fhir-server", r"microsoft"),
    ("google", r"google cloud|cloud healthcare api"),
    ("redox", r"redox"),
    ("infor", r"infor|cloverleaf"),
    ("corolar", r"corolar|dapasoft"),
    ("datica", r"datica"),
    ("meld", r"meld|logica|hspc"),
    ("epic", r"epic|epiccare"),
    ("oracle", r"cerner\w*|oracle health|oracle cerner"),
    ("athenahealth", r"athenahealth|athenanet|athena health"),
    ("meditech", r"meditech|medical information technology, inc"),
    ("hapi", r"hapi|smile cdr|smile digital health|smileutilities"),
)
_PATTERNS = tuple((system, re.compile(rf"(?<!\w)(?:{words})(?!\w)")) for system, words in _WORDS)
# Managed services, whose hosts are their makers' own.
_HOSTS = (
    ("azure", ".azurehealthcareapis.com"),
    ("google", "healthcare.googleapis.com"),
    ("redox", ".redoxengine.com"),
    ("oracle", ".cerner.com"),
    ("athenahealth", ".athenahealth.com"),
)
_MOST_CHARACTERS = 2000
_SHOWN_CHARACTERS = 80


def system_of(statement: object, fhir_url: str = "") -> str:
    """The name of the profile in `gateway.upstream.systems` that a CapabilityStatement (or a Conformance) points to,
    else of the host in `fhir_url`; empty when neither tells.
    """
    said = " | ".join(_said(statement)).lower()[:_MOST_CHARACTERS]
    for system, pattern in _PATTERNS:
        if pattern.search(said):
            return system
    host = f".{urlsplit(fhir_url).hostname or ''}" if fhir_url else ""
    return next((system for system, end in _HOSTS if host.endswith(end)), "")


def software_of(statement: object) -> str:
    """Name and version of the software as the statement gives them, for people to read; empty when it does not."""
    software = statement.get("software") if isinstance(statement, dict) else None
    parts = [_text(software, "name"), _text(software, "version")] if isinstance(software, dict) else []
    return " ".join(part for part in parts if part)[:_SHOWN_CHARACTERS]


def _said(statement: object) -> list[str]:
    if not isinstance(statement, dict):
        return []
    found = [_text(statement.get("software"), "name")]
    found += [_text(statement, name) for name in ("publisher", "name", "title", "copyright")]
    found += [_text(statement.get("implementation"), name) for name in ("description", "url")]
    return [text for text in found if text]


def _text(holder: Any, name: str) -> str:  # noqa: ANN401  # JSON from a stranger
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, str) else ""
