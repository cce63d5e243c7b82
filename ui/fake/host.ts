import type { Bench, Discovery, Draft, EntryView, Fetched, OverviewView, Way } from "../src/api.ts";
import type { Host, Listener, Settings } from "../src/host.ts";
import { Life, pause } from "./life.ts";
import { failed } from "./says.ts";
import { BODIES, FAULTS, PRESETS, SCENES, type Scene, sceneOf } from "./scenes.ts";
import { FakeSignIn } from "./sign-in.ts";

/** `?scene=…&theme=…&lang=…&tab=…` of the page's address. */
export function sceneFromAddress(): Scene {
  const query = new URLSearchParams(location.search);
  const theme = query.get("theme");
  const lang = query.get("lang");
  const name = SCENES.find((each) => each === query.get("scene")) ?? "signed-in";
  return sceneOf(name, {
    theme: theme === "light" || theme === "dark" ? theme : "system",
    language: lang === "en" || lang === "zh-CN" ? lang : "system",
    system_language: navigator.language.startsWith("zh") ? "zh-CN" : "en",
    zoom: 100,
    profile: query.get("profile"),
    tab: query.get("tab"),
  });
}

/** A host that lives in the page: sessions that run out, refresh and fail as real ones do, only faster. */
export function fakeHost(scene: Scene): Host {
  let listener: Listener | null = null;
  let settings: Settings = scene.settings;
  const journal: EntryView[] = [];
  const write = (entry: EntryView) => {
    journal.push(entry);
    listener?.entry(entry);
  };
  const lives = scene.lives.map((make) => make(write));
  journal.sort((a, b) => a.at_ms - b.at_ms);
  journal.forEach((entry, at) => {
    entry.id = at + 1;
  });

  const overview = (): OverviewView => ({
    version: "0.1.0",
    vault: scene.vault,
    sessions: lives.map((life) => life.view()),
    problems: scene.problems,
    presets: PRESETS,
  });
  const tell = () => listener?.overview(overview());
  const find = (profile: string): Life => {
    const life = lives.find((each) => each.profile === profile);
    if (!life) throw failed("unknown_profile", { profile });
    return life;
  };

  return {
    overview: async () => overview(),
    log: async ({ profile, before, limit }) =>
      journal
        .filter((each) => (profile === null || each.profile === profile) && (!before || each.id < before))
        .reverse()
        .slice(0, limit),
    login: async ({ profile, username, password }) => {
      const life = find(profile);
      life.signingIn();
      tell();
      await pause(600);
      if (password !== "wonderland") {
        life.refused();
        tell();
        throw failed("sign_in_refused", { host: life.view().host });
      }
      life.signIn(username);
      tell();
      return overview();
    },
    signIn: async ({ profile, way }) => {
      await pause(300);
      const by = way === "device" ? "device" : "browser";
      find(profile).begin(new FakeSignIn(by, by === "device" ? 30 : 8));
      tell();
      const address = by === "browser" ? `https://login.example.com/authorize?state=${Date.now()}` : null;
      return { overview: overview(), address, unopened: null };
    },
    finishSignIn: async ({ profile }) => {
      const code = await find(profile).finished();
      tell();
      if (code) throw failed(code, {});
      return overview();
    },
    cancelSignIn: async ({ profile }) => {
      find(profile).giveUp("sign_in_cancelled");
      tell();
      return overview();
    },
    landSignIn: async ({ address }) => {
      if (!address.includes("/callback?"))
        throw failed("wrong_address", { address: "http://127.0.0.1:7007/callback" });
    },
    openVerification: () => pause(200),
    logout: async ({ profile }) => {
      find(profile).signOut();
      tell();
    },
    refresh: async ({ profile }) => {
      await find(profile).refresh("asked");
      tell();
      return overview();
    },
    fetchResource: async ({ profile, path }): Promise<Fetched> => {
      const life = find(profile);
      const started = performance.now();
      const replayed = await life.token();
      await pause(20 + Math.random() * 40);
      if (path === "/api/broken") throw failed("timed_out", { host: life.view().host });
      const body = BODIES[path];
      return {
        status: body ? 200 : 404,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body ?? { error: "not found", path }),
        base64: false,
        replayed,
        generation: life.view().access?.generation ?? 0,
        took_ms: Math.round(performance.now() - started),
      };
    },
    discover: async ({ issuer, allow_http }) => {
      await pause(500);
      return discovered(issuer, allow_http);
    },
    addSession: async ({ draft }) => {
      await pause(200);
      if (lives.some((each) => each.profile === draft.profile)) {
        throw failed("already_exists", { profile: draft.profile });
      }
      const { host } = safe(draft.url || (draft.oauth?.issuer ?? ""), draft.allow_http);
      const ways = waysOf(draft);
      lives.push(new Life({ ...draft, host, ways, phase: { name: "NeedsLogin", why: "never" } }, write));
      tell();
      return overview();
    },
    removeSession: async ({ profile }) => {
      const at = lives.findIndex((each) => each.profile === profile);
      if (at >= 0) lives.splice(at, 1);
      tell();
      return overview();
    },
    bench: async ({ profile }) => benchOf(find(profile)),
    setBench: async ({ profile, change }) => {
      const life = find(profile);
      if (change.set === "clear") life.faults.clear();
      else if (change.set === "revoke_access") life.revokeAccess();
      else if (change.set === "revoke_all") life.revokeAll();
      else if (change.on) life.faults.set(change.name, change.times);
      else life.faults.delete(change.name);
      tell();
      return benchOf(life);
    },
    unlock: async ({ passphrase }) => {
      await pause(600);
      const needsOne = scene.vault.kind === "passphrase";
      if (needsOne && passphrase !== "correct horse") throw failed("passphrase_wrong", {});
      scene.vault.trouble = null;
      tell();
      return overview();
    },
    settings: async () => settings,
    saveSettings: async (of) => {
      settings = of.settings;
    },
    listen: async (to) => {
      listener = to;
      const timer = setInterval(() => {
        for (const life of lives) life.tick();
        tell();
      }, 1000);
      if (scene.away)
        setTimeout(() => to.keeper({ connected: false, failure: failed("keeper_unreachable", {}) }), 50);
      return () => {
        clearInterval(timer);
        listener = null;
      };
    },
  };
}

/** Every provider is the same one, but for those whose names say otherwise. */
function discovered(issuer: string, allow_http: boolean): Discovery {
  const { host, origin } = safe(issuer, allow_http);
  if (host.startsWith("offline.")) throw failed("offline", { host });
  if (host.startsWith("none.")) throw failed("no_metadata", { host, problem: "404" });
  if (host.startsWith("other.")) throw failed("wrong_issuer", { issuer, found: `${issuer}/realms/main` });
  const plain = host.startsWith("plain.");
  const at = (path: string) => `${origin}/oauth/${path}`;
  return {
    issuer,
    endpoints: {
      authorization: at("authorize"),
      token: host.startsWith("login.") ? "https://tokens.example.net/token" : at("token"),
      ...(plain
        ? {}
        : { device_authorization: at("device"), revocation: at("revoke"), end_session: at("logout") }),
    },
    scopes: ["openid", "profile", "email", "offline_access", "api"],
    proposed_scopes: ["openid", "offline_access"],
    browser: true,
    device: !plain,
    dpop: !plain,
    pushed: !plain,
    revocation: !plain,
    elsewhere: host.startsWith("login.") ? ["token"] : [],
    ignored: plain ? ["device_authorization"] : [],
  };
}

function safe(address: string, allow_http: boolean): URL {
  if (!URL.canParse(address)) throw failed("bad_url", { url: address });
  const url = new URL(address);
  const local = url.hostname === "localhost" || url.hostname.startsWith("127.");
  if (url.protocol === "http:" && !local && !allow_http) throw failed("plain_http", { host: url.host });
  return url;
}

function waysOf({ oauth }: Draft): Way[] {
  switch (oauth?.grant) {
    case undefined:
    case "password":
      return ["password"];
    case "client_credentials":
      return ["client_secret"];
    case "device_code":
      return ["device"];
    case null:
    case "authorization_code":
      return ["browser", "device"];
  }
}

function benchOf(life: Life): Bench {
  return {
    faults: FAULTS.map((name) => ({ name, on: life.faults.has(name), left: life.faults.get(name) ?? null })),
  };
}
