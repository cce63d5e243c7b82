// As much of WebDriver as these tests need, over plain HTTP.

import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** Asks again and again until the answer is true, or something other than null, false and undefined. */
export async function until(what, condition, within = 15_000) {
  const deadline = Date.now() + within;
  let last;
  do {
    try {
      last = undefined;
      const answer = await condition();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await pause(50);
  } while (Date.now() < deadline);
  takePicture(what);
  throw new Error(`not within ${within} ms: ${what} (last: ${last?.message ?? JSON.stringify(last)})`);
}

/** Of the whole display, where `PICTURES` says: what a test that failed was looking at. */
function takePicture(what) {
  const { PICTURES } = process.env;
  if (!PICTURES) return;
  const name = what.replace(/\W+/g, "-").slice(0, 60);
  spawnSync("import", ["-window", "root", join(PICTURES, `${name}.png`)], { timeout: 10_000 });
}

export class Driver {
  #process;
  #url;

  /** For windows. Everything that it starts gets `env`. */
  static async start(env) {
    const [port, native] = await freePorts(2);
    return Driver.#over(port, "tauri-driver", ["--port", port, "--native-port", native], env);
  }

  /** For Chromium. */
  static async chromium(env) {
    const [port] = await freePorts(1);
    return Driver.#over(port, "chromedriver", [`--port=${port}`], env);
  }

  static async #over(port, program, args, env) {
    const driver = new Driver();
    driver.#url = `http://127.0.0.1:${port}`;
    driver.#process = spawn(program, args, {
      env,
      detached: true,
      stdio: process.env.VERBOSE ? "inherit" : "ignore",
    });
    driver.#process.on("error", () => {});
    await until("the driver is ready", () => fetch(`${driver.#url}/status`).then((answer) => answer.ok));
    return driver;
  }

  open(application, args = []) {
    return this.page({ "tauri:options": { application, args } });
  }

  async page(capabilities) {
    const wanted = { capabilities: { alwaysMatch: capabilities } };
    const { sessionId } = await request(`${this.#url}/session`, "POST", wanted);
    return new Page(`${this.#url}/session/${sessionId}`);
  }

  stop() {
    try {
      process.kill(-this.#process.pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  }
}

export class Page {
  #url;

  constructor(url) {
    this.#url = url;
  }

  go(address) {
    return this.#ask("POST", "url", { url: address });
  }

  address() {
    return this.#ask("GET", "url");
  }

  /** Runs the body of a function in the page. */
  run(script, ...args) {
    return this.#ask("POST", "execute/sync", { script, args });
  }

  /** The same for a function that calls its last argument with its answer. */
  runAsync(script, ...args) {
    return this.#ask("POST", "execute/async", { script, args });
  }

  /** Finds the element, scrolls to it and clicks in its middle, as a person would. */
  async click(css) {
    await until(`${css} can be clicked`, async () => {
      await this.#ask("POST", `element/${await this.#find(css)}/click`, {});
      return true;
    });
  }

  /** Types over what is there. WebDriver's own way to clear a field tells the page nothing, which may put it back. */
  async type(css, text) {
    const element = await until(`there is ${css}`, () => this.#find(css));
    await this.run(
      `const field = document.querySelector(arguments[0]);
       field.value = "";
       field.dispatchEvent(new Event("input", { bubbles: true }));`,
      css,
    );
    await this.#ask("POST", `element/${element}/value`, { text });
  }

  /** Presses keys wherever the focus is. */
  async keys(...keys) {
    const actions = keys.flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.#ask("POST", "actions", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  /** Presses keys together. */
  async chord(...keys) {
    const down = keys.map((value) => ({ type: "keyDown", value }));
    const up = keys.toReversed().map((value) => ({ type: "keyUp", value }));
    await this.#ask("POST", "actions", { actions: [{ type: "key", id: "keyboard", actions: [...down, ...up] }] });
  }

  /** Chooses in a select as its own event would. */
  choose(css, value) {
    return this.run(
      `const [css, value] = arguments;
       const select = document.querySelector(css);
       select.value = value;
       select.dispatchEvent(new Event("change", { bubbles: true }));`,
      css,
      value,
    );
  }

  attribute(css, name) {
    return this.run("return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null", css, name);
  }

  text(css) {
    return this.run(
      "const element = document.querySelector(arguments[0]); return element?.innerText ?? element?.textContent ?? null",
      css,
    );
  }

  count(css) {
    return this.run("return document.querySelectorAll(arguments[0]).length", css);
  }

  resize(width, height) {
    return this.#ask("POST", "window/rect", { width, height });
  }

  async picture() {
    return Buffer.from(await this.#ask("GET", "screenshot"), "base64");
  }

  end() {
    return this.#ask("DELETE", "");
  }

  async #find(css) {
    return (await this.#ask("POST", "element", { using: "css selector", value: css }))[ELEMENT];
  }

  #ask(method, path, body) {
    return request(path ? `${this.#url}/${path}` : this.#url, method, body);
  }
}

async function request(url, method, body) {
  const options = { method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(30_000) };
  const answer = await fetch(url, options).catch((error) => {
    throw new Error(`${method} ${new URL(url).pathname}: ${error.message}`);
  });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
