import { expect, test } from "vitest";
import { announceChanges } from "../src/announce.ts";
import type { PhaseView, SessionView } from "../src/api.ts";
import * as state from "../src/state.ts";
import { entryOf, failureOf, faults, open, overviewOf, sessionOf } from "./page.tsx";

const waiting: PhaseView = { name: "Waiting", why: "status", status: 503, failures: 2, retry_in_ms: 12_000 };
const phases: [PhaseView, Partial<SessionView>, string, string][] = [
  [{ name: "Fresh" }, {}, "Signed in, and staying so", "refreshed in 6 s"],
  [{ name: "Fresh" }, { saved: false }, "Signed in, and not saved yet", "refreshed in 6 s"],
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

const access: NonNullable<SessionView["access"]> = {
  generation: 14,
  jwt: true,
  algorithm: "HS256",
  lifetime_ms: 30_000,
  remaining_ms: 21_000,
  source: "told",
  rejected: false,
  dpop: false,
};

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

// Row A13: the page has no clock of its own.
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
    source: "told" as const,
    rejected: false,
    dpop: false,
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
    source: "told" as const,
    rejected: false,
    dpop: false,
  };
  const page = await open(overviewOf(sessionOf({ access })));
  expect(document.querySelector(".ring")?.textContent).toContain("ran out");
  await page.tell((to) =>
    to.overview(overviewOf(sessionOf({ access: { ...access, remaining_ms: 9, rejected: true } }))),
  );
  expect(document.querySelector(".ring")?.getAttribute("aria-label")).toBe("refused by the provider");
});

test("a token of which nobody said how long it lives does not run out", async () => {
  const access = {
    generation: 1,
    jwt: false,
    algorithm: null,
    lifetime_ms: 3_600_000,
    remaining_ms: 0,
    source: "assumed" as const,
    rejected: false,
    dpop: false,
  };
  const page = await open(overviewOf(sessionOf({ access, refresh_in_ms: 120_000 })));
  const ring = () => document.querySelector(".ring");
  expect(ring()?.textContent).toBe("2:00to the next refresh");
  expect(ring()?.getAttribute("aria-label")).toBe(
    "good until it is refused; nobody said how long it lives; refresh in 2 min",
  );
  expect(ring()?.querySelector(".due")).toBeNull();
  const main = () => document.querySelector("main")?.textContent ?? "";
  expect(main()).toContain("Nobody said how long the access token lives; it is good until it is refused.");
  expect(main()).toContain("It will be refreshed in 2 min");
  expect(main()).toContain("lifetime not said; 1 h assumed");
  expect(main()).toContain("38 ms · in good time");
  expect(main()).not.toContain("ran out");
  expect(page.find("session-work").querySelector("time")).toBeNull();
  expect(await faults()).toEqual([]);

  await page.tell((to) => to.overview(overviewOf(sessionOf({ access, refresh_in_ms: null }))));
  expect(ring()?.textContent).toBe("–good until refused");
  await page.tell((to) => to.overview(overviewOf(sessionOf({ access: { ...access, rejected: true } }))));
  expect(ring()?.getAttribute("aria-label")).toBe("refused by the provider");
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
  expect(shown.textContent).toContain(refusal.says.en);
  expect(shown.textContent).toContain(refusal.next.en);
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

test("a failure goes when what it was about is mended, and not before", async () => {
  const page = await open(overviewOf(sessionOf()), {
    refresh: () => Promise.reject(failureOf("offline", { host: "api.example.com" })),
  });
  const tell = (change: Partial<SessionView>) =>
    page.tell((to) => to.overview(overviewOf(sessionOf(change))));
  const shown = () => document.querySelector<HTMLElement>("main [data-testid=failure]")?.dataset.code;
  await page.press("refresh-now");
  expect(shown()).toBe("offline");
  await tell({});
  await tell({ phase: waiting });
  await tell({ phase: { name: "Refreshing", cause: "before_expiry", attempt: 3 } });
  expect(shown()).toBe("offline");
  await tell({ phase: { name: "Fresh" }, access: { ...access, generation: 15 } });
  expect(shown()).toBeUndefined();

  await page.press("refresh-now");
  const another = sessionOf({ profile: "my work", access: { ...access, generation: 99 } });
  const same = sessionOf({ access: { ...access, generation: 15 } });
  await page.tell((to) => to.overview(overviewOf(another, same)));
  expect(state.blames.value["refresh work"]?.failure.code).toBe("offline");
});

test("that the keeper was away is no trouble when it is back", async () => {
  const page = await open(overviewOf(sessionOf()), {
    refresh: () => Promise.reject(failureOf("keeper_unreachable")),
  });
  await page.press("refresh-now");
  await page.tell((to) => to.keeper({ connected: false, failure: failureOf("keeper_unreachable") }));
  expect(page.find("failure").dataset.code).toBe("keeper_unreachable");
  await page.tell((to) => to.keeper({ connected: true, failure: null }));
  expect(page.has("failure")).toBe(false);
});

test("a failed sign-in is no news once somebody has signed in, here or elsewhere", async () => {
  const needed = { phase: { name: "NeedsLogin", why: "signed_out" } as const, access: null };
  const page = await open(overviewOf(sessionOf(needed)), {
    login: () => Promise.reject(failureOf("sign_in_refused")),
  });
  await page.type("username", "alice");
  await page.type("password", "wrong");
  await page.press("sign-in");
  expect(page.has("failure")).toBe(true);
  await page.tell((to) => to.overview(overviewOf(sessionOf({ access: { ...access, generation: 1 } }))));
  await page.tell((to) => to.overview(overviewOf(sessionOf(needed))));
  expect(page.has("sign-in") && page.has("failure")).toBe(false);
});

test("what is thrown that is no failure is one all the same", async () => {
  const page = await open(overviewOf(sessionOf()), { refresh: () => Promise.reject("no such command") });
  await page.press("refresh-now");
  expect(page.find("failure").dataset.code).toBe("internal");
  expect(page.find("failure").textContent).toContain("no such command");
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

test("a keyring that does not open keeps nobody from signing in, and there is a way to try it again", async () => {
  const phase = { name: "Waiting", why: "vault", status: null, failures: 2, retry_in_ms: 900 } as const;
  const shown = {
    ...overviewOf(sessionOf({ phase, access: null, user: null })),
    vault: { kind: "keyring", trouble: "locked" } as const,
  };
  const page = await open(shown, { login: async () => overviewOf(sessionOf({ saved: false })) });
  expect(page.find("notice").dataset.code).toBe("keyring_locked");
  expect(document.querySelector(".sign-in")?.textContent).toContain("Once it is unlocked");
  expect(page.has("refresh-now") || page.has("sign-out")).toBe(false);
  expect(await faults()).toEqual([]);
  await page.press("try-again");
  expect(page.host.refresh).toHaveBeenCalledTimes(1);
  // What is read in a moment is no reason to ask anybody for anything.
  const soon: PhaseView = { ...phase, failures: 0 };
  const well = overviewOf(sessionOf({ phase: soon, access: null, user: null }));
  await page.tell((to) => to.overview(well));
  expect(page.has("sign-in")).toBe(false);
  await page.tell((to) => to.overview({ ...well, vault: { kind: "keyring", trouble: "slow" } }));
  expect(page.has("sign-in")).toBe(true);
  await page.type("username", "alice");
  await page.type("password", "wonderland");
  await page.press("sign-in");
  expect(page.find("phase").dataset.phase).toBe("Fresh");
  expect(page.find("stored").dataset.stored).toBe("unsaved");
  await page.tell((to) => to.overview(overviewOf(sessionOf({ phase }))));
  expect(page.has("sign-in")).toBe(false);
});

// Row D8: a call for a person that stays on the screen when nobody is needed any more.
test("a call for a person is taken back when its reason is gone", async () => {
  const stop = announceChanges();
  const page = await open(overviewOf(sessionOf()));
  const said = () => document.querySelector("[role=status][aria-live]")?.textContent;
  const calls = () => [page.has("sign-in"), page.find("session-work").dataset.phase === "NeedsLogin"];
  for (const why of ["unsure", "refused", "interaction_required"] as const) {
    await page.tell((to) => to.overview(overviewOf(sessionOf({ phase: { name: "NeedsLogin", why } }))));
    expect(calls()).toEqual([true, true]);
    expect(said()).toContain("work: ");
    await page.tell((to) => to.overview(overviewOf(sessionOf())));
    expect(calls()).toEqual([false, false]);
    expect(said()).toBe("work: signed in");
    expect(page.has("failure") || page.has("notice")).toBe(false);
  }
  stop();
});

// Row D8: nobody is called for what passes by itself.
test("the live region says changes that matter, and no routine refresh or countdown", async () => {
  const stop = announceChanges();
  const page = await open(overviewOf(sessionOf()));
  const said = () => document.querySelector("[role=status][aria-live]")?.textContent;
  const tell = (phase: PhaseView) => page.tell((to) => to.overview(overviewOf(sessionOf({ phase }))));
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

test("what the provider says, and that nothing refreshes a session, stand beside its state", async () => {
  const page = await open(overviewOf(sessionOf({ refresh_in_ms: null, renewable: false })));
  const main = () => document.querySelector("main")?.textContent ?? "";
  expect(main()).toContain("No refresh token came with this sign-in");
  await page.tell((to) => to.overview(overviewOf(sessionOf({ refresh_in_ms: null }))));
  expect(main()).not.toContain("No refresh token came");
  const phase = { name: "Waiting", why: "suspect", status: 400, failures: 1, retry_in_ms: 9_000 } as const;
  const said = "AADSTS90009: Application is requesting a token for itself.";
  await page.tell((to) => to.overview(overviewOf(sessionOf({ phase, said }))));
  expect(main()).toContain(`The provider says: “${said}”.`);
  expect(main()).not.toContain("No refresh token came");
});
