"""Bundles of answers and OperationOutcomes in the terms of another release."""

from collections import Counter

from gateway.versions.adapt import clone, express
from gateway.versions.adaptation import Adaptation, UnmappedResourceType
from gateway.versions.compile import converter
from gateway.versions.table import Json, JsonObject, NotExpressibleError
from gateway.versions.type_names import adapt_url
from gateway.versions.version import FhirVersion

_METHODS_BELOW_R4 = ("GET", "POST", "PUT", "DELETE")


def adapt_outcome(outcome: JsonObject, adaptation: Adaptation) -> JsonObject:
    """Return an OperationOutcome as the target release writes it; an unreadable one becomes one that says no more
    than that.
    """
    if adaptation.source is adaptation.target:
        return _clone_object(outcome)
    try:
        converted = converter("OperationOutcome", adaptation.source, adaptation.target)(outcome)
    except NotExpressibleError:
        converted = None
    return (
        {"resourceType": "OperationOutcome", **converted}
        if converted
        else outcome_of("exception", "The server's outcome could not be shown.")
    )


def outcome_of(code: str, diagnostics: str) -> JsonObject:
    """Return an OperationOutcome of one error, alike in all releases."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": diagnostics}],
    }


def adapt_bundle(bundle: JsonObject, adaptation: Adaptation, hidden: Counter[str] | None = None) -> JsonObject:
    """Return a searchset, history or batch-response with every entry in the target release's terms.

    Entries that must not be shown, and included resources of a type without mapping, are left out. `total` is lowered
    by the matches that were left out of this page, never below the matches that are on it: exact for a bundle that
    holds all matches, otherwise an upper bound. A batch-response keeps one entry per request: what must not be shown
    is a 404 with an outcome there. Type names are adapted in fullUrl, response.location and the path of request.url;
    `link` stays as it is. The source is not touched. `hidden`, where given, counts what was left out, by fixed words
    that may be logged.
    """
    counted: Counter[str] = Counter() if hidden is None else hidden
    out: JsonObject = {"resourceType": "Bundle"}
    for key in _BUNDLE[adaptation.target]:
        if key in bundle and bundle[key] not in (None, [], {}):
            out[key] = clone(bundle[key])
    if "meta" in out and adaptation.source is not adaptation.target:
        _set(out, "meta", converter("Meta", adaptation.source, adaptation.target)(bundle["meta"]))
    entries, lost = _entries(bundle, adaptation, counted)
    if entries:
        out["entry"] = entries
    total = bundle.get("total")
    if type(total) is int:
        out["total"] = max(total - lost, sum(map(_is_match, entries)))
    return out


_COMMON = ("id", "type", "total", "link", "meta", "language")
_BUNDLE = {
    FhirVersion.DSTU2: _COMMON,
    FhirVersion.STU3: (*_COMMON, "identifier"),
    FhirVersion.R4: (*_COMMON, "identifier", "timestamp"),
}


def _entries(bundle: JsonObject, adaptation: Adaptation, counted: Counter[str]) -> tuple[list[JsonObject], int]:
    held = bundle.get("entry")
    answers_requests = bundle.get("type") in ("batch-response", "transaction-response")
    entries: list[JsonObject] = []
    lost = 0
    for entry in held if type(held) is list else ():
        if type(entry) is not dict:
            continue
        try:
            entries.append(_entry(entry, adaptation, counted))
        except (NotExpressibleError, UnmappedResourceType) as error:
            unmapped = isinstance(error, UnmappedResourceType)
            counted["unmapped-type" if isinstance(error, UnmappedResourceType) else error.reason] += 1
            if answers_requests:
                entries.append(_not_found(adaptation.target, unmapped=unmapped))
            else:
                lost += _is_match(entry)
    return entries, lost


def _is_match(entry: JsonObject) -> bool:
    search = entry.get("search")
    return type(search) is not dict or search.get("mode", "match") == "match"


def _entry(entry: JsonObject, adaptation: Adaptation, counted: Counter[str]) -> JsonObject:
    source, target = adaptation.source, adaptation.target
    if source is not target and entry.get("modifierExtension"):
        raise NotExpressibleError("modifier-extension")
    out: JsonObject = {}
    for key in ("id", "link", "fullUrl"):
        if entry.get(key) not in (None, [], {}):
            out[key] = clone(entry[key])
    if type(out.get("fullUrl")) is str:
        out["fullUrl"] = adapt_url(out["fullUrl"], source, target)
    resource = entry.get("resource")
    if type(resource) is dict:
        out["resource"] = _any_resource(resource, adaptation, counted)
    if _is_filled(entry.get("search")):
        out["search"] = clone(entry["search"])
    if _is_filled(entry.get("request")):
        _set(out, "request", _request(entry["request"], adaptation))
    if _is_filled(entry.get("response")):
        out["response"] = _response(entry["response"], out, adaptation)
    return out


def _is_filled(value: Json) -> bool:
    return type(value) is dict and bool(value)


def _any_resource(resource: JsonObject, adaptation: Adaptation, counted: Counter[str]) -> JsonObject:
    if resource.get("resourceType") == "Bundle":
        return adapt_bundle(resource, adaptation, counted)
    if resource.get("resourceType") == "OperationOutcome":
        return adapt_outcome(resource, adaptation)
    return express(resource, adaptation)


def _request(request: JsonObject, adaptation: Adaptation) -> JsonObject | None:
    moved = _clone_object(request)
    if adaptation.target is not FhirVersion.R4 and moved.get("method") not in _METHODS_BELOW_R4:
        return None
    if type(moved.get("url")) is str:
        moved["url"] = adapt_url(moved["url"], adaptation.source, adaptation.target)
    return moved


def _response(response: JsonObject, out: JsonObject, adaptation: Adaptation) -> JsonObject:
    moved = {key: value for key, value in _clone_object(response).items() if key != "outcome"}
    if type(moved.get("location")) is str:
        moved["location"] = adapt_url(moved["location"], adaptation.source, adaptation.target)
    outcome = response.get("outcome")
    if type(outcome) is dict:
        adapted = adapt_outcome(outcome, adaptation)
        if adaptation.target is not FhirVersion.DSTU2:
            moved["outcome"] = adapted
        else:
            out.setdefault("resource", adapted)
    return moved


def _not_found(target: FhirVersion, *, unmapped: bool) -> JsonObject:
    reason = (
        "This resource type is not available in this FHIR version."
        if unmapped
        else "This resource cannot be shown in this FHIR version."
    )
    outcome = outcome_of("not-supported" if unmapped else "not-found", reason)
    if target is FhirVersion.DSTU2:
        return {"resource": outcome, "response": {"status": "404 Not Found"}}
    return {"response": {"status": "404 Not Found", "outcome": outcome}}


def _set(out: JsonObject, key: str, value: Json) -> None:
    if value is None:
        out.pop(key, None)
    else:
        out[key] = value


def _clone_object(value: JsonObject) -> JsonObject:
    copy: JsonObject = clone(value)
    return copy
