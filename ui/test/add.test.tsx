import { expect, test } from "vitest";
import type { Draft } from "../src/api.ts";
import { draftOf, grantOf, isPort, NOTHING_TYPED, type Typed } from "../src/draft.ts";
import { failureOf, faults, foundOf, open, overviewOf, type Page, sessionOf } from "./page.tsx";

const ISSUER = "https://login.example.com";

test("three steps lead from an issuer to the session's own page", async () => {
  const page = await adding();
  expect(document.activeElement).toBe(page.find("new-issuer"));
  expect(step()).toBe("Find the provider");
  expect(await faults()).toEqual([]);

  await look(page);
  expect(page.host.discover).toHaveBeenCalledWith({ issuer: ISSUER, allow_http: false });
  expect(page.host.addSession).not.toHaveBeenCalled();
  expect(step()).toBe("Check and name it");
  expect(document.activeElement?.textContent).toContain(ISSUER);
  expect(page.find("found-browser").className).toBe("yes");
  expect(page.find("found-pushed").className).toBe("no");
  expect(page.find("found-elsewhere").textContent).toContain("https://tokens.example.net/token");
  expect(page.has("found-ignored")).toBe(false);
  expect(value(page, "new-scopes")).toBe("openid offline_access");
  expect(await faults()).toEqual([]);

  await page.type("new-name", "work");
  await page.type("new-client-id", " desk ");
  await page.type("new-url", "https://api.example.com");
  await page.press("new-submit");
  expect(page.host.addSession).toHaveBeenCalledWith({
    draft: {
      profile: "work",
      preset: "",
      url: "https://api.example.com",
      oauth: {
        issuer: ISSUER,
        client_id: "desk",
        scopes: ["openid", "offline_access"],
        audience: null,
        resource_indicators: [],
        grant: null,
        dpop: null,
        redirect_port: null,
        redirect_host: null,
        redirect_path: null,
        endpoints: {},
        extra: {},
      },
      resources: [],
      allow_http: false,
      sandbox: false,
      heartbeat_s: null,
    } satisfies Draft,
  });
  expect(page.has("sign-in-browser")).toBe(true);
});

test("an empty issuer is not looked up; a wrong one is told at its field and kept", async () => {
  const page = await adding({
    discover: () => Promise.reject(failureOf("no_metadata", { host: "login.example.com" })),
  });
  await page.press("new-look");
  expect(page.host.discover).not.toHaveBeenCalled();
  expect(document.body.textContent).toContain("Please fill this in.");
  await look(page);
  expect(page.find("failure").dataset.code).toBe("no_metadata");
  expect(page.find("new-issuer").getAttribute("aria-invalid")).toBe("true");
  expect(value(page, "new-issuer")).toBe(ISSUER);
  expect(document.activeElement).toBe(page.find("new-issuer"));
  expect(await faults()).toEqual([]);
});

test("plain http is allowed only by a check of its own", async () => {
  const page = await adding();
  expect(page.has("allow-http")).toBe(false);
  await page.type("new-issuer", "http://login.test");
  await page.press("allow-http");
  await page.press("new-look");
  expect(page.host.discover).toHaveBeenCalledWith({ issuer: "http://login.test", allow_http: true });
});

test("back keeps what was typed, and so does another kind", async () => {
  const page = await adding();
  await look(page);
  await page.type("new-name", "work");
  await page.type("new-scopes", "openid");
  await page.press("new-back");
  expect(document.activeElement).toBe(page.find("new-issuer"));
  expect(value(page, "new-issuer")).toBe(ISSUER);
  await page.press("kind-preset");
  expect(page.has("preset-nestjs")).toBe(true);
  await page.press("kind-oauth");
  await page.press("new-look");
  expect(value(page, "new-name")).toBe("work");
  expect(value(page, "new-scopes")).toBe("openid");
});

test("what is missing is not sent, and a name that is taken is told at the name", async () => {
  const page = await adding({
    addSession: () => Promise.reject(failureOf("already_exists", { profile: "work" })),
  });
  await look(page);
  await page.press("new-submit");
  expect(page.host.addSession).not.toHaveBeenCalled();
  expect(invalid(page, "new-name") && invalid(page, "new-client-id")).toBe(true);
  expect(document.activeElement).toBe(page.find("new-name"));
  await page.type("new-name", "work");
  await page.type("new-client-id", "desk");
  await page.press("new-submit");
  expect(page.find("failure").previousElementSibling?.contains(page.find("new-name"))).toBe(true);
  expect(invalid(page, "new-name") && !invalid(page, "new-client-id")).toBe(true);
  expect(await faults()).toEqual([]);
  await page.press("new-back");
  expect(page.has("failure")).toBe(false);
});

test("a port that is none opens what it is hidden in, and is not sent", async () => {
  const page = await adding();
  await look(page);
  await page.type("new-name", "work");
  await page.type("new-client-id", "desk");
  await page.type("new-redirect-port", "70000");
  await page.press("new-submit");
  expect(page.host.addSession).not.toHaveBeenCalled();
  expect(invalid(page, "new-redirect-port")).toBe(true);
  expect((page.find("new-more") as HTMLDetailsElement).open).toBe(true);
  expect(await faults()).toEqual([]);
});

test("what is rarely needed goes into the draft", () => {
  const typed: Typed = {
    ...NOTHING_TYPED,
    issuer: "http://127.0.0.1:9310/oauth",
    allow_http: true,
    scopes: " api  openid ",
    audience: " orders ",
    resource_indicators: "https://a.example\nhttps://b.example\n",
    grant: "client_credentials",
    redirect_host: "localhost",
    redirect_port: " 8400 ",
    dpop: "off",
    resources: "/api/orders\n\n /a b/c ",
  };
  expect(draftOf(typed, foundOf())).toMatchObject({
    oauth: {
      scopes: ["api", "openid"],
      audience: "orders",
      resource_indicators: ["https://a.example", "https://b.example"],
      grant: "client_credentials",
      redirect_host: "localhost",
      redirect_port: 8400,
      dpop: false,
    },
    resources: ["/api/orders", "/a b/c"],
    allow_http: true,
  });
  expect(draftOf({ ...typed, scopes: "" }, foundOf()).oauth?.scopes).toEqual([]);
  expect(draftOf({ ...typed, issuer: ISSUER }, foundOf()).allow_http).toBe(false);
});

test("another device is proposed where there is no browser's sign-in", () => {
  expect(grantOf(NOTHING_TYPED, foundOf())).toBe("authorization_code");
  expect(draftOf(NOTHING_TYPED, foundOf({ browser: false })).oauth?.grant).toBe("device_code");
});

test.each([
  ["", true],
  ["1", true],
  ["65535", true],
  ["0", false],
  ["65536", false],
  ["8e3", false],
  ["-1", false],
])("the port %j is one: %s", (text, good) => {
  expect(isPort(text)).toBe(good);
});

async function adding(more: Parameters<typeof open>[1] = {}): Promise<Page> {
  const added = sessionOf({
    phase: { name: "NeedsLogin", why: "never" },
    access: null,
    ways: ["browser", "device"],
  });
  const page = await open(overviewOf(), { addSession: async () => overviewOf(added), ...more });
  await page.press("first-add");
  return page;
}

async function look(page: Page): Promise<void> {
  await page.type("new-issuer", ISSUER);
  await page.press("new-look");
}

function step(): string | undefined {
  return document.querySelector("[aria-current=step]")?.textContent ?? undefined;
}

function value(page: Page, testid: string): string {
  return (page.find(testid) as HTMLInputElement).value;
}

function invalid(page: Page, testid: string): boolean {
  return page.find(testid).getAttribute("aria-invalid") === "true";
}
