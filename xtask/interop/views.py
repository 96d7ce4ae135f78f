"""What views show, made a second time from what the docs say, over Python's own protobuf: points
(docs/points.md) and filters (docs/websocket.md, "Filters")."""

import base64
import json
import math
import re
from datetime import datetime, timezone

from google.protobuf import json_format

from judge import otlp_json

TEMPORALITIES = (None, "delta", "cumulative")
KINDS = (None, "internal", "server", "client", "producer", "consumer")
STATUSES = (None, "ok", "error")
TYPES = {
    "gauge": "gauge",
    "sum": "sum",
    "histogram": "histogram",
    "exponential_histogram": "exponentialHistogram",
    "summary": "summary",
}
# The lists of a request, from the outermost in.
LISTS = {
    "metrics": ("resource_metrics", "scope_metrics", "metrics"),
    "traces": ("resource_spans", "scope_spans", "spans"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
}
SECOND = 10**9  # nanoseconds


def rendering(shape, wire, request):
    """What a frame of a format says of a request: bytes, or a JSON value; of points, a list."""
    match shape:
        case "otlp":
            return otlp_json(request)
        case "protojson":
            return json_format.MessageToDict(request)
        case "points":
            return points(request)
        case "protobuf":
            return wire


def known(**members):
    """An object of those members that say something."""
    return {name: value for name, value in members.items() if value not in (None, "", {}, [])}


def named(names, number):
    """The name of an enum's number; nothing for 0, and the number where there is no name."""
    if not 0 <= number < len(names):
        return number
    return names[number]


def time(nanos):
    """A time that is known."""
    if nanos == 0:
        return None
    whole = datetime.fromtimestamp(nanos // SECOND, timezone.utc)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{nanos % SECOND:09}Z"


def double(number):
    """A double, or its name."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def value(any_value):
    """A value without the words for its type."""
    kind = any_value.WhichOneof("value")
    inner = getattr(any_value, kind or "", None)
    match kind:
        case "double_value":
            return double(inner)
        case "bytes_value":
            return base64.b64encode(inner).decode()
        case "array_value":
            return [value(one) for one in inner.values]
        case "kvlist_value":
            return attributes(inner.values)
        case "string_value_strindex":
            return None
        case _:
            return inner


def attributes(pairs):
    """An object; of keys that come twice, the last."""
    return {pair.key: value(pair.value) for pair in pairs}


def optional(message, field):
    """A double that may be absent."""
    return double(getattr(message, field)) if message.HasField(field) else None


def number(point):
    """The value of a point or an exemplar."""
    kind = point.WhichOneof("value")
    return None if kind is None else double(getattr(point, kind))


def ids(message):
    """Which trace and span it belongs to."""
    return {"traceId": message.trace_id.hex(), "spanId": message.span_id.hex()}


def exemplar(one):
    return known(
        time=time(one.time_unix_nano),
        value=number(one),
        **ids(one),
        attributes=attributes(one.filtered_attributes),
    )


def buckets(message, field):
    """One side of an exponential histogram."""
    if not message.HasField(field):
        return None
    side = getattr(message, field)
    return {"offset": side.offset} | known(buckets=list(side.bucket_counts))


def distribution(point):
    """What both kinds of histograms have."""
    sums = {name: optional(point, name) for name in ("sum", "min", "max")}
    return {"count": point.count} | known(**sums)


def measured(kind, point):
    """What a point of each kind has for itself."""
    match kind:
        case "gauge" | "sum":
            return known(value=number(point))
        case "histogram":
            bounds = [double(bound) for bound in point.explicit_bounds]
            return distribution(point) | known(bounds=bounds, buckets=list(point.bucket_counts))
        case "exponential_histogram":
            sides = {side: buckets(point, side) for side in ("positive", "negative")}
            threshold = double(point.zero_threshold) or None
            scale = {"scale": point.scale, "zeroCount": point.zero_count}
            return distribution(point) | scale | known(zeroThreshold=threshold, **sides)
        case "summary":
            quantiles = [
                {"quantile": double(one.quantile), "value": double(one.value)}
                for one in point.quantile_values
            ]
            totals = {"count": point.count, "sum": double(point.sum)}
            return totals | known(quantiles=quantiles)


def data_points(metric):
    """The lines of a metric."""
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    about = known(name=metric.name, unit=metric.unit, type=TYPES[kind])
    if hasattr(data, "aggregation_temporality"):
        about |= known(temporality=named(TEMPORALITIES, data.aggregation_temporality))
    if kind == "sum":
        about["monotonic"] = data.is_monotonic
    for point in data.data_points:
        yield about | measured(kind, point) | known(
            time=time(point.time_unix_nano),
            start=time(point.start_time_unix_nano),
            flags=point.flags or None,
            exemplars=[exemplar(one) for one in getattr(point, "exemplars", ())],
            attributes=attributes(point.attributes),
        )


def event(one):
    return known(
        time=time(one.time_unix_nano), name=one.name, attributes=attributes(one.attributes)
    )


def link(one):
    return known(
        **ids(one),
        traceState=one.trace_state,
        flags=one.flags or None,
        attributes=attributes(one.attributes),
    )


def span(one):
    begin, end = one.start_time_unix_nano, one.end_time_unix_nano
    line = known(
        time=time(begin),
        end=time(end),
        name=one.name,
        kind=named(KINDS, one.kind),
        **ids(one),
        parentSpanId=one.parent_span_id.hex(),
        traceState=one.trace_state,
        flags=one.flags or None,
        status=named(STATUSES, one.status.code),
        message=one.status.message,
        events=[event(inner) for inner in one.events],
        links=[link(inner) for inner in one.links],
        attributes=attributes(one.attributes),
    )
    return line | ({"duration": end - begin} if 0 < begin <= end else {})


def record(one):
    line = known(
        time=time(one.time_unix_nano or one.observed_time_unix_nano),
        observed=time(one.observed_time_unix_nano),
        name=one.event_name,
        severity=one.severity_text,
        severityNumber=one.severity_number or None,
        **ids(one),
        flags=one.flags or None,
        attributes=attributes(one.attributes),
    )
    return line | ({"body": value(one.body)} if one.HasField("body") else {})


def points(request):
    """All lines of a request."""
    lines = []
    for resource, scope, signal, elements in groups(request):
        about = known(
            resource=attributes(resource.attributes),
            scope=known(
                name=scope.name, version=scope.version, attributes=attributes(scope.attributes)
            ),
        )
        for element in elements:
            match signal:
                case "metrics":
                    found = data_points(element)
                case "traces":
                    found = [span(element)]
                case "logs":
                    found = [record(element)]
            lines += [{"signal": signal} | line | about for line in found]
    return lines


def groups(request):
    """Each resource and scope, with the signal and the list of what they hold."""
    for signal, (resources, scopes, elements) in LISTS.items():
        for resource in getattr(request, resources, ()):
            for scope in getattr(resource, scopes):
                yield resource.resource, scope.scope, signal, getattr(scope, elements)


def drop(elements, unwanted):
    """Takes out of a list of protobuf what is not wanted."""
    for at in reversed(range(len(elements))):
        if unwanted(elements[at]):
            del elements[at]


def glob(pattern):
    """A function that tells whether a whole text matches."""
    signs = {"*": ".*", "?": "."}
    parts = (signs.get(sign, re.escape(sign)) for sign in pattern)
    return re.compile("".join(parts), re.DOTALL).fullmatch


def text_of(any_value):
    """An attribute as globs see it: a string as it is, anything else as its JSON."""
    shown = value(any_value)
    return shown if isinstance(shown, str) else json.dumps(shown)


class Filter:
    """The clauses of a query: pairs of a name and a glob."""

    def __init__(self, clauses):
        self.globs, self.severity = {}, 0
        for name, pattern in clauses:
            if name == "severity":
                self.severity = int(pattern)
            else:
                self.globs.setdefault(name, []).append(glob(pattern))

    def wants(self, subject, text):
        """Whether a clause about this, if there is one, is fulfilled."""
        return subject not in self.globs or any(match(text) for match in self.globs[subject])

    def wants_attributes(self, kind, pairs):
        """The same for attributes, which have to be there."""
        texts = {f"{kind}.{pair.key}": text_of(pair.value) for pair in pairs}
        asked = [subject for subject in self.globs if subject.startswith(f"{kind}.")]
        return all(subject in texts and self.wants(subject, texts[subject]) for subject in asked)

    def wants_item(self, item):
        """Whether a data point, a span or a record stays."""
        if hasattr(item, "severity_number") and item.severity_number < self.severity:
            return False
        if hasattr(item, "kind") and not self.wants("span", item.name):
            return False
        return self.wants_attributes("attr", item.attributes)

    def wants_metric(self, metric):
        """Whether a metric stays, without those of its points that don't."""
        if not self.wants("metric", metric.name):
            return False
        if not any(subject.startswith("attr.") for subject in self.globs):
            return True
        points = getattr(metric, metric.WhichOneof("data")).data_points
        drop(points, lambda point: not self.wants_item(point))
        return len(points) > 0

    def left(self, request):
        """What is left of a request; nothing if that is nothing."""
        request = type(request).FromString(request.SerializeToString())
        for resource, scope, signal, elements in groups(request):
            around = self.wants("scope", scope.name) and self.wants_attributes(
                "resource", resource.attributes
            )
            wants = self.wants_metric if signal == "metrics" else self.wants_item
            drop(elements, lambda element: not (around and wants(element)))
        for resources, scopes, elements in LISTS.values():
            found = getattr(request, resources, ())
            for resource in found:
                drop(getattr(resource, scopes), lambda scope: not getattr(scope, elements))
            drop(found, lambda resource: not getattr(resource, scopes))
        return request if request.ListFields() else None
