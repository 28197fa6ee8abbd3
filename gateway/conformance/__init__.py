"""Would the Patients app work with this FHIR server? One run, one report that names the hop or the field that fails.

A check is data (`checks/`): a requirement of the app's interface, a severity and a test over the evidence (`survey`).
Promises: the server is only read; reports hold locations and counts, no value of a patient's record unless asked for;
two runs on the same server differ in times only.
"""

from gateway.conformance.document import to_document
from gateway.conformance.run import Options, check_server, check_tenant
from gateway.conformance.survey import Depth
from gateway.conformance.verdicts import Report, Result, Severity, Status

__all__ = [
    "Depth",
    "Options",
    "Report",
    "Result",
    "Severity",
    "Status",
    "check_server",
    "check_tenant",
    "to_document",
]
