// What a test plays on: a home of its own, a sandbox, a driver, and the programs under test.

import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { Browser } from "./browser.mjs";
import { pressClose } from "./display.mjs";
import { open, sealed } from "./sealed.mjs";
import { Driver, until } from "./webdriver.mjs";

const { STAGE, PILOTLIGHT_BIN_DIR } = process.env;
if (!STAGE) throw new Error("started by tests/window/run.sh, which makes the display and the bus");

const run = promisify(execFile);
const program = (name) => join(PILOTLIGHT_BIN_DIR, name);

export class Stage {
  home = mkdtempSync(join(STAGE, "home-"));
  env = { ...process.env, PILOTLIGHT_HOME: this.home, PILOTLIGHT_KEEPER: program("pilotlight-keeper"), PILOTLIGHT_SANDBOX: program("pilotlight-sandbox") };
  browser = new Browser(STAGE, this.env);
  #ends = [];
  #before = new Set();

  /** `t` ends it. What is started on it gets `env` besides. */
  static async set(t, env = {}) {
    const stage = new Stage();
    Object.assign(stage.env, env);
    t.after(() => stage.end());
    stage.#ends.push(() => stage.browser.end());
    stage.#before = new Set((await keyringItems()).map((item) => item.split("\n")[0]));
    stage.driver = await Driver.start(stage.env);
    stage.#ends.push(() => stage.driver.stop());
    return stage;
  }

  async end() {
    for (const end of this.#ends.reverse()) await end();
    await this.stopKeeper();
  }

  /** Opens the window and waits until the page is there. */
  async open(...args) {
    const page = await this.driver.open(program("pilotlight-window"), args);
    await until("the page has asked for the sessions", async () => {
      const idle = await page.count("main > .idle");
      return idle === 0 && (await page.count("main > *")) > 0 && (await page.count('[data-testid="add"]')) > 0;
    });
    return page;
  }

  /** Closes the window as a person does, and waits until its process is gone. */
  async close(page) {
    const [pid] = this.windows();
    await pressClose(pid);
    await until("the window's process is gone", () => !isAlive(pid));
    await page.end().catch(() => {});
  }

  /** The processes of the window program that belong to this home. */
  windows() {
    return processes("pilotlight-window", this.home);
  }

  keepers() {
    return processes("pilotlight-keeper", this.home);
  }

  /** The window's process and those of its web view, of which there is one of each. */
  ofTheWindow() {
    const programs = { window: "pilotlight-window", web: "WebKitWebProcess", network: "WebKitNetworkProcess" };
    return Object.fromEntries(
      Object.entries(programs).map(([name, program]) => {
        const [pid, ...others] = processes(program, this.home);
        if (!pid || others.length > 0) throw new Error(`${pid ? "several" : "no"} ${program}`);
        return [name, pid];
      }),
    );
  }

  /** Keepers and sandboxes. */
  everything() {
    return [...this.keepers(), ...processes("pilotlight-sandbox", this.home)];
  }

  /** A sandbox with access tokens that live as long as `--access-ttl` takes. */
  async sandbox(ttl, more = []) {
    const options = ["--port", "0", "--access-ttl", ttl, "--announce", "--until-parent-exits", ...more];
    const child = spawn(program("pilotlight-sandbox"), options, { env: this.env, stdio: ["pipe", "pipe", "ignore"] });
    this.#ends.push(() => child.kill("SIGKILL"));
    for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line).url;
    throw new Error("the sandbox did not start");
  }

  /** A profile as the command line would add it. */
  add(profile, preset, url, more = {}) {
    return this.ask({ do: "add", profile, preset, url, sandbox: true, heartbeat_s: 5, ...more });
  }

  login(profile, username = "alice", password = "wonderland") {
    return this.ask({ do: "login", profile, username, password });
  }

  /** Asks the keeper on its socket. */
  async ask(request) {
    const socket = createConnection(join(this.home, "agent.sock"));
    try {
      await new Promise((done, failed) => socket.once("connect", done).once("error", failed));
      socket.write(`${JSON.stringify({ id: 1, ...request })}\n`);
      for await (const line of createInterface({ input: socket })) {
        const answer = JSON.parse(line);
        if (answer.error) throw new Error(JSON.stringify(answer.error));
        return answer;
      }
      throw new Error("the keeper hung up");
    } finally {
      socket.destroy();
    }
  }

  /** `pilotlight stop`, and waits until the process is gone. */
  async stopKeeper() {
    const pids = this.keepers();
    if (pids.length > 0) await this.pilotlight("stop");
    await until("the keeper is gone", () => this.keepers().length === 0);
  }

  async pilotlight(...args) {
    const { stdout } = await run(program("pilotlight"), args, { env: this.env, timeout: 30_000 });
    return stdout;
  }

  /** A second start of the window program: its exit code. */
  startAgain() {
    return run(program("pilotlight-window"), [], { env: this.env, timeout: 20_000 }).then(
      () => 0,
      (error) => error.code ?? error.signal,
    );
  }

  /** The items that came into the real keyring since the stage was set, secrets and all. */
  async keyring() {
    return (await keyringItems()).filter((item) => !this.#before.has(item.split("\n")[0])).join("\n");
  }

  /** Which profiles have a sealed session. */
  kept() {
    return sealed(this.home).map(({ label }) => label.profile);
  }

  /** What is sealed of a profile, opened with the key that is in the keyring. */
  async opened(profile) {
    const [, key] = /^secret = (\S+)$/m.exec(await this.keyring());
    return open(sealed(this.home).find(({ label }) => label.profile === profile), key);
  }

  /** Locks the keyring, as an idle desktop does; answers with what unlocks it again, as signing in to the desktop does. */
  async lockKeyring() {
    const service = ["--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"];
    const collection = "array:objpath:/org/freedesktop/secrets/collection/login";
    await run("dbus-send", ["--session", "--print-reply", ...service, "org.freedesktop.Secret.Service.Lock", collection]);
    return unlockKeyring;
  }

  /** Every file that any of the programs wrote, as one text. */
  files() {
    return readdirSync(STAGE, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .map((path) => `${path}\n${readFileSync(path, "latin1")}`)
      .join("\n");
  }
}

/** By the socket on which gnome-keyring is told the password that somebody has signed in with. */
async function unlockKeyring() {
  const password = Buffer.from("pilotlight");
  const message = Buffer.alloc(1 + 12 + password.length);
  // A byte for whoever asks the socket who is there, then: length of the rest, unlock, length of the password.
  message.writeUInt32BE(12 + password.length, 1);
  message.writeUInt32BE(1, 5);
  message.writeUInt32BE(password.length, 9);
  password.copy(message, 13);
  const socket = createConnection(join(process.env.XDG_RUNTIME_DIR, "keyring", "control"));
  socket.write(message);
  for await (const answer of socket) {
    if (answer.readUInt32BE(4) !== 0) throw new Error(`the keyring answers ${answer.toString("hex")}`);
    return;
  }
  throw new Error("the keyring hung up");
}

/** Each begins with a line that names it. What it says of its attributes comes on the other stream. */
async function keyringItems() {
  const search = ["search", "--all", "--unlock", "application", "pilotlight"];
  const { stdout } = await run("secret-tool", search, { timeout: 20_000 }).catch((error) => error);
  return stdout.split(/^(?=\[)/m).filter((item) => item.startsWith("["));
}

/** Whether the process runs; one that has ended and is not yet buried does not. */
export function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function processes(name, home) {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && isAlive(entry))
    .filter((pid) => commandOf(pid)[0]?.endsWith(`/${name}`) && environmentOf(pid).includes(`PILOTLIGHT_HOME=${home}`))
    .map(Number);
}

function commandOf(pid) {
  return split(`/proc/${pid}/cmdline`);
}

function environmentOf(pid) {
  return split(`/proc/${pid}/environ`);
}

function split(path) {
  try {
    return readFileSync(path, "latin1").split("\0");
  } catch {
    return [];
  }
}
