"""MedicationStatement for servers that have none: read off the medication requests of the same release."""

from typing import Any, Final

from gateway.versions.adapt import clone
from gateway.versions.registry import texts_of
from gateway.versions.table import JsonObject
from gateway.versions.version import FhirVersion

# Request status -> statement status; a draft, and what was entered in error, states nothing about a patient.
_ABOVE: Final = {
    "active": "active",
    "completed": "completed",
    "cancelled": "completed",
    "stopped": "stopped",
    "on-hold": "on-hold",
}
STATUS: Final = {
    FhirVersion.R4: {**_ABOVE, "unknown": "unknown"},
    FhirVersion.STU3: {**_ABOVE, "unknown": "completed"},
    FhirVersion.DSTU2: {"active": "active", "completed": "completed", "stopped": "completed", "on-hold": "intended"},
}
_ORDERS: Final = frozenset({None, "order", "original-order", "reflex-order", "filler-order", "instance-order"})
_COPIED: Final = (
    "id",
    "language",
    "contained",
    "medicationCodeableConcept",
    "medicationReference",
    "patient",
    "subject",
)
_LISTS: Final = ("reasonCode", "reasonReference")


def medication_statements_from_requests(bundle: JsonObject, version: FhirVersion) -> JsonObject:
    """Return a searchset of MedicationStatements, one for each MedicationRequest (DSTU2: MedicationOrder) that
    states one.

    Same release in and out, ids and subjects as they were; other entries are kept. `total` is lowered by the
    requests that state nothing (drafts, proposals and plans, entered in error, doNotPerform, those with modifier
    extensions).
    """
    out = {key: value for key, value in clone(bundle).items() if key != "entry"}
    entries, lost = [], 0
    held = bundle.get("entry")
    for entry in clone(held) if type(held) is list else ():
        resource = entry.get("resource") if type(entry) is dict else None
        if type(resource) is not dict or resource.get("resourceType") != _request_type(version):
            entries.append(entry)
            continue
        statement = statement_from_request(resource, version)
        if statement is None:
            lost += 1
            continue
        if type(entry.get("fullUrl")) is str:
            head, found, tail = entry["fullUrl"].rpartition(f"{_request_type(version)}/")
            entry["fullUrl"] = f"{head}MedicationStatement/{tail}" if found else entry["fullUrl"]
        entries.append({**entry, "resource": statement})
    if entries:
        out["entry"] = entries
    if type(out.get("total")) is int:
        out["total"] = max(out["total"] - lost, 0)
    return out


def statement_from_request(request: JsonObject, version: FhirVersion) -> JsonObject | None:
    """Return what a request states about the patient's medication, None where it states nothing that is safe to show.

    The status as it is (cancelled: completed), whether it was taken unknown, effective when it was written.
    """
    status = request.get("status")
    stated = STATUS[version].get(status) if type(status) is str else None
    intent = request.get("intent")
    prohibited = request.get("doNotPerform") not in (None, False) or request.get("modifierExtension")
    if stated is None or prohibited or type(intent) not in (str, type(None)) or intent not in _ORDERS:
        return None
    out: JsonObject = {"resourceType": "MedicationStatement", "status": stated}
    source: JsonObject = clone(request)
    _copy(source, out, {name: name for name in _COPIED})
    if version is FhirVersion.DSTU2:
        _copy(source, out, {"dateWritten": "effectiveDateTime", "note": "note"})
        _copy(
            source,
            out,
            {"reasonCodeableConcept": "reasonForUseCodeableConcept", "reasonReference": "reasonForUseReference"},
        )
        dosages = [_order_dosage(one) for one in _items(source, "dosageInstruction")]
    else:
        _copy(source, out, {"authoredOn": "effectiveDateTime", **{name: name for name in _LISTS}})
        notes = [{"text": text} for text in texts_of(source.get("note"))]
        _copy({"note": notes or None}, out, {"note": "note"})
        encounter = "encounter" if version is FhirVersion.R4 else "context"
        _copy(source, out, {encounter: "context"})
        dosages = _items(source, "dosageInstruction")
    if dosages:
        out["dosage"] = dosages
    if type(request.get("id")) is str:
        link = [{"reference": f"{_request_type(version)}/{request['id']}"}]
        out["supportingInformation" if version is FhirVersion.DSTU2 else "basedOn"] = link
    if version is FhirVersion.STU3:
        out["taken"] = "unk"
    return out


def _order_dosage(dosage: JsonObject) -> JsonObject:
    """A DSTU2 order's dosage as a DSTU2 statement writes it."""
    renamed = {"doseQuantity": "quantityQuantity", "doseRange": "quantityRange"}
    return {renamed.get(key, key): value for key, value in dosage.items() if key != "additionalInstructions"}


def _request_type(version: FhirVersion) -> str:
    return "MedicationOrder" if version is FhirVersion.DSTU2 else "MedicationRequest"


def _copy(source: JsonObject, out: JsonObject, names: dict[str, str]) -> None:
    out.update({new: source[old] for old, new in names.items() if source.get(old) is not None})


def _items(source: JsonObject, name: str) -> list[Any]:
    held = source.get(name)
    return [one for one in held if type(one) is dict] if type(held) is list else []
