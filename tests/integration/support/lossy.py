# SPDX-License-Identifier: MIT
"""A proxy in front of Redis that loses, repeats or delays single messages on their way to a
subscriber: what neither side can notice."""
import random
import socket
import threading
import time


class Lossy:
    def __init__(self, port, seed=1):
        self._target = port
        self._random = random.Random(seed)
        self.loss = 0.0    # of all messages, this share
        self.repeat = 0.0
        self.delay = 0.0   # seconds, for all
        self.lost = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return  # closed
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._sockets += [client, server]
            threading.Thread(target=self._copy, args=(client, server), daemon=True).start()
            threading.Thread(target=self._filter, args=(server, client), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            s.close()

    def _filter(self, source, sink):
        reader = source.makefile("rb")
        try:
            while reply := self._reply(reader):
                if self.delay:
                    time.sleep(self.delay)
                if reply.startswith(b"*3\r\n$7\r\nmessage\r\n") and b":probe:" not in reply:
                    if self._random.random() < self.loss:
                        self.lost += 1
                        continue
                    if self._random.random() < self.repeat:
                        sink.sendall(reply)
                sink.sendall(reply)
        except OSError:
            pass
        for s in (source, sink):
            s.close()

    def _reply(self, reader):
        """The bytes of one whole reply of the Redis protocol."""
        line = reader.readline()
        if line[:1] == b"$" and line != b"$-1\r\n":
            return line + reader.read(int(line[1:]) + 2)
        if line[:1] == b"*":
            return line + b"".join(self._reply(reader) for _ in range(int(line[1:])))
        return line

    def close(self):
        for s in (self._listener, *self._sockets):
            s.close()
