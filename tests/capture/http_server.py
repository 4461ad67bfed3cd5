#!/usr/bin/env python3
"""An HTTP camera for the tests, and a server that talks nonsense.

/live.ts      MPEG-TS, looped in real time, without an end
/cam.mjpg     multipart MJPEG, 25 pictures a second
/hls/...      what lies in the directory (a live playlist is made there by ffmpeg)
/secret/...   the same as above, with user "u" and password "p" (basic)

Prints "port N garbage M". Ends with the end of stdin.
"""
import argparse
import base64
import http.server
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.split("?")[0]
        if path.startswith("/secret/"):
            wanted = "Basic " + base64.b64encode(b"u:p").decode()
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            path = path[len("/secret") :]
        try:
            if path == "/live.ts":
                self.live()
            elif path == "/cam.mjpg":
                self.mjpeg()
            else:
                self.plain(path)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def live(self):
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        clip = os.path.join(self.server.directory, "clip.mp4")
        command = ["ffmpeg", "-nostdin", "-v", "error", "-re", "-stream_loop", "-1", "-i", clip]
        command += ["-c", "copy", "-f", "mpegts", "-flush_packets", "1", "-muxdelay", "0", "-"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as ffmpeg:
            try:
                while data := ffmpeg.stdout.read1(65536):
                    self.wfile.write(data)
            finally:
                ffmpeg.kill()

    def mjpeg(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        pictures = [p.read_bytes() for p in sorted(pathlib.Path(self.server.directory, "jpeg").glob("*.jpg"))]
        start = time.monotonic()
        for n in range(1 << 30):
            picture = pictures[n % len(pictures)]
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            self.wfile.write(head.encode() + picture + b"\r\n")
            time.sleep(max(0.0, start + (n + 1) / 25 - time.monotonic()))

    def plain(self, path):
        file = pathlib.Path(self.server.directory, path.lstrip("/"))
        if not file.is_file():
            self.send_error(404)
            return
        data = file.read_bytes()
        self.send_response(200)
        kind = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"}.get(file.suffix, "application/octet-stream")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def garbage():
    """Accepts, and answers whatever is asked with bytes that mean nothing."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(connection):
        try:
            connection.recv(4096)
            connection.sendall(bytes((i * 37 + 11) % 251 for i in range(4000)) + b"\r\n\r\n")
            connection.recv(4096)
        except OSError:
            pass
        connection.close()

    def accept():
        while True:
            threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    args = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.directory = args.directory
    server.daemon_threads = True
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    hls = pathlib.Path(args.directory, "hls")
    shutil.rmtree(hls, ignore_errors=True)
    hls.mkdir()
    command = ["ffmpeg", "-nostdin", "-v", "error", "-re", "-stream_loop", "-1"]
    command += ["-i", os.path.join(args.directory, "clip.mp4"), "-c", "copy", "-f", "hls", "-hls_time", "1"]
    command += ["-hls_list_size", "4", "-hls_flags", "delete_segments", str(hls / "live.m3u8")]
    with subprocess.Popen(command) as ffmpeg:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"port {server.server_address[1]} garbage {garbage()}", flush=True)
        sys.stdin.read()
        ffmpeg.kill()
    os._exit(0)


if __name__ == "__main__":
    main()
