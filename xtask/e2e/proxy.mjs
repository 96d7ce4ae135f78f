/** A proxy between the browser and the relay: one that cuts, or one that takes a prefix off. */

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

/** A pipe of bytes to the relay's port, until the test has ended. `cut()` ends every connection and refuses new ones;
 * `received()` is how many bytes the relay has sent, `refused()` how many connections were refused. */
export async function startPipe(t, port) {
  const open = new Set();
  let [refusing, refused, bytes] = [false, 0, 0];
  const server = net.createServer((near) => {
    if (refusing) {
      refused += 1;
      return near.destroy();
    }
    const far = net.connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => open.delete(socket));
    }
    near.pipe(far);
    far.pipe(near);
    far.on('data', ({ length }) => {
      bytes += length;
    });
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    refusing = true;
    for (const socket of open) socket.destroy();
  };
  t.after(() => {
    cut();
    server.close();
  });
  const mend = () => {
    refusing = false;
  };
  return { base: `http://127.0.0.1:${server.address().port}/`, cut, mend, received: () => bytes, refused: () => refused };
}

/** A reverse proxy that serves the relay below a prefix and takes it off, like many in the wild. */
export async function startPrefix(t, port, prefix) {
  const target = (url) => (url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : undefined);
  const server = http.createServer((request, response) => {
    const path = target(request.url);
    if (path === undefined) return response.writeHead(404).end();
    const onward = http.request({ port, host: '127.0.0.1', path, method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('upgrade', (request, near) => {
    const far = net.connect(port, '127.0.0.1', () => {
      const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      far.write(`GET ${target(request.url)} HTTP/1.1\r\n${headers.join('')}\r\n`);
      near.pipe(far);
      far.pipe(near);
    });
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `http://127.0.0.1:${server.address().port}${prefix}/` };
}
