"""Validate FHIR resources, one JSON object a line: `[release, resource]` in, the list of its errors out.

Runs in an environment of its own (fhir.resources 6.4.0, pydantic 1). An error is
[element path without indexes, message].
"""

import importlib
import json
import sys
from typing import Any

from pydantic import ValidationError

PACKAGES = {"dstu2": "fhir.resources.DSTU2", "stu3": "fhir.resources.STU3", "r4": "fhir.resources"}


def errors_of(release: str, resource: dict[str, Any]) -> list[list[str]]:
    validators = importlib.import_module(PACKAGES[release] + ".fhirtypesvalidators")
    model = validators.get_fhir_model_class(resource["resourceType"])
    try:
        model.parse_obj(resource)
    except ValidationError as error:
        return [[".".join(str(s) for s in e["loc"] if not isinstance(s, int)), e["msg"]] for e in error.errors()]
    return []


for line in sys.stdin:
    sys.stdout.write(json.dumps(errors_of(*json.loads(line))) + "\n")
