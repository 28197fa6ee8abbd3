"""A small FHIR server that plays three hospitals, one process each: `python -m local.sandbox HOSPITAL`.

Lakeside speaks DSTU2 and is open, Northfield speaks STU3 behind an API key, Riverbend speaks R4 behind its
own OAuth 2.0 token endpoint and neither batches nor sorts. Read-only, in memory, fictional patients; the
server does what its capability statement says and nothing else.
"""

from local.sandbox.hospitals import (
    Access,
    ApiKeyAccess,
    Hospital,
    OAuthAccess,
    OpenAccess,
    load_hospital,
    load_hospitals,
)

__all__ = [
    "Access",
    "ApiKeyAccess",
    "Hospital",
    "OAuthAccess",
    "OpenAccess",
    "load_hospital",
    "load_hospitals",
]
