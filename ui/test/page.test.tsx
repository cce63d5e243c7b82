import { expect, test, vi } from "vitest";
import { announceChanges } from "../src/announce.ts";
import type { Phase, SessionView } from "../src/api.ts";
import { failureNext, failureSay } from "../src/sentences.ts";
import { entryOf, failureOf, faults, open, overviewOf, sessionOf } from "./page.tsx";

const waiting: Phase = { name: "Waiting", why: "status", status: 503, failures: 2, retry_in_ms: 12_000 };
const phases: [Phase, Partial<SessionView>, string, string][] = [
  [{ name: "Fresh" }, {}, "Signed in, and staying so", "refreshed in 6 s"],
  [
    { name: "Refreshing", cause: "rejected", attempt: 2 },
    { requests: { in_flight: 1, held: 8, replayed: 0 } },
    "Getting a new access token",
    "8 waiting now",
  ],
  [waiting, {}, "Still yours, waiting for the provider", "server error 503. It is tried again in 12 s"],
  [waiting, { access: null }, "Still yours", "requests wait here"],
  [
    { name: "NeedsLogin", why: "refused" },
    { access: null, user: null },
    "Sign in to work",
    "has ended this sign-in",
  ],
  [{ name: "NeedsLogin", why: "unsure" }, { access: null }, "Sign in to work", "try it again"],
  [{ name: "SigningIn" }, { access: null }, "Sign in to work", "being asked"],
];

test.each(phases)("%o says what it is and what comes next, accessibly", async (phase, change, head, next) => {
  const page = await open(overviewOf(sessionOf({ phase, ...change }), sessionOf({ profile: "other" })));
  const text = document.querySelector("main")?.textContent ?? "";
  expect(text).toContain(head);
  expect(text).toContain(next);
  expect(page.find("phase").dataset.phase).toBe(phase.name);
  expect(page.find("session-work").dataset.phase).toBe(phase.name);
  const person = phase.name === "NeedsLogin" || phase.name === "SigningIn";
  expect(page.has("sign-in")).toBe(person);
  expect(page.has("countdown")).toBe(!person);
  expect(page.has("refresh-now")).toBe(!person);
  expect(await faults()).toEqual([]);
});

test("the countdown and the token are those that the keeper tells", async () => {
  const page = await open(overviewOf(sessionOf()));
  expect(page.find("countdown").textContent).toBe("0:21");
  expect(page.find("generation").dataset.generation).toBe("14");
  expect(page.find("generation").textContent).toContain("#14 · JWT · HS256");
  const access = {
    generation: 15,
    jwt: false,
    algorithm: null,
    lifetime_ms: 60_000,
    remaining_ms: 59_000,
    rejected: false,
  };
  await page.tell((to) => to.overview(overviewOf(sessionOf({ access }))));
  expect(page.find("countdown").textContent).toBe("0:59");
  expect(page.find("generation").textContent).toContain("#15 · opaque");
});

test("a token that ran out or was refused says so", async () => {
  const access = {
    generation: 1,
    jwt: true,
    algorithm: "RS256",
    lifetime_ms: 30_000,
    remaining_ms: 0,
    rejected: false,
  };
  const page = await open(overviewOf(sessionOf({ access })));
  expect(document.querySelector(".ring")?.textContent).toContain("ran out");
  await page.tell((to) =>
    to.overview(overviewOf(sessionOf({ access: { ...access, remaining_ms: 9, rejected: true } }))),
  );
  expect(document.querySelector(".ring")?.getAttribute("aria-label")).toBe("refused by the provider");
});

test("where the sign-in is kept is honest", async () => {
  const page = await open(overviewOf(sessionOf()));
  expect(page.find("stored").dataset.stored).toBe("keyring");
  await page.tell((to) => to.overview(overviewOf(sessionOf({ saved: false }))));
  expect(page.find("stored").textContent).toContain("not saved yet");
  const memory = {
    ...overviewOf(sessionOf({ saved: false })),
    vault: { kind: "memory", trouble: null } as const,
  };
  await page.tell((to) => to.overview(memory));
  expect(page.find("stored").textContent).toContain("memory only");
});

test("arrows, Home and End go through the tabs, and one of them takes the Tab key", async () => {
  const page = await open(overviewOf(sessionOf()));
  page.find("tab-overview").focus();
  const on = () => document.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.dataset.testid;
  const seen = [];
  for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End"]) {
    await page.key(key);
    seen.push(on());
    expect(document.activeElement).toBe(page.find(on() ?? ""));
    expect(document.querySelectorAll("[role=tab][tabindex='0']").length).toBe(1);
    expect(document.querySelector("[role=tabpanel]")?.getAttribute("aria-labelledby")).toBe(
      document.activeElement?.id,
    );
  }
  expect(seen).toEqual(
    ["data", "timeline", "bench", "overview", "bench", "overview", "bench"].map((tab) => `tab-${tab}`),
  );
});

test.each(["data", "timeline", "bench"])("the tab %s is accessible", async (tab) => {
  await open(
    overviewOf(sessionOf()),
    { log: async () => [entryOf(1, Date.now(), { kind: "restored" })] },
    { tab },
  );
  expect(await faults()).toEqual([]);
});

test("Break it is there for a sandbox only", async () => {
  const page = await open(overviewOf(sessionOf({ sandbox: false })), {}, { tab: "bench" });
  expect(page.has("tab-bench")).toBe(false);
  expect(page.find("tab-overview").getAttribute("aria-selected")).toBe("true");
});

test("a refused sign-in says what is the matter and what to do, and keeps the name", async () => {
  const refusal = failureOf("sign_in_refused");
  const page = await open(
    overviewOf(sessionOf({ phase: { name: "NeedsLogin", why: "never" }, access: null, user: null })),
    {
      login: () => Promise.reject(refusal),
    },
  );
  await page.type("username", "alice");
  await page.type("password", "wrong");
  await page.press("sign-in");
  expect(page.host.login).toHaveBeenCalledWith({ profile: "work", username: "alice", password: "wrong" });
  const shown = page.find("failure");
  expect(shown.dataset.code).toBe("sign_in_refused");
  expect(shown.textContent).toContain(failureSay(refusal));
  expect(shown.textContent).toContain(failureNext(refusal));
  expect((page.find("username") as HTMLInputElement).value).toBe("alice");
  expect(document.activeElement).toBe(page.find("password"));
  expect(await faults()).toEqual([]);
});

test("an empty sign-in is not sent", async () => {
  const page = await open(
    overviewOf(sessionOf({ phase: { name: "NeedsLogin", why: "never" }, access: null, user: null })),
  );
  await page.press("sign-in");
  expect(page.host.login).not.toHaveBeenCalled();
  expect(page.find("username").getAttribute("aria-invalid")).toBe("true");
  expect(document.body.textContent).toContain("Please fill this in.");
});

test("an unsure loss can be tried again; a failed refresh is told in its place", async () => {
  const page = await open(
    overviewOf(sessionOf({ phase: { name: "NeedsLogin", why: "unsure" }, access: null })),
    {
      refresh: () => Promise.reject(failureOf("offline", { host: "api.example.com" })),
    },
  );
  await page.press("try-again");
  expect(page.find("failure").textContent).toContain("No connection to api.example.com.");
});

test("what is thrown that is no failure is one all the same", async () => {
  const page = await open(overviewOf(sessionOf()), { refresh: () => Promise.reject("no such command") });
  await page.press("refresh-now");
  expect(page.find("failure").dataset.code).toBe("internal");
  expect(page.find("failure").textContent).toContain("no such command");
});

test("a resource shows its answer, and eight at once show eight", async () => {
  let asked = 0;
  const page = await open(
    overviewOf(sessionOf()),
    {
      fetchResource: async () => {
        asked += 1;
        if (asked === 5) throw failureOf("timed_out");
        return {
          status: 200,
          headers: {},
          body: '{"a":1}',
          base64: false,
          replayed: asked > 1,
          generation: 2,
          took_ms: 7,
        };
      },
    },
    { tab: "data" },
  );
  await page.press("fetch-/api/profile");
  expect(page.find("answer").dataset.status).toBe("200");
  expect(page.find("answer").querySelector("pre")?.textContent).toBe('{\n  "a": 1\n}');
  expect(page.find("answer").textContent).not.toContain("replayed");
  await page.press("burst");
  expect(page.host.fetchResource).toHaveBeenLastCalledWith({
    profile: "work",
    method: "GET",
    path: "/api/profile",
    body: null,
  });
  const answers = [...document.querySelectorAll<HTMLElement>("[data-testid=answer]")];
  expect(answers.map((each) => each.dataset.status).sort()).toEqual([...Array(7).fill("200"), "timed_out"]);
  expect(answers.filter((each) => each.textContent?.includes("replayed after a refresh")).length).toBe(7);
  expect(await faults()).toEqual([]);
});

test("the journal is read, added to, and continued", async () => {
  const at = Date.now();
  const first = Array.from({ length: 200 }, (_, n) =>
    entryOf(400 - n, at - n, { kind: "heartbeat", good: true, took_ms: 4 }),
  );
  const log = vi.fn(async ({ before }: { before: number | null }) =>
    before ? [entryOf(200, at - 500, { kind: "restored" })] : first,
  );
  const page = await open(overviewOf(sessionOf()), { log }, { tab: "timeline" });
  await page.tell((to) => to.entry(entryOf(401, at, { kind: "woke", slept_ms: 22_320_000 })));
  await page.tell((to) => to.entry(entryOf(402, at, { kind: "signed_out" }, "another")));
  const rows = () => [...document.querySelectorAll<HTMLElement>("[data-testid=entry]")];
  expect(rows().length).toBe(201);
  expect(rows()[0]?.dataset.kind).toBe("woke");
  expect(rows()[0]?.textContent).toContain("6 h 12 min");
  await page.press("older");
  expect(log).toHaveBeenLastCalledWith({ profile: "work", before: 201, limit: 200 });
  expect(rows().at(-1)?.dataset.kind).toBe("restored");
  expect(page.has("older")).toBe(false);
});

test("switching a fault says how often", async () => {
  const page = await open(overviewOf(sessionOf()), {}, { tab: "bench" });
  await page.press("fault-status");
  expect(page.host.setBench).toHaveBeenLastCalledWith({
    profile: "work",
    change: { set: "fault", name: "status", on: true, times: 1 },
  });
  expect(page.find("fault-status").getAttribute("aria-checked")).toBe("true");
  await page.press("revoke-access");
  expect(page.host.setBench).toHaveBeenLastCalledWith({ profile: "work", change: { set: "revoke_access" } });
  expect(page.find("revoke-access").parentElement?.textContent).toContain("Done.");
});

test("without a session the page leads to adding one; what is wrong with a field is said at it", async () => {
  const page = await open(overviewOf(), {
    addSession: () => Promise.reject(failureOf("bad_url", { url: "nowhere" })),
  });
  expect(await faults()).toEqual([]);
  await page.press("first-add");
  await page.type("new-name", "mine");
  await page.type("new-url", "nowhere");
  await page.press("preset-simplejwt");
  await page.press("new-submit");
  const draft = {
    profile: "mine",
    preset: "simplejwt",
    url: "nowhere",
    resources: [],
    allow_http: false,
    heartbeat_s: null,
  };
  expect(page.host.addSession).toHaveBeenCalledWith({ draft });
  expect(page.find("failure").textContent).toContain("nowhere");
  expect(page.find("new-url").getAttribute("aria-invalid")).toBe("true");
  expect(page.find("new-name").getAttribute("aria-invalid")).toBe("false");
  expect(await faults()).toEqual([]);
});

test("a session is removed only after a yes", async () => {
  const page = await open(overviewOf(sessionOf()));
  await page.press("more");
  await page.press("remove");
  const dialog = document.querySelector("dialog");
  expect(document.getElementById(dialog?.getAttribute("aria-labelledby") ?? "")?.textContent).toBe(
    "Remove “work”?",
  );
  expect(dialog?.open).toBe(true);
  expect(page.host.removeSession).not.toHaveBeenCalled();
  expect(await faults()).toEqual([]);
  await page.press("confirm");
  expect(page.host.removeSession).toHaveBeenCalledWith({ profile: "work" });
  expect(page.has("first-add")).toBe(true);
});

test("theme and language are kept, and the page speaks the language at once", async () => {
  const page = await open(overviewOf(sessionOf()));
  await page.press("settings");
  const choose = async (testid: string, value: string) => {
    (page.find(testid) as HTMLSelectElement).value = value;
    page.find(testid).dispatchEvent(new Event("change", { bubbles: true }));
    await page.settle();
  };
  await choose("theme", "dark");
  await choose("language", "zh-CN");
  expect(page.host.saveSettings.mock.lastCall?.[0].settings).toMatchObject({
    theme: "dark",
    language: "zh-CN",
  });
  expect(document.body.textContent).toContain("已登录，并将一直保持");
  expect(await faults()).toEqual([]);
});

test("when the keeper goes, a notice comes and everything else stays; when it is back, the log is read anew", async () => {
  const page = await open(overviewOf(sessionOf()));
  await page.tell((to) => to.keeper({ connected: false, failure: failureOf("keeper_unreachable") }));
  expect(page.find("notice").textContent).toContain("not answering");
  expect(page.find("countdown").textContent).toBe("0:21");
  await page.tell((to) => to.keeper({ connected: true, failure: null }));
  expect(page.has("notice")).toBe(false);
  expect(page.host.log).toHaveBeenCalledTimes(2);
});

test("problems of the configuration can be put away and come back", async () => {
  const page = await open({
    ...overviewOf(sessionOf()),
    problems: [failureOf("bad_config", { line: "14" })],
  });
  expect(page.find("notice").textContent).toContain("line 14");
  await page.press("dismiss");
  expect(page.has("notice")).toBe(false);
  await page.press("show-problems");
  expect(page.has("notice")).toBe(true);
});

test("a locked keyring says what to do", async () => {
  const page = await open({ ...overviewOf(sessionOf()), vault: { kind: "keyring", trouble: "locked" } });
  expect(page.find("notice").dataset.code).toBe("keyring_locked");
  expect(page.find("notice").textContent).toContain("Unlock it");
});

test("the live region says changes that matter, and no routine refresh or countdown", async () => {
  const stop = announceChanges();
  const page = await open(overviewOf(sessionOf()));
  const said = () => document.querySelector("[role=status][aria-live]")?.textContent;
  const tell = (phase: Phase) => page.tell((to) => to.overview(overviewOf(sessionOf({ phase }))));
  await tell({ name: "Refreshing", cause: "before_expiry", attempt: 1 });
  await tell({ name: "Fresh" });
  expect(said()).toBe("");
  await tell({ name: "Refreshing", cause: "before_expiry", attempt: 1 });
  await tell(waiting);
  expect(said()).toBe("work: 503, again in 12 s");
  await tell({ ...waiting, retry_in_ms: 11_000 });
  expect(said()).toBe("work: 503, again in 12 s");
  await tell({ name: "Fresh" });
  expect(said()).toBe("work: signed in");
  stop();
});
