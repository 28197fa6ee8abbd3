"""Plays the Patients app: the calls that it makes, in its order, with a fresh token for every request."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import requests

from local.stack_file import DemoClient

type Resource = dict[str, Any]
type Release = Literal["dstu2", "stu3", "r4"]

OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
RELEASES: dict[str, Release] = {"1.0": "dstu2", "3.0": "stu3", "4.0": "r4"}
MEDICATION: dict[Release, str] = {
    "dstu2": "MedicationOrder",
    "stu3": "MedicationRequest",
    "r4": "MedicationRequest",
}
MEDIA_TYPE: dict[Release, str] = {
    "dstu2": "application/json+fhir",
    "stu3": "application/fhir+json",
    "r4": "application/fhir+json",
}
TIMEOUT_SECONDS = 60


class CallFailed(Exception):
    """A call of the app did not bring what the app needs; the text holds no patient's data."""


@dataclass(frozen=True)
class Hop:
    """One call: its status, the time (ms) the app waited, and the parts (ms) that `Server-Timing` names."""

    call: str
    status: int
    waited: float
    parts: Mapping[str, float]


@dataclass
class PatientsApp:
    """The app at one tenant, on the face at `base_url`. Every method raises CallFailed; `hops` grows."""

    session: requests.Session
    base_url: str
    client: DemoClient
    tenant_id: str
    release: Release = field(init=False)
    hops: list[Hop] = field(default_factory=list)

    def open(self) -> str:
        """Read the capability statement without a token and pivot on its `fhirVersion`, which is returned."""
        statement = self._json(
            "GET metadata", self._call("GET metadata", "GET", f"{self.base_url}/metadata", headers={})
        )
        version = str(statement.get("fhirVersion", ""))
        release = RELEASES.get(".".join(version.split(".")[:2]))
        if release is None:
            raise CallFailed(f"metadata: fhirVersion {version!r} is none that the app knows")
        self.release = release
        self._token_url = _token_url(statement)
        return version

    def list_patients(self, count: int = 20) -> tuple[int, list[Resource]]:
        """The first page of the patient list: `Bundle.total`, and the patients."""
        bundle = self._fhir(
            "POST Patient/_search", "POST", f"{self.base_url}/Patient/_search", form={"_count": str(count)}
        )
        total = bundle.get("total")
        if not isinstance(total, int):
            raise CallFailed("POST Patient/_search: the answer has no Bundle.total")
        return total, resources(bundle)

    def chart(self, patient_id: str) -> dict[str, list[Resource]]:
        """Ask in one batch what the app asks when a patient is opened: resources by type."""
        urls = chart_requests(self.release, patient_id)
        batch = {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [{"request": {"method": "GET", "url": url}} for url in urls],
        }
        answer = self._fhir(f"POST batch of {len(urls)}", "POST", self.base_url, bundle=batch)
        entries = answer.get("entry", [])
        if answer.get("type") != "batch-response" or len(entries) != len(urls):
            raise CallFailed("batch: the answer is no batch-response with one entry per request")
        found: dict[str, list[Resource]] = {}
        for url, entry in zip(urls, entries, strict=True):
            name = url.partition("?")[0].partition("/")[0]
            status = str(entry.get("response", {}).get("status", ""))
            if not status.startswith("200"):
                raise CallFailed(f"batch: the entry for {name} answered {status or 'no status'}")
            resource = entry.get("resource", {})
            found[name] = resources(resource) if resource.get("resourceType") == "Bundle" else [resource]
        return found

    def read(self, reference: str) -> Resource:
        """The resource behind a reference, relative or absolute."""
        name = "/".join(reference.split("/")[-2:])
        url = reference if "://" in reference else f"{self.base_url}/{name}"
        if not url.startswith(f"{self.base_url}/"):
            raise CallFailed(f"a {name.partition('/')[0]} reference leads away from the service")
        return self._fhir(f"GET {name.partition('/')[0]}/…", "GET", url)

    def _fhir(
        self,
        call: str,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        bundle: Resource | None = None,
    ) -> Resource:
        headers = {"Accept": MEDIA_TYPE[self.release], "Authorization": f"Bearer {self._token()}"}
        if bundle is not None:
            headers["Content-Type"] = MEDIA_TYPE[self.release]
        body = form if bundle is None else json.dumps(bundle)
        return self._json(call, self._call(call, method, url, headers=headers, body=body))

    def _token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client.client_id,
            "client_secret": self.client.client_secret,
            "scope": self.tenant_id,
        }
        answer = self._json("POST token", self._call("POST token", "POST", self._token_url, headers={}, body=form))
        if answer.get("token_type") != "Bearer" or not isinstance(answer.get("access_token"), str):
            raise CallFailed("POST token: the answer holds no bearer token")
        return str(answer["access_token"])

    def _call(
        self,
        call: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: Mapping[str, str] | str | None = None,
    ) -> requests.Response:
        began = time.perf_counter()
        try:
            answer = self.session.request(method, url, headers=headers, data=body, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise CallFailed(f"{call}: {type(error).__name__}") from error
        waited = (time.perf_counter() - began) * 1000
        parts = server_timing(answer.headers.get("Server-Timing", ""))
        self.hops.append(Hop(call, answer.status_code, waited, parts))
        return answer

    @staticmethod
    def _json(call: str, answer: requests.Response) -> Resource:
        if answer.status_code != requests.codes.ok:
            raise CallFailed(f"{call} answered {answer.status_code}")
        try:
            content = answer.json()
        except requests.JSONDecodeError:
            raise CallFailed(f"{call}: the answer is no JSON") from None
        if not isinstance(content, dict):
            raise CallFailed(f"{call}: the answer is no JSON object")
        return content


def chart_requests(release: Release, patient_id: str) -> list[str]:
    """The entries of the app's batch for one patient, with the sort syntax that it uses in that release."""
    sort = {"dstu2": "_sort:desc=date", "stu3": "_sort=-date", "r4": "_sort=-date"}[release]
    # The app sorts encounters the DSTU2 way in STU3, too.
    encounter_sort = "_sort=-date" if release == "r4" else "_sort:desc=date"
    return [
        f"Patient/{patient_id}",
        f"Observation?patient={patient_id}&category=vital-signs&{sort}",
        f"Condition?patient={patient_id}&_count=10",
        f"Encounter?patient={patient_id}&{encounter_sort}&_count=1",
        f"AllergyIntolerance?patient={patient_id}",
        f"{MEDICATION[release]}?patient={patient_id}&_count=10",
        f"Coverage?patient={patient_id}",
    ]


def resources(bundle: Resource) -> list[Resource]:
    """The resources of a searchset that matched, without what was included and without outcomes."""
    return [
        entry["resource"]
        for entry in bundle.get("entry", [])
        if "resource" in entry and entry.get("search", {}).get("mode", "match") == "match"
    ]


def server_timing(header: str) -> dict[str, float]:
    """The durations (ms) of a `Server-Timing` header by name; entries without one are left out."""
    durations = {}
    for metric in header.split(","):
        name, *parameters = (part.strip() for part in metric.split(";"))
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "dur":
                durations[name] = float(value.strip().strip('"'))
    return durations


def _token_url(statement: Resource) -> str:
    extensions: Sequence[Resource] = [
        extension
        for rest in statement.get("rest", [])
        for extension in rest.get("security", {}).get("extension", [])
        if extension.get("url") == OAUTH_URIS
    ]
    for extension in extensions:
        for child in extension.get("extension", []):
            if child.get("url") == "token" and child.get("valueUri"):
                return str(child["valueUri"])
    raise CallFailed("metadata: the capability statement names no token URL")
