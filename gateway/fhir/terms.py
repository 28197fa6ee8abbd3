"""One tenant's FHIR server and one face: what each says, in the terms of the other."""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from gateway.errors import BadRequest, NotFound, NotSupported
from gateway.fhir.discretion import DiscreetRewriter
from gateway.fhir.faces import Face
from gateway.fhir.interactions import Interaction
from gateway.fhir.negotiation import Pairs
from gateway.fhir.urls import OwnAddresses, UrlRewriter
from gateway.registry import Tenant
from gateway.upstream.bundles import warning_entry
from gateway.upstream.systems import accept, request_options
from gateway.versions import (
    Adaptation,
    FhirVersion,
    RequestOptions,
    UnmappedResourceType,
    adapt_bundle,
    adapt_interaction,
    adapt_outcome,
    adapt_resource,
    adapt_type_name,
    can_adapt,
    is_mapped,
    medication_statements_from_requests,
)
from gateway.versions.adapt import complete_resource
from gateway.versions.statements import statement_from_request
from gateway.versions.type_names import TYPES

type Resource = dict[str, Any]

# Without these a search is about everybody: never to be left out.
_ABOUT_SOMEBODY = frozenset({"patient", "subject", "beneficiary", "subscriber", "_id", "identifier"})
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
# Terms kept: a tenant has at most six, three faces with their address and without.
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Asked:
    """What to ask the upstream, in its terms."""

    resource_type: str
    parameters: Pairs = field(default_factory=list)
    from_requests: bool = False
    """The server's MedicationRequests are asked for in place of MedicationStatements."""
    notes: tuple[str, ...] = ()
    """Names of parameters that were left out, because the upstream's release has no such thing."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`base` is the face's own address at the gateway, `accept` the media types that the upstream knows."""

    face: Face
    base: str
    adaptation: Adaptation
    options: RequestOptions
    urls: UrlRewriter
    own: OwnAddresses
    accept: str
    _known: dict[str, Asked] = field(default_factory=dict)
    """What reads of a type ask for, which is always the same."""

    @property
    def converts(self) -> bool:
        return self.adaptation.source is not self.adaptation.target

    def asked(self, interaction: Interaction, pairs: Sequence[tuple[str, str]], *, strict: bool = False) -> Asked:
        """An interaction of the face as one of the upstream.

        Raises NotSupported for a resource type that the face does not have or the gateway has no mapping of,
        BadRequest for a parameter that the upstream cannot be asked and that must not be left out, or may not because
        the caller is `strict` (search.html#errors).
        """
        if not pairs and (known := self._known.get(interaction.resource_type)) is not None:
            return known
        version, upstream = self.adaptation.target, self.adaptation.source
        if interaction.resource_type not in TYPES[version]:
            raise NotSupported(f"FHIR {self.face.number} has no resource type of this name.")
        own = [(name, self.own.references(value)) for name, value in pairs]
        adapted = adapt_interaction(interaction.resource_type, own, version, upstream, self.options)
        if not is_mapped(adapted.resource_type, upstream, version):
            raise NotSupported(
                f"The gateway does not show {interaction.resource_type} of an {upstream.upper()} server "
                f"as {version.upper()}."
            )
        parameters, unsupported = adapted.params, list(adapted.unsupported)
        if upstream is FhirVersion.DSTU2 and interaction.resource_type == "Coverage" and "patient" in unsupported:
            # Not in the standard, but in the contract of the Patients app, so a partner's server knows it; the results
            # are held against it anyway.
            unsupported = [name for name in unsupported if name != "patient"]
            parameters = [*parameters, *((name, value) for name, value in own if name == "patient")]
        if self.converts:
            # Elements have other names there, and a status that is not sent cannot tell of an error.
            parameters = [(name, value) for name, value in parameters if name != "_elements"]
        if unsupported and (strict or any(_plain(name) in _ABOUT_SOMEBODY for name in unsupported)):
            raise BadRequest(f"This tenant's FHIR server cannot be asked by {', '.join(map(_printable, unsupported))}.")
        notes = tuple(map(_printable, unsupported))
        asked = Asked(adapted.resource_type, parameters, adapted.from_requests, notes)
        if not pairs:
            self._known[interaction.resource_type] = asked
        return asked

    def resource(self, resource: Resource, asked: Asked) -> Resource:
        """A resource that was read, as the face shows it; outcomes and Bundles (a history) too. It may be changed.

        Raises NotFound when it must not be shown there, NotSupported when the gateway has no mapping.
        """
        kind = resource.get("resourceType")
        if kind == "OperationOutcome":
            return self.outcome(resource)
        if kind == "Bundle":
            return self.bundle(resource, asked)
        shown: Resource | None = resource
        if asked.from_requests:
            shown = statement_from_request(resource, self.adaptation.source)
        if shown is not None:
            shown = self._shown(shown)
        if shown is None:
            raise NotFound("This resource was entered in error, or cannot be shown safely in this FHIR version.")
        return shown

    def _shown(self, resource: Resource) -> Resource | None:
        if not self.converts:
            return resource if complete_resource(resource, self.adaptation) else None
        try:
            return adapt_resource(resource, self.adaptation)
        except UnmappedResourceType:
            raise NotSupported(f"The gateway does not show this resource type as FHIR {self.face.number}.") from None

    def bundle(self, bundle: Resource, asked: Asked) -> Resource:
        """A searchset or history as the face shows it; links are not touched. The Bundle may be changed."""
        bundle["entry"] = entries_of(bundle)
        if asked.notes:
            text = f"Ignored, because the FHIR server has no such parameter: {', '.join(asked.notes)}."
            bundle["entry"].append(warning_entry("not-supported", text))
        if asked.from_requests:
            bundle = medication_statements_from_requests(bundle, self.adaptation.source)
        if self.converts:
            return adapt_bundle(bundle, self.adaptation)
        self._complete(bundle)
        return bundle

    def _complete(self, bundle: Resource) -> None:
        """What `adapt_bundle` does between releases, for one and the same: in place, because it is the common case."""
        entries = bundle["entry"]
        kept = [entry for entry in entries if self._is_shown(entry)]
        lost = len(entries) - len(kept)
        if lost and isinstance(bundle.get("total"), int):
            bundle["total"] = max(bundle["total"] - lost, 0)
        if kept:
            bundle["entry"] = kept
        else:
            del bundle["entry"]  # FHIR JSON knows no empty arrays

    def _is_shown(self, entry: Resource) -> bool:
        resource = entry.get("resource")
        if not isinstance(resource, dict) or resource.get("resourceType") == "OperationOutcome":
            return True
        return complete_resource(resource, self.adaptation)

    def outcome(self, outcome: Resource) -> Resource:
        return adapt_outcome(outcome, self.adaptation) if self.converts else outcome

    def shown_type(self, upstream_type: str) -> str:
        return adapt_type_name(upstream_type, self.adaptation.source, self.adaptation.target)

    def address(self, resource_type: str, pairs: Sequence[tuple[str, str]]) -> str:
        query = urlencode(pairs, safe=":,/|$", quote_via=quote)
        return f"{self.base}/{resource_type}?{query}" if query else f"{self.base}/{resource_type}"


class Dictionary:
    """The terms of the tenants and faces that spoke last; made anew when the tenant is changed."""

    def __init__(self, fhir_base: str) -> None:
        self._fhir_base = fhir_base
        self._known: OrderedDict[tuple[str, FhirVersion, str], tuple[Tenant, Terms]] = OrderedDict()

    def terms(self, tenant: Tenant, face: Face, prefix: str) -> Terms:
        """The terms of a tenant and a face; `prefix` is the face's part of the address, such as `/stu3`, or empty.

        Raises NotSupported when there is no way from the server's release to the face's.
        """
        key = (tenant.tenant_id, face.version, prefix)
        known = self._known.get(key)
        if known is None or known[0] is not tenant:
            known = self._known[key] = (tenant, self._make(tenant, face, prefix))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return known[1]

    def _make(self, tenant: Tenant, face: Face, prefix: str) -> Terms:
        if not can_adapt(tenant.fhir_version, face.version):
            raise NotSupported(f"This tenant's FHIR server speaks {tenant.fhir_version.upper()}: use that face.")
        base = f"{self._fhir_base}{prefix}"
        return Terms(
            face=face,
            base=base,
            adaptation=Adaptation(tenant.fhir_version, face.version, tenant.mrn_system),
            options=request_options(tenant),
            urls=_urls(tenant, base),
            own=OwnAddresses(self._fhir_base, prefix),
            accept=accept(tenant),
        )


def _urls(tenant: Tenant, base: str) -> UrlRewriter:
    if tenant.extra_headers or tenant.extra_parameters:
        return DiscreetRewriter(tenant.fhir_url.rstrip("/"), base, tenant)
    return UrlRewriter(tenant.fhir_url.rstrip("/"), base)


def entries_of(bundle: Resource) -> list[Resource]:
    """The entries of a stranger's Bundle, as far as they are some."""
    held = bundle.get("entry")
    return [entry for entry in held if isinstance(entry, dict)] if isinstance(held, list) else []


def _plain(name: str) -> str:
    return name.partition(":")[0].partition(".")[0]


def _printable(name: str) -> str:
    """A parameter's name, fit for a text that may be logged: names are the standard's, what is none is a stranger's."""
    return (
        name if name.replace("-", "").replace("_", "").replace(":", "").replace(".", "").isalnum() else "(unreadable)"
    )
