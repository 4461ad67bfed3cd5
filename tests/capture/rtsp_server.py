#!/usr/bin/python3
"""A real RTSP server (GStreamer's) for the tests: loops an Annex-B file, or plays an MP4 once, on any number of mounts
/cam0, /cam1, ...

Prints "port N" when it listens. Commands on stdin, one a line: "stop" (closes the port and every connection), "start"
(the same port again), "mute" and "unmute" (connections stay, pictures stop and go on), "clients" (prints "clients N"),
"quit". The end of stdin ends it, so a test that dies leaves nothing behind.
"""
import argparse
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--codec", choices=["h264", "h265"], default="h264")
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--speed", type=int, default=1, help="so many times as fast as the stream itself says")
    parser.add_argument("--mounts", type=int, default=1)
    parser.add_argument("--stagger", type=float, default=0, metavar="SECONDS",
                        help="mounts begin their clip at places spread over so long: else all key frames come at once")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--no-stamps", action="store_true", help="time stamps that never advance, as some cameras send")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    return parser.parse_args()


class Server:
    def __init__(self, args):
        self.args = args
        self.port = args.port
        self.server = None
        self.source = 0
        self.muted = False
        self.auth = self.make_auth() if args.user or args.tls else None

    def make_auth(self):
        auth = GstRtspServer.RTSPAuth()
        if self.args.user:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            token = GstRtspServer.RTSPToken()
            token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
            auth.add_digest(self.args.user, self.args.password, token)
        else:
            token = GstRtspServer.RTSPToken()
            token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
            auth.set_default_token(token)
        if self.args.tls:
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(*self.args.tls))
        return auth

    def make_factory(self, skipped):
        factory = GstRtspServer.RTSPMediaFactory()
        args = self.args
        looped = (
            f"( multifilesrc location={args.file} loop=true "
            f"caps=video/x-{args.codec},stream-format=byte-stream,framerate={args.fps}/1 "
            f"! {args.codec}parse name=parse ! rtp{args.codec}pay name=pay0 pt=96 config-interval=1 )"
        )
        # an MP4 has presentation times of its own, B-frames included, and plays once
        once = (
            f"( filesrc location={args.file} ! qtdemux ! {args.codec}parse "
            f"! rtp{args.codec}pay name=pay0 pt=96 config-interval=1 )"
        )
        factory.set_launch(once if args.file.endswith(".mp4") else looped)
        factory.set_shared(True)
        factory.set_latency(0)
        factory.connect("media-configure", self.on_media, skipped)
        if self.auth:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("viewer", "media.factory.access", True)
            permissions.add_permission_for_role("viewer", "media.factory.construct", True)
            factory.set_permissions(permissions)
        return factory

    def on_media(self, _factory, media, skipped):
        if self.args.file.endswith(".mp4"):
            return

        place = skipped * Gst.SECOND // self.args.fps

        # a looped byte stream has decode times only, and RTP would send the same time stamp for ever
        def stamp(_pad, info):
            buffer = info.get_buffer()
            if buffer.dts < place:
                return Gst.PadProbeReturn.DROP
            if not self.args.no_stamps:
                buffer.pts = buffer.dts = (buffer.dts - place) // self.args.speed
            return Gst.PadProbeReturn.DROP if self.muted else Gst.PadProbeReturn.OK

        pad = media.get_element().get_by_name("parse").get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.BUFFER, stamp)

    def start(self):
        server = GstRtspServer.RTSPServer()
        server.set_address("127.0.0.1")
        server.set_service(str(self.port))
        server.set_backlog(256)
        if self.auth:
            server.set_auth(self.auth)
        mounts = server.get_mount_points()
        args = self.args
        for i in range(args.mounts):
            mounts.add_factory(f"/cam{i}", self.make_factory(round(args.stagger * args.fps * i / args.mounts)))
        self.source = server.attach(None)
        if not self.source:
            raise SystemExit("cannot listen")
        self.server = server
        self.port = server.get_bound_port()
        print(f"port {self.port}", flush=True)

    def stop(self):
        GLib.source_remove(self.source)
        self.server.client_filter(lambda _server, _client: GstRtspServer.RTSPFilterResult.REMOVE)
        self.server = None
        print("stopped", flush=True)

    def clients(self):
        found = self.server.client_filter(lambda _server, _client: GstRtspServer.RTSPFilterResult.REF)
        print(f"clients {len(found)}", flush=True)

    def command(self, line, loop):
        if line == "stop":
            self.stop()
        elif line == "start":
            self.start()
        elif line == "mute":
            self.muted = True
            print("muted", flush=True)
        elif line == "unmute":
            self.muted = False
            print("unmuted", flush=True)
        elif line == "clients":
            self.clients()
        else:
            loop.quit()
        return False


def main():
    args = parse()
    Gst.init(None)
    loop = GLib.MainLoop()
    server = Server(args)
    server.start()

    def read():
        for line in sys.stdin:
            GLib.idle_add(server.command, line.strip(), loop)
        GLib.idle_add(server.command, "quit", loop)

    threading.Thread(target=read, daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
