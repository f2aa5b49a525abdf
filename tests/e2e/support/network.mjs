// SPDX-License-Identifier: MIT
// One person's way to the server, which can be cut: a port that passes bytes on. A browser told to
// be offline keeps the connections that it has, as no real one could.
import net from 'node:net';

export class Network {
  static async open(target) {
    const network = new Network();
    network.sockets = new Set();
    network.isUp = true;
    network.server = net.createServer((socket) => network.carry(socket, Number(target.port)));
    await new Promise((resolve) => network.server.listen(0, '127.0.0.1', resolve));
    network.url = `http://127.0.0.1:${network.server.address().port}`;
    return network;
  }

  carry(socket, port) {
    if (!this.isUp) {
      socket.destroy();
      return;
    }
    const onward = net.connect(port, '127.0.0.1');
    socket.pipe(onward).pipe(socket);
    const end = () => {
      socket.destroy();
      onward.destroy();
    };
    for (const side of [socket, onward]) {
      this.sockets.add(side);
      side.on('error', end);
      side.on('close', () => {
        this.sockets.delete(side);
        end();
      });
    }
  }

  cut() {
    this.isUp = false;
    for (const socket of this.sockets) socket.destroy();
  }

  mend() {
    this.isUp = true;
  }

  close() {
    this.cut();
    this.server.close();
  }
}
