from gateway.versions.codes import codes
from gateway.versions.table import resource, table

_SAME = """
    invalid structure required value invariant security login unknown expired forbidden suppressed processing
    not-supported duplicate not-found too-long code-invalid extension too-costly business-rule conflict incomplete
    transient lock-error no-store exception timeout throttled informational
"""
# Our own: HL7 names no counterpart of R4's two new codes.
ISSUE = codes(
    "OperationOutcome.issue.code",
    "\n".join(
        [
            *(f"{code} {code} {code}" for code in _SAME.split()),
            "not-found not-found deleted",
            "duplicate duplicate multiple-matches",
        ]
    ),
)
TABLES = (
    resource("OperationOutcome", "issue*! OperationOutcome.issue | = | ="),
    table(
        "OperationOutcome.issue",
        """
        severity! code          | = | =
        code! code              | = | = | code
        details CodeableConcept | = | =
        diagnostics string      | = | =
        location* string        | = | =
        -                       | expression* string | =
        """,
        rules={"code": ISSUE},
    ),
)
