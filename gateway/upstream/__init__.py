"""The hospitals' FHIR servers: how to reach them, with whose credentials, and what to make of what they answer."""

from gateway.upstream.addresses import AddressRefused, check_address
from gateway.upstream.answers import UpstreamAnswer
from gateway.upstream.credentials import Credentials
from gateway.upstream.transport import Upstream, UpstreamResponse

__all__ = ["AddressRefused", "Credentials", "Upstream", "UpstreamAnswer", "UpstreamResponse", "check_address"]
