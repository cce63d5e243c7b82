// The browser of whoever uses the window: what the programs open is written down, and Chromium goes there when told.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Driver, until } from "./webdriver.mjs";

export class Browser {
  #dir;
  #opened;
  #driver;
  #page;

  /** From now on what has `env` opens nothing on this machine. */
  constructor(stage, env) {
    this.#dir = mkdtempSync(join(stage, "browser-"));
    this.#opened = join(this.#dir, "opened");
    const opener = join(this.#dir, "xdg-open");
    writeFileSync(opener, OPENER);
    chmodSync(opener, 0o755);
    env.PATH = `${this.#dir}:${env.PATH}`;
    env.OPENED = this.#opened;
  }

  /** The address that was opened since this was last asked. */
  async opened() {
    const address = await until("something is opened in the browser", () => readFileSync(this.#opened, "utf8").trim());
    rmSync(this.#opened);
    return address;
  }

  /** Chromium, at that address. */
  async go(address) {
    if (!this.#page) {
      // A profile that ends with the test: what is typed into it must not be found in the files of another.
      this.#driver = await Driver.chromium({ ...process.env, HOME: this.#dir, TMPDIR: this.#dir });
      this.#page = await this.#driver.page({ browserName: "chrome", "goog:chromeOptions": { args: ARGUMENTS } });
    }
    await this.#page.go(address);
    return this.#page;
  }

  async end() {
    await this.#page?.end().catch(() => {});
    this.#driver?.stop();
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Whole or not at all: it is read as soon as it is there. */
const OPENER = `#!/bin/sh
printf '%s\\n' "$1" >"$OPENED.new" && mv "$OPENED.new" "$OPENED"
`;

/** Its sandbox needs what a container does not give; it is shown nothing but pages of this machine. */
const ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run"];
