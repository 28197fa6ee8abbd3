"""Traces and metrics, through the OpenTelemetry API. Imported only where telemetry is switched on.

Names are those of the semantic conventions for HTTP, with two exceptions: paths, queries and addresses, which they ask
for, name patients and are left out; `tenant` and `face` are called as they are in log events.
"""

from collections.abc import Callable, Iterable, Mapping
from contextvars import Token
from time import perf_counter
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.exchange import Hop, Timing
from gateway.telemetry.metrics import CacheCounts, Metrics

_NAME = "patients-gateway"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_WHOLE = ("oauth2/token", "oauth2/revoke", "oauth2/jwks", "oauth2/authorize", "health/live", "health/ready")
_FAMILIES = ("fhir", "manage", "oauth2", "portal")
_SERVER_ERROR = 500
_TRACE_CONTEXT = TraceContextTextMapPropagator()


class Telemetry:
    """The process's traces and metrics. Requests are watched by `request`, exchanges with FHIR servers by `exchange`,
    the state of the service by `watch`.
    """

    def __init__(self, traces: TracerProvider, metrics: MeterProvider) -> None:
        self._tracer = traces.get_tracer(_NAME)
        self._metrics = Metrics(metrics.get_meter(_NAME))

    def request(self, method: str, url: str, headers: Mapping[str, str]) -> "ObservedRequest":
        """A `with` block around one request; its span continues the trace of the host, or else of the caller."""
        return ObservedRequest(self._tracer, self._metrics, _method(method), route_of(urlsplit(url).path), headers)

    def exchange(self, tenant_id: str, method: str, host: str) -> "ObservedExchange":
        return ObservedExchange(self._tracer, self._metrics, tenant_id, _method(method), host)

    def watch(self, caches: Iterable[CacheCounts], suspended: Callable[[], Mapping[str, str]]) -> None:
        """Report, whenever metrics are collected, what came of reads of the caches, and the tenants whose FHIR server
        is given a pause (state of the circuit by tenant id).
        """
        self._metrics.watch(caches, suspended)


class ObservedTiming(Timing):
    """A span for every hop as well, in a trace that is recorded: asking the sampler about each costs more than it."""

    __slots__ = ("_tracer", "face", "tenant")

    def __init__(self, tracer: trace.Tracer) -> None:
        super().__init__()
        self._tracer = tracer
        self.tenant = ""
        self.face = ""

    def hop(self, name: str) -> Hop:
        return _ObservedHop(self, name, self._tracer) if trace.get_current_span().is_recording() else Hop(self, name)

    def beside(self) -> "ObservedTiming":
        return ObservedTiming(self._tracer)

    def concerns(self, tenant_id: str, face: str) -> None:
        self.tenant, self.face = tenant_id, str(face)


class _Current:
    """A span that is the current one for a while."""

    __slots__ = ("_token", "span")

    def __init__(self, span: Span) -> None:
        self.span = span
        self._token: Token[Context] = context.attach(trace.set_span_in_context(span))

    def end(self, error: BaseException | None) -> None:
        context.detach(self._token)
        if error is not None:
            # The type alone: an exception's own text may quote what a hospital sent.
            self.span.set_attribute("error.type", type(error).__name__)
            if getattr(error, "status", _SERVER_ERROR) >= _SERVER_ERROR:
                self.span.set_status(StatusCode.ERROR)
        self.span.end()


class _ObservedHop(Hop):
    __slots__ = ("_current", "_tracer")

    def __init__(self, timing: Timing, name: str, tracer: trace.Tracer) -> None:
        super().__init__(timing, name)
        self._tracer = tracer

    def __enter__(self) -> None:
        self._current = _Current(self._tracer.start_span(self._name))
        super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, where)
        self._current.end(error)


class ObservedRequest:
    """`timing` is what the request is timed with; set `status` to the answer's."""

    def __init__(
        self, tracer: trace.Tracer, metrics: Metrics, method: str, route: str, headers: Mapping[str, str]
    ) -> None:
        self.timing = ObservedTiming(tracer)
        self.status = _SERVER_ERROR
        self._tracer = tracer
        self._metrics = metrics
        self._route = route
        self._method = method
        self._parent = _parent(headers)

    def __enter__(self) -> Self:
        attributes = {"http.request.method": self._method, "http.route": self._route}
        name = f"{self._method} {self._route}"
        self._current = _Current(
            self._tracer.start_span(name, context=self._parent, kind=SpanKind.SERVER, attributes=attributes)
        )
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _where: TracebackType | None
    ) -> None:
        span, timing = self._current.span, self.timing
        span.set_attribute("http.response.status_code", self.status)
        if timing.tenant:
            span.set_attribute("tenant", timing.tenant)
            span.set_attribute("face", timing.face)
        if self.status >= _SERVER_ERROR:
            span.set_status(StatusCode.ERROR)
        self._metrics.request(self._route, timing.tenant, timing.face, self.status, timing.total())
        self._current.end(error)


class ObservedExchange:
    """As `gateway.telemetry.watching.WatchedExchange` says."""

    def __init__(self, tracer: trace.Tracer, metrics: Metrics, tenant_id: str, method: str, host: str) -> None:
        self._tracer = tracer
        self._metrics = metrics
        self._tenant_id = tenant_id
        self._method = method
        self._host = host
        self.headers: dict[str, str] = {}
        self.status = 0

    def __enter__(self) -> Self:
        span = trace.get_current_span()
        if span.is_recording() or not span.get_span_context().is_valid:
            attributes = {"http.request.method": self._method, "server.address": self._host, "tenant": self._tenant_id}
            span = self._tracer.start_span(self._method, kind=SpanKind.CLIENT, attributes=attributes)
        self._current = _Current(span)
        self._started = perf_counter()
        sent = span.get_span_context()
        if sent.is_valid:
            # Not through the propagator: it would pass the caller's tracestate on as well.
            self.headers["traceparent"] = f"00-{sent.trace_id:032x}-{sent.span_id:016x}-{sent.trace_flags:02x}"
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _where: TracebackType | None
    ) -> None:
        outcome = f"{self.status // 100}xx" if self.status else "cancelled" if _cancelled(error) else "failed"
        if self.status:
            self._current.span.set_attribute("http.response.status_code", self.status)
        self._metrics.exchange(self._tenant_id, outcome, perf_counter() - self._started)
        self._current.end(error)


def route_of(path: str) -> str:
    """The route's template, which names no patient: `/fhir/{path}` for every address below `/fhir`."""
    below = path.strip("/").lower()
    if below in _WHOLE:
        return f"/{below}"
    family = below.partition("/")[0]
    return f"/{family}/{{path}}" if family in _FAMILIES else "/{path}"


def _method(method: str) -> str:
    return method if method in _METHODS else "_OTHER"


def _parent(headers: Mapping[str, str]) -> Context | None:
    """The span that the worker made current on behalf of the host, or else the caller's `traceparent`."""
    if trace.get_current_span().get_span_context().is_valid:
        return None
    sent = headers.get("traceparent")
    return _TRACE_CONTEXT.extract({"traceparent": sent}, Context()) if sent else None


def _cancelled(error: BaseException | None) -> bool:
    return error is not None and not isinstance(error, Exception)
