import axe from "axe-core";
import { render } from "preact";
import { act } from "preact/test-utils";
import { onTestFinished, vi } from "vitest";
import { failed, says } from "../fake/says.ts";
import type { Discovery, EntryView, Note, OverviewView, SessionView } from "../src/api.ts";
import type { Begun, Host, Listener, Settings } from "../src/host.ts";
import { start } from "../src/state.ts";
import { App } from "../src/views/app.tsx";

export interface Page {
  host: { [K in keyof Host]: ReturnType<typeof vi.fn<Host[K]>> };
  /** What the keeper tells unasked. */
  tell: (what: (to: Listener) => void) => Promise<void>;
  find: (testid: string) => HTMLElement;
  has: (testid: string) => boolean;
  press: (testid: string) => Promise<void>;
  type: (testid: string, text: string) => Promise<void>;
  key: (key: string) => Promise<void>;
  /** Brings only this part of a long list in sight. */
  scrollTo: (part: number) => Promise<void>;
  settle: () => Promise<void>;
}

/** The whole page against a host of stubs. */
export async function open(
  shown: OverviewView,
  more: Partial<Host> = {},
  chosen: Partial<Settings> = {},
): Promise<Page> {
  let listener: Listener | null = null;
  const settings: Settings = {
    theme: "system",
    language: "en",
    system_language: "en",
    zoom: 100,
    profile: null,
    tab: null,
    ...chosen,
  };
  const plain: Host = {
    overview: async () => shown,
    log: async () => [],
    login: async () => shown,
    signIn: async () => begunOf(shown),
    finishSignIn: () => new Promise(() => undefined),
    cancelSignIn: async () => shown,
    landSignIn: async () => undefined,
    openVerification: async () => undefined,
    logout: async () => undefined,
    refresh: async () => shown,
    fetchResource: async () => ({
      status: 200,
      headers: {},
      body: '{"a":1}',
      base64: false,
      replayed: false,
      generation: 1,
      took_ms: 5,
    }),
    discover: async () => foundOf(),
    addSession: async () => shown,
    removeSession: async () => overviewOf(),
    bench: async () => ({ faults: [{ name: "status", on: false, left: null }] }),
    setBench: async () => ({ faults: [{ name: "status", on: true, left: 1 }] }),
    unlock: async () => shown,
    settings: async () => settings,
    saveSettings: async () => undefined,
    listen: async (to) => {
      listener = to;
      return () => undefined;
    },
    ...more,
  };
  const host = Object.fromEntries(
    Object.entries(plain).map(([name, run]) => [name, vi.fn(run)]),
  ) as Page["host"];
  const seen = new Map<Element, (near: boolean) => void>();
  vi.stubGlobal("IntersectionObserver", observing(seen));
  const place = document.createElement("div");
  document.body.append(place);
  onTestFinished(() => render(null, place));
  const settle = () => act(() => new Promise<void>((done) => setTimeout(done, 5)));
  await act(async () => {
    await start(host);
    render(<App />, place);
  });
  await settle();
  const find = (testid: string) => {
    const found = document.querySelector<HTMLElement>(`[data-testid="${testid}"]`);
    if (!found) throw new Error(`There is no ${testid} in ${document.body.textContent}`);
    return found;
  };
  return {
    host,
    find,
    settle,
    has: (testid) => document.querySelector(`[data-testid="${testid}"]`) !== null,
    tell: async (what) => {
      await act(() => {
        if (listener) what(listener);
      });
      await settle();
    },
    press: async (testid) => {
      await act(() => find(testid).click());
      await settle();
    },
    type: async (testid, text) => {
      await act(() => {
        const input = find(testid) as HTMLInputElement;
        input.value = text;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      });
    },
    scrollTo: async (part) => {
      await act(() => {
        document.querySelectorAll(".history > *").forEach((each, at) => {
          seen.get(each)?.(at === part);
        });
      });
      await settle();
    },
    key: async (key) => {
      await act(() => {
        document.activeElement?.dispatchEvent(
          new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
        );
      });
      await settle();
    },
  };
}

/** There is no layout here: a test says what can be seen. */
function observing(seen: Map<Element, (near: boolean) => void>) {
  return class {
    constructor(private readonly call: IntersectionObserverCallback) {}
    observe(target: Element) {
      seen.set(target, (isIntersecting) =>
        this.call([{ target, isIntersecting } as IntersectionObserverEntry], this as never),
      );
    }
    unobserve(target: Element) {
      seen.delete(target);
    }
  };
}

/** What axe finds, in a form that reads well in a failed test. Colours are judged in a real browser. */
export async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document, { rules: { "color-contrast": { enabled: false } } });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}

export function overviewOf(...sessions: SessionView[]): OverviewView {
  return {
    version: "0.1.0",
    vault: { kind: "keyring", trouble: null },
    sessions,
    problems: [],
    presets: ["flask", "heartbeat", "nestjs", "simplejwt"],
  };
}

export function begunOf(overview: OverviewView, change: Partial<Begun> = {}): Begun {
  return { overview, address: null, unopened: null, ...change };
}

export function sessionOf(change: Partial<SessionView> = {}): SessionView {
  return {
    profile: "work",
    preset: "nestjs",
    url: "https://api.example.com",
    host: "api.example.com",
    user: "alice",
    phase: { name: "Fresh" },
    access: {
      generation: 14,
      jwt: true,
      algorithm: "HS256",
      lifetime_ms: 30_000,
      remaining_ms: 21_000,
      source: "told",
      rejected: false,
      dpop: false,
    },
    refresh_in_ms: 6_000,
    heartbeat: { every_ms: 5_000, next_in_ms: 2_000, last: { good: true, ago_ms: 3_000 } },
    last_refresh: { cause: "before_expiry", ago_ms: 9_000, took_ms: 38 },
    saved: true,
    forecast: null,
    requests: { in_flight: 0, held: 0, replayed: 0 },
    resources: [
      { method: "GET", path: "/api/orders" },
      { method: "GET", path: "/api/profile" },
    ],
    sandbox: true,
    ways: ["password"],
    pending: null,
    demand: null,
    said: null,
    renewable: true,
    browser_logout: false,
    ...change,
  };
}

export function foundOf(change: Partial<Discovery> = {}): Discovery {
  return {
    issuer: "https://login.example.com",
    endpoints: { authorization: "https://login.example.com/auth", token: "https://tokens.example.net/token" },
    scopes: ["openid", "email", "offline_access"],
    proposed_scopes: ["openid", "offline_access"],
    browser: true,
    device: true,
    dpop: true,
    pushed: false,
    revocation: true,
    elsewhere: ["token"],
    ignored: [],
    ...change,
  };
}

export { failed as failureOf };

export function entryOf(id: number, at_ms: number, note: Note, profile: string | null = "work"): EntryView {
  return { id, at_ms, profile, note, says: says(note) };
}
