"""A collector on loopback that decodes OTLP as strictly as the schema allows, and misbehaves when it is told to."""
import http.server
import socket
import threading
import zlib

from google.protobuf import unknown_fields
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.trace.v1 import trace_pb2 as trace

STAGES = ["camera_capture", "preprocessing", "ml_inference", "postprocessing"]
FRAME_WAY = [name for stage in STAGES for name in (f"{stage}.wait", stage)]
SERVING_WAY = [name for stage in ("encoding", "network_transmission") for name in (f"{stage}.wait", stage)]
W3C_FLAGS, REMOTE_KNOWN, REMOTE = 0xFF, 0x100, 0x200


def require(holds, what):
    if not holds:
        raise ValueError(what)


def refuse_unknown(message):
    """No field that the schema does not have, at any depth."""
    require(len(unknown_fields.UnknownFieldSet(message)) == 0, f"unknown fields in {message.DESCRIPTOR.full_name}")
    for field, value in message.ListFields():
        if field.message_type:
            for part in value if hasattr(value, "append") else [value]:
                refuse_unknown(part)


def attributes(pairs):
    """As a dictionary; a key twice or an empty value is refused."""
    found = {}
    for pair in pairs:
        require(pair.key and pair.key not in found, f"attribute {pair.key!r} is empty or there twice")
        kind = pair.value.WhichOneof("value")
        require(kind is not None, f"attribute {pair.key} has no value")
        found[pair.key] = getattr(pair.value, kind)
    return found


def check_span(span):
    require(len(span.trace_id) == 16 and any(span.trace_id), "a trace id is 16 bytes, not all zero")
    require(len(span.span_id) == 8 and any(span.span_id), "a span id is 8 bytes, not all zero")
    require(len(span.parent_span_id) in (0, 8), "a parent id is 8 bytes")
    require(span.name and len(span.trace_state) <= 512, "a name, and a bounded tracestate")
    require(span.kind in (trace.Span.SPAN_KIND_INTERNAL, trace.Span.SPAN_KIND_SERVER), "kind")
    require(0 < span.start_time_unix_nano <= span.end_time_unix_nano, f"{span.name} ends before it starts")
    require(span.flags & 1 and span.flags & REMOTE_KNOWN, "flags: sampled, and the parent's place known")
    require(span.flags & ~(W3C_FLAGS | REMOTE_KNOWN | REMOTE) == 0, "reserved flags")
    if span.HasField("status"):
        require(span.status.code == trace.Status.STATUS_CODE_ERROR and span.status.message, "an error says why")
    for link in span.links:
        require(len(link.trace_id) == 16 and any(link.trace_id) and len(link.span_id) == 8 and any(link.span_id),
                "a link's ids")
    for key, value in attributes(span.attributes).items():
        require(not key.endswith("_seconds") or isinstance(value, float), f"{key} is a number of seconds")


def check_family(root, children):
    """Children of one root: its trace, within it, and in the order of the way, each name once."""
    way = FRAME_WAY if root.name == "frame" else SERVING_WAY
    places = [way.index(child.name) for child in children]
    require(places == sorted(set(places)), f"children of {root.name}: {[c.name for c in children]}")
    require(root.name != "frame" or places == list(range(len(places))), "a stage of the way is missing")
    at = root.start_time_unix_nano
    for child in children:
        require(child.trace_id == root.trace_id, "a parent in another trace")
        require(child.start_time_unix_nano >= at, f"{child.name} starts before what precedes it has ended")
        require(child.end_time_unix_nano <= root.end_time_unix_nano, f"{child.name} ends after its root")
        require(child.trace_state == root.trace_state, "tracestate differs within a trace")
        at = child.end_time_unix_nano


def decode(body):
    """(resource attributes, spans) of a request; ValueError for anything that is not exactly right."""
    request = service.ExportTraceServiceRequest.FromString(body)
    refuse_unknown(request)
    require(request.SerializeToString() == body, "not the canonical encoding")
    require(len(request.resource_spans) == 1 and len(request.resource_spans[0].scope_spans) == 1,
            "one resource and one scope")
    resource_spans = request.resource_spans[0]
    scope_spans = resource_spans.scope_spans[0]
    scope = scope_spans.scope
    require(scope.name == "its-camera-ai/latency" and scope.version, "the scope's name and version")
    resource = attributes(resource_spans.resource.attributes)
    require(set(resource) == {"service.name", "service.version", "service.instance.id", "host.name"},
            f"the resource is {sorted(resource)}")
    spans = list(scope_spans.spans)
    require(spans, "an empty request")
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    require(len(by_id) == len(spans), "a span twice")
    families = {}
    for span in spans:
        check_span(span)
        if span.kind == trace.Span.SPAN_KIND_INTERNAL and span.name != "frame":
            require((span.trace_id, span.parent_span_id) in by_id, f"{span.name} without its parent in the request")
            families.setdefault((span.trace_id, span.parent_span_id), []).append(span)
    for key, children in families.items():
        check_family(by_id[key], children)
    return resource, spans


def unpack(body, encoding):
    """The body as it was before it was packed: one whole member of gzip with nothing behind it, and smaller for it."""
    if encoding is None:
        return body
    require(encoding == "gzip", f"content encoding {encoding}")
    member = zlib.decompressobj(wbits=31)
    plain = member.decompress(body)
    require(member.eof and not member.unused_data, "gzip that is cut off, or has something behind it")
    require(len(body) < len(plain), "packed for nothing")
    return plain


class Collector:
    """Answers each request as `answers` says, then with success. An answer is (status, headers, body), or "hang"."""

    def __init__(self, port=0, answers=()):
        self.answers = list(answers)
        self.requests, self.connections = 0, 0
        self.bodies, self.spans, self.resources, self.errors, self.headers = [], [], [], [], []
        self.lock, self.released = threading.Lock(), threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                with collector.lock:
                    collector.connections += 1

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = collector.take(self.path, self.headers, body)
                if answer == "hang":
                    collector.released.wait(60)
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request, client_address):
                pass  # a client that was told to give up

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def take(self, path, headers, body):
        with self.lock:
            self.requests += 1
            self.headers.append(dict(headers, path=path))
            answer = self.answers.pop(0) if self.answers else (200, {"Content-Type": "application/x-protobuf"}, b"")
            try:
                require(headers["Content-Type"] == "application/x-protobuf", "content type")
                body = unpack(body, headers["Content-Encoding"])
                self.bodies.append(body)
                resource, spans = decode(body)
                if answer != "hang" and answer[0] == 200:
                    self.resources.append(resource)
                    self.spans.extend(spans)
            except Exception as error:  # whatever it is, the test must see it
                self.errors.append(repr(error))
            return answer

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
