import re
from pathlib import Path

from gateway import errors
from gateway.errors import FhirError
from gateway.fhir import displays, negotiation, paging

DOCUMENT = (Path(__file__).parents[3] / "docs" / "fhir.md").read_text()


def fhir_errors() -> set[tuple[str, str]]:
    found = [error for error in FhirError.__subclasses__() if error.__module__ == errors.__name__]
    return {(str(error.status), error.code) for error in found}


def test_every_error_is_in_the_table_and_no_other() -> None:
    table = DOCUMENT.partition("## Errors")[2]
    assert set(re.findall(r"^\| (\d{3}) \| `([a-z-]+)` \|", table, re.MULTILINE)) == fhir_errors()


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"{paging.LONGEST_TOKEN:,} characters" in DOCUMENT
    assert paging.LIFE_SECONDS == 3600
    assert f"Answers of {negotiation.COMPRESSED_FROM_BYTES // 1024} KB" in DOCUMENT
    reads = (
        f"{displays.MOST_READS} a request, {displays.AT_ONCE} at a time, within {displays.PATIENCE_SECONDS:.0f} seconds"
    )
    assert reads in DOCUMENT.replace("\n", " ")
    assert f"{negotiation.MOST_PARAMETERS} parameters in a search" in DOCUMENT
