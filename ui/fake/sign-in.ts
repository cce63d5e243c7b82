import type { Code, Pending } from "../src/api.ts";
import { QR } from "./qr.ts";

/** A sign-in at the browser of a person who is quick, or, where `done_s` is left out, never gets there. */
export class FakeSignIn {
  private readonly began = Date.now();
  private waiting: ((end: Code | null) => void)[] = [];
  private end: Code | null | undefined;

  constructor(
    private readonly way: Pending["way"],
    private readonly done_s?: number,
  ) {}

  view(): Pending {
    const expires_in_ms = Math.max(0, this.began + LIFETIME_MS[this.way] - Date.now());
    if (this.way === "browser") {
      const open_within_ms = Math.max(0, this.began + ADDRESS_MS - Date.now());
      return { way: "browser", expires_in_ms, open_within_ms };
    }
    return {
      way: "device",
      user_code: "WDJB-MJHT",
      verification_uri: "https://login.example.com/device",
      verification_uri_complete: "https://login.example.com/device?user_code=WDJB-MJHT",
      qr: QR,
      expires_in_ms,
    };
  }

  get isDone(): boolean {
    return this.done_s !== undefined && Date.now() > this.began + this.done_s * 1000;
  }

  get isOver(): boolean {
    return this.view().expires_in_ms === 0;
  }

  finish(code: Code | null): void {
    this.end = code;
    for (const tell of this.waiting) tell(code);
    this.waiting = [];
  }

  /** What it failed with, or `null`. */
  ended(): Promise<Code | null> {
    if (this.end !== undefined) return Promise.resolve(this.end);
    return new Promise((done) => this.waiting.push(done));
  }
}

const ADDRESS_MS = 60_000;
const LIFETIME_MS = { browser: 300_000, device: 900_000 };
