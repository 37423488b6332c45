"""Traces by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set; imported by nobody otherwise.

A span for each request and each run of a job, by the route's or job's name, with the ids that log lines say: no
address, no statement, no person. All else is said by the library's own variables (OTEL_*).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

import loyalty
from loyalty.core.causes import Cause, Watch, watch_all


def start(processor: SpanProcessor | None = None) -> Watch:
    """Make spans from now on; answers what makes them. They go by OTLP, or to the processor that is given."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": "loyalty-back-office", "service.version": loyalty.__version__})
    )
    provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("loyalty")

    @contextmanager
    def spanned(what: Cause) -> Iterator[None]:
        kind = SpanKind.INTERNAL if what.job_id else SpanKind.SERVER
        # The library would write down what an error says.
        with tracer.start_as_current_span(
            what.doing, kind=kind, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(StatusCode.ERROR, type(error).__name__)
                raise
            finally:
                # A request's route is known by now.
                span.update_name(what.doing)
                span.set_attributes({"request_id": what.request_id, "job_id": what.job_id})

    watch_all(spanned)
    return spanned
