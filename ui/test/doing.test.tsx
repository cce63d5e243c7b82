import { expect, test, vi } from "vitest";
import { entryOf, failureOf, faults, open, overviewOf, sessionOf } from "./page.tsx";

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

test("requests that fail together are told of once, with their number", async () => {
  let asked = 0;
  const fetchResource = () => {
    asked += 1;
    const failure = failureOf(asked === 8 ? "timed_out" : "offline", { host: "api.example.com" });
    return Promise.reject({ ...failure, retry_in_ms: 1000 + asked });
  };
  const page = await open(overviewOf(sessionOf()), { fetchResource }, { tab: "data" });
  await page.press("burst");
  const boxes = [...document.querySelectorAll<HTMLElement>("[data-testid=failure]")];
  expect(boxes.map((box) => box.dataset.code)).toEqual(["offline", "timed_out"]);
  expect(boxes.map((box) => /\d of \d requests/.exec(box.textContent ?? "")?.[0])).toEqual([
    "7 of 8 requests",
    undefined,
  ]);
  const answers = [...document.querySelectorAll<HTMLElement>("[data-testid=answer]")];
  expect(answers.map(({ dataset }) => dataset.status)).toEqual([...Array(7).fill("offline"), "timed_out"]);
  expect(await faults()).toEqual([]);
});

test("of what a host goes through a session's log tells only where it is its own", async () => {
  const opened = (id: number, host: string) =>
    entryOf(id, Date.now(), { kind: "breaker_opened", host, for_ms: 30_000 }, null);
  const log = vi.fn(async ({ before }: { before: number | null }) =>
    before
      ? [opened(1, "api.example.com")]
      : [
          opened(202, "api.example.com"),
          ...Array.from({ length: 199 }, (_, n) => opened(201 - n, "b.example")),
        ],
  );
  const page = await open(overviewOf(sessionOf()), { log }, { tab: "timeline" });
  await page.tell((to) => to.entry(opened(203, "b.example")));
  await page.tell((to) => to.entry(opened(204, "api.example.com")));
  await page.tell((to) => to.entry(entryOf(205, Date.now(), { kind: "keeper_stopped" }, null)));
  const kinds = () =>
    [...document.querySelectorAll<HTMLElement>("[data-testid=entry]")].map(({ dataset }) => dataset.kind);
  expect(kinds()).toEqual(["keeper_stopped", "breaker_opened", "breaker_opened"]);
  expect(document.body.textContent).not.toContain("b.example");
  await page.press("older");
  expect(log).toHaveBeenLastCalledWith({ profile: "work", before: 3, limit: 200 });
  await page.scrollTo(1);
  expect(page.has("older")).toBe(false);
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
  expect(rows()[0]?.dataset.kind).toBe("woke");
  expect(rows()[0]?.textContent).toContain("6 h 12 min");
  await page.press("older");
  expect(log).toHaveBeenLastCalledWith({ profile: "work", before: 201, limit: 200 });
  await page.scrollTo(document.querySelectorAll(".history > *").length - 1);
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
  await page.press("kind-preset");
  await page.type("new-name", "mine");
  await page.type("new-url", "nowhere");
  await page.press("preset-simplejwt");
  await page.press("new-submit");
  const draft = {
    profile: "mine",
    preset: "simplejwt",
    url: "nowhere",
    oauth: null,
    resources: [],
    allow_http: false,
    ca_file: null,
    sandbox: false,
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
