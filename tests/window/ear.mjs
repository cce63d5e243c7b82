// An ear at the door of a provider: it passes everything on, and remembers the secrets that went through it.

import { createServer, request } from "node:http";

export class Ear {
  /** By what each is, oldest first. */
  heard = {};
  #server;

  static async before(origin) {
    const ear = new Ear();
    ear.#server = createServer((asked, answer) => ear.#pass(origin, asked, answer).catch(() => answer.destroy()));
    await new Promise((done) => ear.#server.listen(0, "127.0.0.1", done));
    ear.origin = `http://127.0.0.1:${ear.#server.address().port}`;
    return ear;
  }

  end() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #pass(origin, asked, answer) {
    const body = await all(asked);
    for (const [name, value] of new URLSearchParams(body.toString())) this.#remember(name, value);
    const [, basic] = /^Basic (.*)$/.exec(asked.headers.authorization ?? "") ?? [];
    if (basic) {
      this.#remember("client_secret", basic);
      this.#remember("client_secret", decodeURIComponent(Buffer.from(basic, "base64").toString().split(":")[1]));
    }
    const headers = { ...asked.headers, host: new URL(origin).host };
    const there = await new Promise((done, failed) => {
      request(`${origin}${asked.url}`, { method: asked.method, headers }, done).once("error", failed).end(body);
    });
    const said = await all(there);
    if (/json/.test(there.headers["content-type"])) {
      for (const [name, value] of Object.entries(JSON.parse(said))) this.#remember(name, value);
    }
    answer.writeHead(there.statusCode, there.headers).end(said);
  }

  #remember(name, value) {
    if (!SECRETS.includes(name)) return;
    this.heard[name] ??= [];
    if (!this.heard[name].includes(value)) this.heard[name].push(value);
  }
}

async function all(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

const SECRETS = ["access_token", "client_secret", "code", "code_verifier", "id_token", "refresh_token"];
