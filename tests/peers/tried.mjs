// What axios-auth-refresh does in some rows of docs/failure-modes.md, against a server of a few lines. It judges nothing:
// it prints what was seen, a row a line, for docs/peers.md.
import { createServer } from "node:http";
import axios from "axios";
import refreshing from "axios-auth-refresh";

const createAuthRefresh = refreshing.createAuthRefresh ?? refreshing.default ?? refreshing;

/** A resource that takes one token, and a place that gives the next. */
class Server {
  asked = 0;
  refreshes = 0;
  bodies = [];
  good = 1;
  refuses = false;
  refresh = (answer) => answer(200);
  answers = (_, answer) => answer();

  async start() {
    this.server = createServer(async (request, response) => {
      let body = "";
      for await (const part of request) body += part;
      const answer = (status) => response.writeHead(status, { "content-type": "application/json" }).end(`{"token":${this.good}}`);
      if (request.url === "/refresh") {
        this.refreshes += 1;
        return this.refresh(answer);
      }
      this.asked += 1;
      const token = Number(request.headers.authorization?.split(" ")[1]);
      this.answers(token, () => {
        const taken = token === this.good && !this.refuses;
        if (taken) this.bodies.push(body);
        answer(taken ? 200 : 401);
      });
    });
    await new Promise((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${this.server.address().port}`;
  }
}

/** The token is set for each request, also for those that are sent again. */
async function stage(options) {
  const server = new Server();
  const url = await server.start();
  const api = axios.create({ baseURL: url, timeout: 3000 });
  const plain = axios.create({ baseURL: url, timeout: 3000 });
  let token = 0;
  api.interceptors.request.use((config) => {
    config.headers.Authorization = `Bearer ${token}`;
    return config;
  });
  const refresh = async () => {
    token = (await plain.post("/refresh")).data.token;
  };
  createAuthRefresh(api, refresh, options);
  return { server, api };
}

const status = (promise) => promise.then((answer) => answer.status, (error) => error.response?.status ?? error.code ?? error.message);
const counted = (statuses) => [...new Set(statuses)].map((of) => `${statuses.filter((each) => each === of).length} × ${of}`).join(", ");
const later = (ms) => new Promise((done) => setTimeout(done, ms));

const rows = {
  async B1({ server, api }) {
    server.refresh = (answer) => setTimeout(answer, 100, 200);
    const statuses = await Promise.all(Array.from({ length: 50 }, () => status(api.get("/a"))));
    return `${counted(statuses)} for 50 callers, with ${server.refreshes} refreshes`;
  },
  async B2({ server, api }) {
    server.refresh = (answer) => setTimeout(answer, 100, 400);
    const statuses = await Promise.all(Array.from({ length: 50 }, () => status(api.get("/a"))));
    return `${counted(statuses)} for 50 callers, with ${server.refreshes} refreshes, all of them failed`;
  },
  async B3({ server, api }) {
    // Two set out with the old token; one is judged only after it has been replaced.
    let slow = true;
    server.answers = (token, answer) => {
      if (token === 0 && slow) {
        slow = false;
        setTimeout(answer, 300);
      } else answer();
    };
    const statuses = await Promise.all([status(api.get("/a")), later(20).then(() => status(api.get("/a")))]);
    return `${counted(statuses)}, with ${server.refreshes} refreshes`;
  },
  async B4({ server, api }) {
    server.refresh = (answer) => answer(503);
    for (let at = 0; at < 20; at += 1) await status(api.get("/a"));
    return `${server.refreshes} refreshes by 20 calls one after the other, the provider down`;
  },
  async B5({ server, api }) {
    server.refresh = (answer) => answer(401);
    return `${await status(api.get("/a"))} after ${server.refreshes} refreshes that were refused with 401`;
  },
  async F1({ server, api }) {
    const text = "x".repeat(1 << 20);
    const answered = await status(api.post("/a", { text }));
    return `${answered}; of a body of 1 MiB ${server.bodies.map((body) => (JSON.parse(body).text === text ? "all" : "a part")).join()} came`;
  },
  async F2({ server, api }) {
    const answered = await status(api.post("/a", {}));
    return `${answered}, with its effect ${server.bodies.length} times`;
  },
  async F3({ server, api }) {
    server.refuses = true;
    const answered = await status(api.get("/a"));
    return `${answered} after ${server.asked} requests and ${server.refreshes} refreshes`;
  },
};

for (const [row, look] of Object.entries(rows)) {
  if (process.argv.length > 2 && !process.argv.includes(row)) continue;
  for (const options of [{}, { deduplicateRefresh: false }]) {
    const on = await stage(options);
    const how = "deduplicateRefresh" in options ? ", deduplicateRefresh off" : "";
    console.log(`${row} axios-auth-refresh${how}: ${await look(on)}`);
    on.server.server.closeAllConnections();
    on.server.server.close();
  }
}
