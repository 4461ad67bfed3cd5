#!/usr/bin/env python3
"""A TCP proxy that fails as told, between a client and a server of the tests.

usage: proxy.py HOST:PORT [--listen PORT]      (or a path: a unix socket)

Prints "port N". Reads commands from stdin, a line each, and answers "ok" when they hold:
  pass            as a cable: the state at the start
  delay MS        every piece arrives MS later, either way, in order
  stall           bytes are taken from nobody; connections stay open
  drop            bytes are taken and thrown away, and ends too: a half-open link, which neither side learns of
  cut [BYTES]     every connection is reset, with BYTES: each once that many more bytes of replies have gone through
  refuse          new connections are reset at once; those there are go on
  count           answers "ok N M": connections there are, and that there ever were
Ends with the end of stdin."""
import argparse
import asyncio
import socket
import struct
import sys


class Link:
    """One client's connection and the one to the server."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.writers = []
        self.left = None  # bytes of replies until it is cut

    def reset(self):
        for writer in self.writers:
            sock = writer.get_extra_info("socket")
            try:
                if sock.family != socket.AF_UNIX:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass  # closed before
            writer.transport.abort()

    async def carry(self, reader, writer, is_reply):
        """Reads ahead at most one piece; a delayed one is written by a task of its own, in order."""
        queue = asyncio.Queue(maxsize=256)
        sender = asyncio.create_task(self.deliver(queue, writer, is_reply))
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self.proxy.flowing.wait()
                data = await reader.read(65536)
                await self.proxy.flowing.wait()
                if self.proxy.mode == "drop":
                    if not data:
                        await asyncio.Event().wait()
                    continue
                await queue.put((loop.time() + self.proxy.delay, data))
                if not data:
                    break
            await sender
        finally:
            sender.cancel()

    async def deliver(self, queue, writer, is_reply):
        loop = asyncio.get_running_loop()
        while True:
            when, data = await queue.get()
            if when > loop.time():
                await asyncio.sleep(when - loop.time())
            if not data:
                writer.write_eof()
                return
            if is_reply and self.left is not None:
                data = data[: self.left]
                self.left -= len(data)
            writer.write(data)
            await writer.drain()
            if self.left == 0:
                await asyncio.sleep(0.01)  # what was let through arrives before the reset
                self.reset()
                return


class Proxy:
    def __init__(self, target):
        self.target = target
        self.mode = "pass"
        self.delay = 0.0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.links = set()
        self.ever = 0

    async def connect(self):
        if "/" in self.target:
            return await asyncio.open_unix_connection(self.target)
        host, port = self.target.rsplit(":", 1)
        return await asyncio.open_connection(host, int(port))

    async def accept(self, reader, writer):
        link = Link(self)
        link.writers.append(writer)
        if self.mode == "refuse":
            link.reset()
            return
        self.links.add(link)
        self.ever += 1
        try:
            server_reader, server_writer = await self.connect()
            link.writers.append(server_writer)
            await asyncio.gather(link.carry(reader, server_writer, False), link.carry(server_reader, writer, True))
        except OSError:
            pass
        finally:
            self.links.discard(link)
            for each in link.writers:
                each.transport.abort()

    def tell(self, words):
        verb = words[0]
        if verb == "count":
            return f"ok {len(self.links)} {self.ever}"
        if verb == "cut":
            for link in list(self.links):
                if len(words) > 1:
                    link.left = int(words[1])
                else:
                    link.reset()
            return "ok"
        if verb not in ("pass", "delay", "stall", "drop", "refuse"):
            return f"unknown command {verb}"
        self.mode = verb
        self.delay = float(words[1]) / 1000 if verb == "delay" else 0.0
        if verb == "stall":
            self.flowing.clear()
        else:
            self.flowing.set()
        return "ok"


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--listen", type=int, default=0)
    args = parser.parse_args()
    proxy = Proxy(args.target)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", args.listen)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    while line := await stdin.readline():
        if words := line.decode().split():
            print(proxy.tell(words), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
