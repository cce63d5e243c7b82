import type { EntryView, FailureView, Note, VaultView } from "../src/api.ts";
import type { Settings } from "../src/host.ts";
import { type Born, Life } from "./life.ts";
import { failed, says } from "./says.ts";

export const SCENES = [
  "signed-in",
  "needs-login",
  "ends-soon",
  "unsure",
  "waiting",
  "empty",
  "many",
  "trouble",
  "passphrase",
  "oauth",
  "oauth-in",
  "browser",
  "device",
  "step-up",
  "secret",
] as const;
export type SceneName = (typeof SCENES)[number];

export interface Scene {
  lives: ((write: (entry: EntryView) => void) => Life)[];
  settings: Settings;
  vault: VaultView;
  problems: FailureView[];
  /** The keeper goes away at once. */
  away: boolean;
}

export function sceneOf(name: SceneName, settings: Settings): Scene {
  const scene: Scene = {
    lives: [],
    settings,
    vault: { kind: "keyring", trouble: null },
    problems: [],
    away: false,
  };
  switch (name) {
    case "empty":
      break;
    case "signed-in":
      scene.lives.push(sandbox, work);
      break;
    case "many":
      scene.lives.push(sandbox, work, reports, staging, partner, longName);
      break;
    case "waiting":
      scene.lives.push(staging, work);
      break;
    case "needs-login":
      scene.lives.push(partner, work);
      break;
    case "oauth":
      scene.lives.push(provider({ phase: { name: "NeedsLogin", why: "never" } }), work);
      break;
    case "oauth-in":
      scene.lives.push(
        provider({ user: "alice@example.com", generation: 4, age_s: 60, lifetime_s: 600 }),
        work,
      );
      break;
    case "browser":
    case "device":
      scene.lives.push(provider({ phase: { name: "NeedsLogin", why: "never" }, pending: name }), work);
      break;
    case "step-up":
      scene.lives.push(steppedUp, work);
      break;
    case "secret":
      scene.lives.push(nightly, unattended, work);
      break;
    case "ends-soon":
      scene.lives.push(ending, unused, work);
      break;
    case "unsure":
      scene.lives.push(unsure, work);
      break;
    case "passphrase":
      scene.lives.push(sandbox, unsaved);
      scene.vault = { kind: "passphrase", trouble: "passphrase_needed" };
      break;
    case "trouble":
      scene.lives.push(sandbox, unsaved);
      scene.vault.trouble = "locked";
      scene.problems.push({
        ...failed("bad_config", { line: "14", problem: "unknown_key", written: "adress" }),
        profile: "old",
      });
      scene.away = true;
  }
  return scene;
}

type Make = Scene["lives"][number];

const sandbox: Make = (write) => {
  story("Sandbox", write);
  return new Life(
    {
      profile: "Sandbox",
      preset: "nestjs",
      url: "http://127.0.0.1:9310",
      host: "127.0.0.1:9310",
      user: "alice",
      generation: 14,
      age_s: 9,
      heartbeat_s: 5,
      sandbox: true,
      resources: ["/api/orders", "/api/profile", "/api/reports", "/aaa", "/bbb"],
    },
    write,
  );
};

const work: Make = (write) =>
  new Life(
    {
      profile: "work",
      preset: "simplejwt",
      url: "https://login.example.com",
      host: "login.example.com",
      user: "alice@example.com",
      generation: 3,
      lifetime_s: 3600,
      age_s: 1050,
    },
    write,
  );

const reports: Make = (write) =>
  new Life(
    {
      profile: "reports-api",
      preset: "heartbeat",
      url: "https://reports.example.com",
      host: "reports.example.com",
      phase: { name: "Refreshing", cause: "before_expiry", attempt: 1 },
      generation: 7,
      lifetime_s: 300,
      age_s: 238,
    },
    write,
  );

const staging: Make = (write) => {
  story("staging", write);
  return new Life(
    {
      profile: "staging",
      preset: "flask",
      url: "https://staging.example.com",
      host: "staging.example.com",
      user: "bob",
      phase: { name: "Waiting", why: "status", status: 503, failures: 3, retry_in_ms: 3_600_000 },
      generation: 5,
      lifetime_s: 900,
      age_s: 720,
      jwt: false,
    },
    write,
  );
};

const partner: Make = (write) => {
  const at = Date.now();
  tell(write, "partner-portal", at - 64_000, { kind: "restored" });
  tell(write, "partner-portal", at - 63_000, { kind: "needs_login", why: "refused" });
  return new Life(
    {
      profile: "partner-portal",
      preset: "nestjs",
      url: "https://portal.partner.example",
      host: "portal.partner.example",
      phase: { name: "NeedsLogin", why: "refused" },
    },
    write,
  );
};

const unsure: Make = (write) =>
  new Life(
    {
      profile: "quay",
      preset: "flask",
      url: "https://quay.example.com",
      host: "quay.example.com",
      phase: { name: "NeedsLogin", why: "unsure" },
    },
    write,
  );

/** At an OAuth provider, where a person signs in at a page of its own. */
const provider =
  (more: Partial<Born>): Make =>
  (write) =>
    new Life(
      {
        profile: "Work account",
        preset: "",
        url: "https://api.example.com",
        host: "api.example.com",
        ways: ["browser", "device"],
        dpop: true,
        heartbeat_s: 5,
        ...more,
      },
      write,
    );

const steppedUp = provider({
  user: "alice@example.com",
  generation: 2,
  age_s: 30,
  lifetime_s: 600,
  phase: { name: "NeedsLogin", why: "insufficient_user_authentication" },
  demand: { acr_values: "urn:example:two-factor", max_age: 300, scope: "payments:write" },
});

const nightly: Make = (write) =>
  new Life(
    {
      profile: "nightly-job",
      preset: "",
      url: "https://jobs.example.com",
      host: "jobs.example.com",
      ways: ["client_secret"],
      phase: { name: "NeedsLogin", why: "never" },
    },
    write,
  );

const unattended: Make = (write) =>
  new Life(
    {
      profile: "build-server",
      preset: "",
      url: "https://build.example.com",
      host: "build.example.com",
      ways: ["unattended"],
      phase: { name: "NeedsLogin", why: "never" },
    },
    write,
  );

const ending: Make = (write) =>
  new Life(
    {
      profile: "ending",
      preset: "",
      url: "https://login.example.com",
      host: "login.example.com",
      user: "alice@example.com",
      generation: 40,
      age_s: 60,
      lifetime_s: 600,
      ways: ["browser", "device"],
      forecast: {
        ends: { in_ms: 72_000_000, lasts_ms: 1_209_600_000, ground: "seen", times: 3 },
        unused: { after_ms: 259_200_000, ground: "told" },
        is_near: true,
      },
    },
    write,
  );

const unused: Make = (write) =>
  new Life(
    {
      profile: "unused",
      preset: "simplejwt",
      url: "https://api.example.com",
      host: "api.example.com",
      user: "alice",
      generation: 2,
      age_s: 20,
      lifetime_s: 120,
      forecast: {
        ends: null,
        unused: { after_ms: 1_209_600_000, ground: "set" },
        is_near: false,
      },
    },
    write,
  );

const unsaved: Make = (write) =>
  new Life(
    {
      profile: "unsaved",
      preset: "flask",
      url: "https://a.example.com",
      host: "a.example.com",
      generation: 2,
      age_s: 20,
      lifetime_s: 120,
      saved: false,
    },
    write,
  );

const longName: Make = (write) =>
  new Life(
    {
      profile: "a-rather-long-name-of-a-session-that-somebody-chose-with-care",
      preset: "simplejwt",
      url: "https://identity.internal.infrastructure.subsidiary.example.com:8443/realms/main",
      host: "identity.internal.infrastructure.subsidiary.example.com:8443",
      user: "firstname.lastname@subsidiary.example.com",
      generation: 1,
      lifetime_s: 36_000,
      source: "assumed",
      age_s: 400,
    },
    write,
  );

/** The last three minutes of a busy session, as in a real journal. */
function story(profile: string, write: (entry: EntryView) => void): void {
  const now = Date.now();
  const at = (seconds: number, note: Note) => tell(write, profile, now - seconds * 1000, note);
  const refreshed = (generation: number, more: object): Note => ({
    kind: "refreshed",
    cause: "before_expiry",
    generation,
    lifetime_ms: 30_000,
    source: "told",
    took_ms: 38,
    rotated: true,
    tries: 1,
    ...more,
  });
  at(186, {
    kind: "signed_in",
    user: "alice",
    generation: 6,
    lifetime_ms: 30_000,
    source: "told",
    took_ms: 112,
  });
  at(163, refreshed(7, {}));
  at(141, refreshed(8, {}));
  at(104, { kind: "woke", slept_ms: 22_000 });
  at(103, refreshed(9, { cause: "needed", took_ms: 45 }));
  at(88, { kind: "rejected", path: "/api/orders", status: 401, generation: 9 });
  at(87.9, refreshed(10, { cause: "rejected", took_ms: 61 }));
  at(87.8, { kind: "replayed", count: 8, waited_ms: 61 });
  at(65, refreshed(11, {}));
  at(46, {
    kind: "kept",
    cause: "before_expiry",
    trouble: "status",
    status: 503,
    failures: 1,
    retry_in_ms: 1400,
  });
  at(44, {
    kind: "kept",
    cause: "before_expiry",
    trouble: "status",
    status: 503,
    failures: 2,
    retry_in_ms: 2900,
  });
  at(41, refreshed(12, { tries: 3 }));
  at(31, refreshed(13, { cause: "heartbeat_said_no" }));
  at(9, refreshed(14, {}));
  for (let beat = 183; beat > 2; beat -= 5) {
    if (beat < 104 || beat > 126) at(beat, { kind: "heartbeat", good: beat !== 33, took_ms: 3 + (beat % 4) });
  }
}

function tell(write: (entry: EntryView) => void, profile: string, at_ms: number, note: Note): void {
  write({ id: 0, at_ms: Math.round(at_ms), profile, note, says: says(note) });
}

export const PRESETS = ["flask", "heartbeat", "nestjs", "simplejwt"];

export const FAULTS = [
  "latency",
  "hang",
  "reset",
  "status",
  "bare_status",
  "rate_limit",
  "captive_portal",
  "redirect",
  "not_json",
  "huge",
  "refuse",
  "clock_skew",
  "omit",
  "strange_expiry",
  "same_token",
  "heartbeat_no",
  "lost_answer",
  "truncated",
];

export const BODIES: Record<string, unknown> = {
  "/api/orders": {
    orders: [
      { id: 1041, customer: "Marta Lindqvist", total: "84.90", currency: "EUR", shipped: true },
      { id: 1042, customer: "王小明", total: "129.00", currency: "CNY", shipped: false },
      { id: 1043, customer: "Ines Duarte", total: "17.25", currency: "EUR", shipped: false },
    ],
    page: 1,
    of: 12,
  },
  "/api/profile": { user: "alice", name: "Alice Liddell", roles: ["reader", "editor"] },
  "/api/reports": { reports: [], note: "nothing this week" },
  "/aaa": { data: "aaa" },
  "/bbb": { data: "bbb" },
};
