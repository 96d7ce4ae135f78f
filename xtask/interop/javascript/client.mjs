// Sessions of `ws` for a program in another language: what to do comes in as lines of JSON, what
// happens goes out as such. `id` names the session. Ends with its input.
//
// Usage: node client.mjs

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { exit, stdin, stdout } from "node:process";
import { text } from "node:stream/consumers";

import { WebSocket } from "ws";

const sockets = new Map();
// Nobody listens any more.
stdout.on("error", () => exit(1));

/** Says what has happened to a session. */
function tell(id, is, more = {}) {
  stdout.write(`${JSON.stringify({ id, is, ...more })}\n`);
}

/** Connects, and says from then on what comes. */
function open({ id, url, protocols, options: { ca, ...options } }) {
  const trusted = ca === undefined ? {} : { ca: readFileSync(ca) };
  const socket = new WebSocket(url, protocols, { ...options, ...trusted });
  let [extensions, isOpen] = ["", false];
  socket.on("upgrade", ({ headers }) => {
    extensions = headers["sec-websocket-extensions"] ?? "";
  });
  socket.on("open", () => {
    isOpen = true;
    tell(id, "open", { subprotocol: socket.protocol, extensions });
  });
  socket.on("unexpected-response", async (request, answer) => {
    const { statusCode: status, headers } = answer;
    tell(id, "refused", { status, headers, body: await text(answer) });
  });
  socket.on("message", (data, isBinary) => {
    const message = isBinary ? { bytes: data.toString("base64") } : { text: data.toString() };
    tell(id, "message", message);
  });
  socket.on("pong", (data) => tell(id, "pong", { bytes: data.toString("base64") }));
  socket.on("close", (code, reason) => tell(id, "close", { code, reason: reason.toString() }));
  socket.on("error", (error) => {
    // Of a session that was open, the close tells all.
    if (!isOpen) tell(id, "error", { text: error.message });
  });
  sockets.set(id, socket);
}

/** What can be done with a session. */
const commands = {
  send: (socket, { bytes, binary }) => socket.send(Buffer.from(bytes, "base64"), { binary }),
  ping: (socket, { bytes }) => socket.ping(Buffer.from(bytes, "base64")),
  close: (socket, { code, reason }) => socket.close(code, reason),
  pause: (socket) => socket.pause(),
  resume: (socket) => socket.resume(),
  // Past the library.
  write: (socket, { bytes }) => socket._socket.write(Buffer.from(bytes, "base64")),
  drop: (socket) => socket.terminate(),
};

for await (const line of createInterface({ input: stdin })) {
  const { do: what, ...command } = JSON.parse(line);
  if (what === "open") open(command);
  else commands[what](sockets.get(command.id), command);
}
for (const socket of sockets.values()) socket.terminate();
