// A keeper that is played: it has as much of a past as a test wants, and tells what the test wants it to tell.

import { chmodSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";

export class PlayedKeeper {
  /** Newest last. */
  journal = [];
  sessions = [];
  /** How often what was asked. */
  asked = {};
  #server;
  #watching = new Set();

  static async at(socket) {
    const keeper = new PlayedKeeper();
    mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
    chmodSync(dirname(socket), 0o700);
    keeper.#server = createServer((connection) => keeper.#meet(connection));
    await new Promise((done) => keeper.#server.listen(socket, done));
    chmodSync(socket, 0o600);
    return keeper;
  }

  /** Writes one more entry, and tells it to whoever watches. */
  write(profile, note, at_ms = Date.now()) {
    const entry = { id: this.journal.length + 1, at_ms: Math.round(at_ms), profile, note };
    this.journal.push(entry);
    for (const connection of this.#watching) {
      connection.write(`${JSON.stringify({ notice: { about: "entry", ...entry } })}\n`);
    }
  }

  end() {
    for (const connection of this.#watching) connection.destroy();
    this.#server.close();
  }

  async #meet(connection) {
    connection.on("error", () => {});
    connection.on("close", () => this.#watching.delete(connection));
    for await (const line of createInterface({ input: connection })) {
      const { id, ...call } = JSON.parse(line);
      this.asked[call.do] = (this.asked[call.do] ?? 0) + 1;
      if (call.do === "watch") this.#watching.add(connection);
      connection.write(`${JSON.stringify({ id, ...this.#answer(call) })}\n`);
    }
  }

  #answer({ do: what, ...of }) {
    switch (what) {
      case "hello":
        return { ok: "hello", version: of.version, pid: process.pid };
      case "status":
      case "watch":
        return { ok: "status", ...this.#overview() };
      case "log":
        return { ok: "log", entries: this.#log(of) };
      default:
        return { error: { code: "internal", details: { problem: `nobody plays ${what}` } } };
    }
  }

  #overview() {
    return {
      version: "0.1.0",
      vault: { kind: "keyring", trouble: null },
      sessions: this.sessions,
      problems: [],
      presets: ["flask", "heartbeat", "nestjs", "simplejwt"],
    };
  }

  #log({ profile, before, limit }) {
    const of = this.journal.filter(
      (entry) => (entry.profile === null || !profile || entry.profile === profile) && (!before || entry.id < before),
    );
    return of.slice(-Math.min(limit ?? 100, 1000)).reverse();
  }
}
