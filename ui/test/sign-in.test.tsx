import { expect, test, vi } from "vitest";
import type { FailureView, Lost, OverviewView, Pending, SessionView } from "../src/api.ts";
import { begunOf, failureOf, faults, open, overviewOf, sessionOf } from "./page.tsx";

const BROWSER: Pending = { way: "browser", expires_in_ms: 299_400 };
const DEVICE: Pending = {
  way: "device",
  user_code: "WDJB-MJHT",
  verification_uri: "https://login.example.com/device",
  verification_uri_complete: "https://login.example.com/device?user_code=WDJB-MJHT",
  qr: ["##.", ".#.", "..#"],
  expires_in_ms: 61_000,
};

test("the button of the browser begins, and the card then waits for the end", async () => {
  let end: (told: OverviewView) => void = () => undefined;
  const page = await open(needed(), {
    signIn: async () => begunOf(pending(BROWSER)),
    finishSignIn: () =>
      new Promise((done) => {
        end = done;
      }),
  });
  expect(document.activeElement).toBe(page.find("sign-in-browser"));
  expect(page.has("username")).toBe(false);
  expect(await faults()).toEqual([]);

  await page.press("sign-in-browser");
  expect(page.host.signIn).toHaveBeenCalledWith({ profile: "work", way: "browser" });
  expect(page.host.finishSignIn).toHaveBeenCalledTimes(1);
  expect(page.find("pending").dataset.way).toBe("browser");
  expect(document.activeElement?.textContent).toBe("Finish signing in in your browser");
  expect(page.find("time-left").textContent).toBe("5:00 left");
  expect(await faults()).toEqual([]);

  await page.tell((to) => to.overview(pending({ ...BROWSER, expires_in_ms: 20_100 })));
  expect(page.find("time-left").textContent).toBe("0:21 left");
  end(overviewOf(sessionOf()));
  await page.settle();
  expect(page.find("phase").dataset.phase).toBe("Fresh");
  expect(document.activeElement).toBe(page.find("tab-overview"));
});

test("what a sign-in fails with is told, and the next try forgets it", async () => {
  let fail: (failure: FailureView) => void = () => undefined;
  const page = await open(needed(), {
    signIn: async () => begunOf(pending(BROWSER)),
    finishSignIn: () =>
      new Promise((_, failed) => {
        fail = failed;
      }),
  });
  await page.press("sign-in-browser");
  fail(failureOf("sign_in_denied", { host: "login.example.com" }));
  await page.tell((to) => to.overview(needed()));
  expect(page.find("failure").dataset.code).toBe("sign_in_denied");
  expect(page.has("pending")).toBe(false);
  expect(document.activeElement).toBe(page.find("sign-in-browser"));
  expect(await faults()).toEqual([]);
  await page.press("sign-in-browser");
  expect(page.has("failure")).toBe(false);
});

test("a browser that does not open is told at the button", async () => {
  const page = await open(needed(), { signIn: () => Promise.reject(failureOf("internal")) });
  await page.press("sign-in-browser");
  expect(page.find("failure").dataset.code).toBe("internal");
  expect(page.host.finishSignIn).not.toHaveBeenCalled();
});

const ADDRESS = "https://login.example.com/authorize?state=x";

test("without a browser the address is shown, and a code will do instead", async () => {
  const page = await open(needed(), {
    signIn: async ({ way }) =>
      way === "device"
        ? begunOf(pending(DEVICE))
        : begunOf(pending(BROWSER), { address: ADDRESS, unopened: failureOf("no_browser") }),
  });
  await page.press("sign-in-browser");
  expect(page.find("failure").dataset.code).toBe("no_browser");
  expect((page.find("address") as HTMLInputElement).value).toBe(ADDRESS);
  expect(page.host.finishSignIn).toHaveBeenCalledTimes(1);
  expect(await faults()).toEqual([]);
  await page.press("sign-in-device");
  expect(page.find("user-code").textContent).toBe("WDJB-MJHT");
  expect(page.has("failure") || page.has("address")).toBe(false);
});

test("no code is offered where the provider has none", async () => {
  const page = await open(needed({ ways: ["browser"], phase: { name: "SigningIn" }, pending: BROWSER }));
  expect(page.has("pending")).toBe(true);
  expect(page.has("sign-in-device")).toBe(false);
});

test("the address is not in the page until somebody wants it, and copied then", async () => {
  const page = await open(needed(), { signIn: async () => begunOf(pending(BROWSER), { address: ADDRESS }) });
  const writeText = vi.fn(async () => undefined);
  vi.stubGlobal("navigator", { clipboard: { writeText } });
  await page.press("sign-in-browser");
  expect(document.body.innerHTML).not.toContain("authorize");
  await page.press("copy-address");
  expect(writeText).toHaveBeenCalledWith(ADDRESS);
  expect(page.find("address").parentElement?.parentElement?.textContent).toContain("Copied.");
  writeText.mockRejectedValue(new Error("not allowed"));
  await page.press("copy-address");
  expect(document.body.textContent).toContain("Copy it from the field");
  expect(await faults()).toEqual([]);
  vi.unstubAllGlobals();
});

// Row G2: the browser is on another machine, which cannot come back to this one.
test("the address at which a browser elsewhere has ended is brought by hand", async () => {
  const page = await open(pending(BROWSER));
  const field = page.find("landed-at") as HTMLInputElement;
  expect(page.find("land").hasAttribute("disabled")).toBe(true);
  page.host.landSignIn.mockRejectedValueOnce(
    failureOf("wrong_address", { address: "http://127.0.0.1:7/callback" }),
  );
  await page.type("landed-at", ADDRESS);
  await page.press("land");
  expect(page.find("failure").dataset.code).toBe("wrong_address");
  expect(page.find("failure").textContent).toContain("http://127.0.0.1:7/callback");
  expect(field.value).toBe("");
  await page.type("landed-at", "http://127.0.0.1:7/callback?code=c");
  expect(await faults()).toEqual([]);
  await page.press("land");
  expect(page.host.landSignIn).toHaveBeenLastCalledWith({
    profile: "work",
    address: "http://127.0.0.1:7/callback?code=c",
  });
  expect([page.has("failure"), field.value]).toEqual([false, ""]);
  expect(document.body.innerHTML).not.toContain("code=c");
});

test("an address that ends before the sign-in does says when", async () => {
  const page = await open(needed(), {
    signIn: async () => begunOf(pending({ ...BROWSER, open_within_ms: 59_200 }), { address: ADDRESS }),
  });
  await page.press("sign-in-browser");
  expect(page.find("open-within").textContent).toContain("good for another 1:00");
  expect(await faults()).toEqual([]);
  await page.tell((to) => to.overview(pending({ ...BROWSER, open_within_ms: 0 })));
  expect(page.find("open-within").textContent).toContain("not good any more");
  expect(page.has("copy-address")).toBe(false);
  expect(page.has("open-again")).toBe(true);
  await page.tell((to) => to.overview(pending(BROWSER)));
  expect(page.has("open-within")).toBe(false);
});

test("a sign-in that is given up here is no failure", async () => {
  let fail: (failure: FailureView) => void = () => undefined;
  const page = await open(pending(BROWSER), {
    cancelSignIn: async () => {
      fail(failureOf("sign_in_cancelled"));
      return needed();
    },
    finishSignIn: () =>
      new Promise((_, failed) => {
        fail = failed;
      }),
  });
  await page.press("sign-in-cancel");
  expect(page.host.cancelSignIn).toHaveBeenCalledWith({ profile: "work" });
  expect(page.has("failure")).toBe(false);
  expect(document.activeElement).toBe(page.find("sign-in-browser"));
});

test("opening the browser again begins anew, and the end of the old one is no news", async () => {
  const ends: ((failure: FailureView) => void)[] = [];
  const page = await open(pending(BROWSER), {
    signIn: async () => begunOf(pending(BROWSER)),
    finishSignIn: () => new Promise((_, failed) => ends.push(failed)),
  });
  expect(ends.length).toBe(1);
  await page.press("open-again");
  expect(page.host.signIn).toHaveBeenCalledWith({ profile: "work", way: "browser" });
  expect(ends.length).toBe(2);
  ends[0]?.(failureOf("sign_in_cancelled"));
  await page.settle();
  expect(page.has("failure")).toBe(false);
  ends[1]?.(failureOf("sign_in_expired"));
  await page.settle();
  expect(page.find("failure").dataset.code).toBe("sign_in_expired");
});

test("another device is shown a code, its address, a picture of both and a warning", async () => {
  const page = await open(needed(), { signIn: async () => begunOf(pending(DEVICE)) });
  await page.press("sign-in-device");
  expect(page.host.signIn).toHaveBeenCalledWith({ profile: "work", way: "device" });
  expect(page.find("user-code").textContent).toBe("WDJB-MJHT");
  expect(page.find("verification-uri").textContent).toBe("https://login.example.com/device");
  expect(page.find("time-left").textContent).toBe("1:01 left");
  expect(page.find("pending").textContent).toContain("only if you began the sign-in yourself");
  expect(page.find("qr").getAttribute("role")).toBe("img");
  expect(page.find("qr").getAttribute("viewBox")).toBe("0 0 11 11");
  expect(page.find("qr").querySelector("path")?.getAttribute("d")).toBe(
    "M4 4h2v1h-2zM5 5h1v1h-1zM6 6h1v1h-1z",
  );
  const said = document.querySelector("[role=status][aria-live]")?.textContent;
  expect(said).toBe("work: enter the code WDJB-MJHT at https://login.example.com/device");
  expect(await faults()).toEqual([]);
  await page.press("open-verification");
  expect(page.host.openVerification).toHaveBeenCalledWith({ profile: "work" });
});

test("a sign-in that began elsewhere is shown, and its end waited for, once", async () => {
  const page = await open(needed());
  await page.tell((to) => to.overview(pending(DEVICE)));
  await page.tell((to) => to.overview(pending({ ...DEVICE, expires_in_ms: 0 })));
  expect(page.host.finishSignIn).toHaveBeenCalledTimes(1);
  expect(page.find("time-left").textContent).toBe("The time is over.");
});

test("where only a code will do, it is the first button", async () => {
  const page = await open(needed({ ways: ["device"] }));
  expect(page.has("sign-in-browser")).toBe(false);
  expect(page.find("sign-in-device").className).toBe("primary");
});

test("a client's secret is one field, and unattended is one button", async () => {
  const page = await open(needed({ ways: ["client_secret"] }));
  expect(page.has("username")).toBe(false);
  await page.press("sign-in");
  expect(page.host.login).not.toHaveBeenCalled();
  await page.type("client-secret", "s3cret");
  await page.press("sign-in");
  expect(page.host.login).toHaveBeenCalledWith({ profile: "work", username: "", password: "s3cret" });
  expect(await faults()).toEqual([]);
  await page.tell((to) => to.overview(needed({ ways: ["unattended"] })));
  expect(document.querySelector(".sign-in input")).toBe(null);
  await page.press("sign-in");
  expect(page.host.login).toHaveBeenLastCalledWith({ profile: "work", username: "", password: "" });
  expect(await faults()).toEqual([]);
});

const demands: [Lost, Partial<SessionView>, string[]][] = [
  ["consent_required", {}, ["your consent"]],
  ["insufficient_scope", { demand: demand({ scope: "reports api" }) }, ["What is missing: reports api."]],
  [
    "insufficient_user_authentication",
    { demand: demand({ acr_values: "gold", max_age: 300 }) },
    ["it wants: gold.", "5 min old at most"],
  ],
  ["insufficient_user_authentication", { demand: demand({ max_age: 0 }) }, ["asked anew"]],
  ["interaction_required", {}, ["its own page"]],
  ["login_required", { access: null }, ["sign in again"]],
];

test.each(demands)("%s says what is wanted, and can be done without", async (why, change, words) => {
  const page = await open(
    needed({ phase: { name: "NeedsLogin", why }, access: sessionOf().access, ...change }),
  );
  const text = document.querySelector(".sign-in")?.textContent ?? "";
  for (const each of words) expect(text).toContain(each);
  expect(text.includes("Everything else goes on")).toBe(change.access !== null);
  await page.press("refresh-now");
  expect(page.host.refresh).toHaveBeenCalledWith({ profile: "work" });
  expect(page.has("sign-out") && page.has("sign-in-browser")).toBe(true);
  expect(await faults()).toEqual([]);
});

test("a sign-out in the browser too is offered where the provider has a page for it", async () => {
  const page = await open(overviewOf(sessionOf({ browser_logout: true })));
  await page.press("more");
  expect(document.activeElement).toBe(page.find("sign-out-browser"));
  await page.key("ArrowDown");
  expect(document.activeElement).toBe(page.find("remove"));
  await page.key("ArrowDown");
  await page.press("sign-out-browser");
  expect(page.host.logout).not.toHaveBeenCalled();
  expect(document.body.textContent).toContain("and the one in the browser?");
  await page.press("sign-out-yes");
  expect(page.host.logout).toHaveBeenCalledWith({ profile: "work", browser: true });
  expect(page.has("remove")).toBe(false);
  await page.press("sign-out");
  await page.press("sign-out-yes");
  expect(page.host.logout).toHaveBeenLastCalledWith({ profile: "work", browser: false });
  await page.tell((to) => to.overview(overviewOf(sessionOf())));
  await page.press("more");
  expect(page.has("sign-out-browser")).toBe(false);
});

test("signing out is asked about once, and can be thought better of", async () => {
  const page = await open(overviewOf(sessionOf()));
  await page.press("sign-out");
  expect(document.activeElement).toBe(page.find("sign-out-no"));
  expect(await faults()).toEqual([]);
  await page.key("Escape");
  expect(document.activeElement).toBe(page.find("sign-out"));
  await page.press("sign-out");
  await page.press("sign-out-no");
  expect(page.host.logout).not.toHaveBeenCalled();
  await page.press("sign-out");
  await page.press("sign-out-yes");
  expect(page.host.logout).toHaveBeenCalledTimes(1);
  expect(page.has("sign-out-yes")).toBe(false);
});

test("who signed out finds their name in the form", async () => {
  const page = await open(overviewOf(sessionOf({ user: "alice" })));
  await page.tell((to) => to.overview(needed({ ways: ["password"] })));
  expect((page.find("username") as HTMLInputElement).value).toBe("alice");
  expect(document.activeElement).toBe(page.find("password"));
});

test("a token that is bound to a key says so", async () => {
  const access = { ...sessionOf().access, dpop: true } as SessionView["access"];
  const page = await open(overviewOf(sessionOf({ access })));
  expect(page.find("generation").textContent).toContain("bound to a key (DPoP)");
});

test.each(["data", "timeline", "bench"])("on %s, too, there is a way to sign in", async (tab) => {
  const page = await open(needed({ ways: ["password"] }), {}, { tab });
  expect(await faults()).toEqual([]);
  await page.press("go-sign-in");
  expect(page.find("tab-overview").getAttribute("aria-selected")).toBe("true");
  expect(page.has("go-sign-in")).toBe(false);
  expect(document.activeElement).toBe(page.find("username"));
  await page.press(`tab-${tab}`);
  await page.tell((to) => to.overview(overviewOf(sessionOf())));
  expect(page.has("go-sign-in")).toBe(false);
});

test("where a person signs in at the browser, that is begun from everywhere", async () => {
  const page = await open(needed(), { signIn: async () => begunOf(pending(BROWSER)) }, { tab: "data" });
  await page.press("go-sign-in");
  expect(page.host.signIn).toHaveBeenCalledWith({ profile: "work", way: "browser" });
  expect(page.find("pending").dataset.way).toBe("browser");
  await page.press("tab-data");
  await page.press("go-sign-in");
  expect(page.host.signIn).toHaveBeenCalledTimes(1);
  expect(page.has("pending")).toBe(true);
});

test("what a failed opening leaves behind does not keep the next one from being told", async () => {
  const openVerification = vi
    .fn()
    .mockRejectedValueOnce(failureOf("offline"))
    .mockResolvedValueOnce(undefined);
  const page = await open(pending(DEVICE), { openVerification });
  await page.press("open-verification");
  expect(page.find("failure").dataset.code).toBe("offline");
  await page.press("open-verification");
  expect(page.has("failure")).toBe(false);
});

function needed(change: Partial<SessionView> = {}): OverviewView {
  return overviewOf(
    sessionOf({
      phase: { name: "NeedsLogin", why: "never" },
      access: null,
      user: null,
      ways: ["browser", "device"],
      ...change,
    }),
  );
}

function pending(how: Pending): OverviewView {
  return needed({ phase: { name: "SigningIn" }, pending: how });
}

function demand(change: Partial<NonNullable<SessionView["demand"]>>): SessionView["demand"] {
  return { acr_values: null, max_age: null, scope: null, ...change };
}
