// The little of the X protocol by which a person's hand on the window is played: the close button, and who is in front.

import { readFileSync } from "node:fs";
import { createConnection } from "node:net";

/** Asks the window of this process to close, as the button in its title bar does. */
export function pressClose(pid) {
  return talk(async (x) => x.tellManager(await windowOf(x, pid), "_NET_CLOSE_WINDOW", 0, 2));
}

export function minimize(pid) {
  return talk(async (x) => x.tellManager(await windowOf(x, pid), "WM_CHANGE_STATE", ICONIC));
}

/** The process whose window is in front. */
export function activeProcess() {
  return talk(async (x) => {
    const [window] = await x.property(x.root, "_NET_ACTIVE_WINDOW");
    return window ? (await x.property(window, "_NET_WM_PID"))[0] : null;
  });
}

async function windowOf(x, pid) {
  const windows = await x.property(x.root, "_NET_CLIENT_LIST");
  for (const window of windows) {
    if ((await x.property(window, "_NET_WM_PID"))[0] === pid) return window;
  }
  throw new Error(`no window of process ${pid} among ${windows.length}`);
}

async function talk(about) {
  const [, number] = /:(\d+)/.exec(process.env.DISPLAY);
  const socket = createConnection(`/tmp/.X11-unix/X${number}`);
  try {
    const read = reader(socket);
    socket.write(greeting());
    const head = await read(8);
    if (head[0] !== 1) throw new Error("the display turns us away");
    const rest = await read(head.readUInt16LE(6) * 4);
    const root = rest.readUInt32LE(32 + padded(rest.readUInt16LE(16)) + 8 * rest[21]);
    const answer = async (request) => {
      socket.write(request);
      for (;;) {
        const answer = await read(32);
        if (answer[0] === 0) throw new Error(`the display answers with error ${answer[1]}`);
        if (answer[0] === 1) return Buffer.concat([answer, await read(answer.readUInt32LE(4) * 4)]);
      }
    };
    const atom = async (name) => {
      const request = Buffer.alloc(8 + padded(name.length));
      request.writeUInt8(16, 0);
      request.writeUInt16LE(request.length / 4, 2);
      request.writeUInt16LE(name.length, 4);
      request.write(name, 8);
      return (await answer(request)).readUInt32LE(8);
    };
    const x = {
      root,
      /** The numbers that a property of a window holds. */
      async property(window, name) {
        const answered = await answer(words(20, 6, window, await atom(name), 0, 0, 1024));
        const count = answered[1] === 32 ? answered.readUInt32LE(16) : 0;
        return Array.from({ length: count }, (_, at) => answered.readUInt32LE(32 + 4 * at));
      },
      /** Sends a message about a window to the window manager. */
      async tellManager(window, name, ...values) {
        const data = [0, 0, 0, 0, 0].map((zero, at) => values[at] ?? zero);
        const message = words(33 | (32 << 8), 0, window, await atom(name), ...data);
        socket.write(Buffer.concat([words(25, 11, root, 0x180000), message]));
        // An answer to anything means that it was taken.
        await atom(name);
      },
    };
    return await about(x);
  } finally {
    socket.destroy();
  }
}

/** A request: its number, its length in words, and what it says. */
function words(opcode, length, ...values) {
  const request = Buffer.alloc(4 + 4 * values.length);
  request.writeUInt16LE(opcode, 0);
  request.writeUInt16LE(length, 2);
  values.forEach((value, at) => request.writeUInt32LE(value, 4 + 4 * at));
  return request;
}

function greeting() {
  const { name, data } = cookie();
  const request = Buffer.alloc(12 + padded(name.length) + padded(data.length));
  request.write("l", 0);
  request.writeUInt16LE(11, 2);
  request.writeUInt16LE(name.length, 6);
  request.writeUInt16LE(data.length, 8);
  name.copy(request, 12);
  data.copy(request, 12 + padded(name.length));
  return request;
}

/** The first key of the file that xvfb-run made for its one display. */
function cookie() {
  const file = readFileSync(process.env.XAUTHORITY);
  const fields = [];
  for (let at = 2; fields.length < 4; ) {
    const length = file.readUInt16BE(at);
    fields.push(file.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return { name: fields[2], data: fields[3] };
}

function reader(socket) {
  let held = Buffer.alloc(0);
  let wake = () => {};
  let failure;
  socket.on("data", (data) => {
    held = Buffer.concat([held, data]);
    wake();
  });
  socket.on("error", (error) => {
    failure = error;
    wake();
  });
  socket.on("close", () => {
    failure ??= new Error("the display hung up");
    wake();
  });
  return async (length) => {
    while (held.length < length) {
      if (failure) throw failure;
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
    const taken = held.subarray(0, length);
    held = held.subarray(length);
    return taken;
  };
}

function padded(length) {
  return (length + 3) & ~3;
}

const ICONIC = 3;
