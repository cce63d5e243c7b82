// Signing in at the provider's page: the window's button, a real browser, and back.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { Stage } from "./stage.mjs";
import { until } from "./webdriver.mjs";

const PROFILE = "Work account";
const ENTER = "\uE007";
const CONTROL = "\uE009";

test("a person signs in at the provider's own page, and out again", { timeout: 240_000 }, async (t) => {
  const stage = await Stage.set(t);
  const url = await stage.sandbox("30s");
  const page = await stage.open();

  await t.test("an issuer that is none is told where it was typed", async () => {
    await page.click('[data-testid="first-add"]');
    await page.type('[data-testid="new-issuer"]', `${url}/nobody`);
    await page.click('[data-testid="new-look"]');
    await until("a failure", () => page.count('form [data-testid="failure"]'));
    assert.equal(await page.attribute('[data-testid="new-issuer"]', "aria-invalid"), "true");
  });

  await t.test("an issuer becomes a session in three steps", async () => {
    await page.type('[data-testid="new-issuer"]', `${url}/oauth`);
    await page.click('[data-testid="new-look"]');
    await until("what it says about itself", () => page.count('[data-testid="found"]'));
    for (const able of ["browser", "device", "revocation", "dpop", "pushed"]) {
      assert.equal(await page.attribute(`[data-testid="found-${able}"]`, "class"), "yes", able);
    }
    assert.deepEqual((await stage.ask({ do: "status" })).sessions, [], "nothing is saved yet");
    await page.type('[data-testid="new-name"]', PROFILE);
    await page.type('[data-testid="new-client-id"]', "pilotlight");
    await page.type('[data-testid="new-scopes"]', "openid profile offline_access api");
    await page.type('[data-testid="new-url"]', `${url}/oauth`);
    await page.click('[data-testid="new-more"] > summary');
    await page.type('[data-testid="new-resources"]', `/api/profile${ENTER}/api/orders`);
    await page.click('[data-testid="new-submit"]');
    await until("its page", () => page.count('[data-testid="sign-in-browser"]'));
    assert.equal(await page.attribute(`[data-testid="session-${PROFILE}"]`, "data-phase"), "NeedsLogin");
  });

  await t.test("a no at the provider is told in the window", async () => {
    const browser = await atTheProvider(stage, page, url);
    await browser.click('button[value="cancel"]');
    await until("the failure", () => page.count('.sign-in [data-testid="failure"][data-code="sign_in_denied"]'));
    await until("the button is back", () => page.count('[data-testid="sign-in-browser"][aria-disabled="false"]'));
  });

  await t.test("an address that is brought by hand is judged by the keeper", async () => {
    await atTheProvider(stage, page, url);
    await page.click('[data-testid="elsewhere"] > summary');
    await page.type('[data-testid="landed-at"]', `${url}/callback?code=canary&state=another`);
    await page.click('[data-testid="land"]');
    await until("it is none of ours", () => page.count('.sign-in [data-testid="failure"][data-code="wrong_address"]'));
    assert.match(await page.text('[data-testid="failure"]'), /begins with http:\/\/127\.0\.0\.1:\d+\/callback/);
    assert(await page.count('[data-testid="pending"]'), "and the right one is still waited for");
    await page.click('[data-testid="sign-in-cancel"]');
    await until("the button is back", () => page.count('[data-testid="sign-in-browser"][aria-disabled="false"]'));
  });

  await t.test("a sign-in can be given up, and is no failure then", async () => {
    await atTheProvider(stage, page, url);
    assert.equal(await page.count('[data-testid="failure"]'), 0, "the one before is forgotten");
    await page.click('[data-testid="sign-in-cancel"]');
    await until("the button is back", () => page.count('[data-testid="sign-in-browser"][aria-disabled="false"]'));
    assert.equal(await page.count('[data-testid="failure"]'), 0);
  });

  await t.test("a name and a password, typed there, make the session fresh here", async () => {
    const browser = await atTheProvider(stage, page, url);
    const shown = await page.run("return document.documentElement.outerHTML");
    assert(!shown.includes("/authorize"), "the address stands nowhere in the page");
    await signIn(browser, 'button[value="sign_in"]');
    await landed(browser);
    await until("the session is fresh", () => isPhase(page, "Fresh"));
    assert.match(await page.text('[data-testid="generation"]'), /DPoP/);
    await page.click('[data-testid="tab-data"]');
    await page.click('[data-testid="fetch-/api/orders"]');
    await until("data", () => page.count('[data-testid="answer"][data-status="200"]'));
    await page.click('[data-testid="tab-overview"]');
  });

  await t.test("a resource that wants a stricter sign-in says so, and gets it", async () => {
    const safe = async () => {
      await page.click('[data-testid="tab-data"]');
      await page.type('[data-testid="path"]', "/api/safe");
      await page.click('[data-testid="fetch"]');
    };
    await safe();
    await until("a person is needed", () => isPhase(page, "NeedsLogin"));
    await page.click('[data-testid="tab-overview"]');
    const { demand } = (await stage.ask({ do: "status" })).sessions[0];
    await until("what is wanted is said", async () => (await page.text(".sign-in")).includes(demand.acr_values));

    await page.click('[data-testid="refresh-now"]');
    await until("it is done without", () => isPhase(page, "Fresh"));
    await safe();
    await until("a person is needed again", () => isPhase(page, "NeedsLogin"));
    await page.click('[data-testid="tab-overview"]');
    await signIn(await atTheProvider(stage, page, url), 'button[value="sign_in"]');
    await until("the session is fresh", () => isPhase(page, "Fresh"));
    await safe();
    await until("what was kept safe", () => page.count('[data-testid="answer"][data-status="200"]'));
    await page.click('[data-testid="tab-overview"]');
  });

  await t.test("who signs out in the browser too is sent there, and signed out here", async () => {
    await page.click('[data-testid="more"]');
    await page.click('[data-testid="sign-out-browser"]');
    await page.click('[data-testid="sign-out-yes"]');
    await until("the session is over", () => isPhase(page, "NeedsLogin"));
    const address = await stage.browser.opened();
    assert(address.startsWith(`${url}/oauth/end_session?`), address);
    const browser = await stage.browser.go(address);
    await until("the browser says so", async () => /signed out|close/i.test(await browser.text("body")));
    await until("nothing is kept", () => !stage.kept().includes(PROFILE));
  });

  await t.test("a code, entered in any browser, does the same", async () => {
    await page.click('[data-testid="sign-in-device"]');
    const code = await until("the code", () => page.text('[data-testid="user-code"]'));
    const address = await page.text('[data-testid="verification-uri"]');
    assert.equal(address, `${url}/oauth/device`);
    const squares = await page.attribute('[data-testid="qr"] path', "d");
    assert(squares.split("M").length > 100, `there is a picture of it: ${squares}`);

    await page.click('[data-testid="open-verification"]');
    const complete = await stage.browser.opened();
    assert(complete.startsWith(`${address}?`) && complete.includes(encodeURIComponent(code)), complete);

    const browser = await stage.browser.go(address);
    await browser.type('[name="user_code"]', code);
    await signIn(browser, 'button[value="approve"]');
    // The keeper asks as often as the provider lets it: every five seconds.
    await until("the session is fresh", () => isPhase(page, "Fresh"), 30_000);
    assert.equal(await page.count('[data-testid="user-code"]'), 0);
  });

  await t.test("who signs out here is signed out", async () => {
    await page.click('[data-testid="sign-out"]');
    await page.click('[data-testid="sign-out-yes"]');
    await until("the session is over", () => isPhase(page, "NeedsLogin"));
    await until("the button is back", () => page.count('[data-testid="sign-in-browser"]'));
    await until("nothing is kept", () => !stage.kept().includes(PROFILE));
  });
  await stage.close(page);
});

test("without a browser a person takes the address to one", { timeout: 120_000 }, async (t) => {
  const stage = await Stage.set(t, { PATH: withoutBrowser(t) });
  const url = await stage.sandbox("30s");
  const page = await stage.open();
  await stage.ask({
    do: "add",
    profile: PROFILE,
    url: `${url}/oauth`,
    sandbox: true,
    oauth: { issuer: `${url}/oauth`, client_id: "pilotlight", resource_indicators: [], endpoints: {}, extra: {} },
  });
  await page.click('[data-testid="sign-in-browser"]');
  await until("that there is none", () => page.count('.sign-in [data-testid="failure"][data-code="no_browser"]'));
  await until("how long the address is good", async () => /0:\d\d|1:\d\d/.test(await page.text('[data-testid="open-within"]')));
  const address = await page.run(`return document.querySelector('[data-testid="address"]').value`);
  assert(address.startsWith(`${url}/oauth/authorize?`), address);
  await page.click('[data-testid="copy-address"]');
  await until("it is selected", () =>
    page.run(`const { selectionStart, selectionEnd, value } = document.querySelector('[data-testid="address"]'); return selectionEnd - selectionStart === value.length`),
  );
  // Pasted where a person would.
  await page.run(`const field = document.createElement("textarea"); field.id = "elsewhere"; document.body.append(field); field.focus()`);
  await page.chord(CONTROL, "v");
  await until("it was copied", () => page.run("return document.querySelector('#elsewhere').value === arguments[0]", address));
  await signIn(await stage.browser.go(address), 'button[value="sign_in"]');
  await until("the session is fresh", () => isPhase(page, "Fresh"));
  await stage.close(page);
});

/** A `PATH` on which there is what drives the window, and nothing that opens an address. */
function withoutBrowser(t) {
  const dir = mkdtempSync(join(process.env.STAGE, "path-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const name of ["tauri-driver", "WebKitWebDriver"]) {
    const place = process.env.PATH.split(":").find((each) => existsSync(join(each, name)));
    symlinkSync(join(place, name), join(dir, name));
  }
  return dir;
}

/** Presses the window's button and goes where it leads: the browser, at the provider's page. */
async function atTheProvider(stage, page, url) {
  await page.click('[data-testid="sign-in-browser"]');
  await until("the window waits", () => page.count('[data-testid="pending"][data-way="browser"]'));
  const address = await stage.browser.opened();
  assert(address.startsWith(`${url}/oauth/authorize?`), address);
  return stage.browser.go(address);
}

async function signIn(browser, button) {
  await browser.type('[name="username"]', "alice");
  await browser.type('[name="password"]', "wonderland");
  await browser.click(button);
}

/** The keeper's own last page: it says that all is well, runs nothing, and keeps nothing in its address. */
async function landed(browser) {
  await until("the landing page", async () => /^http:\/\/127\.0\.0\.1:\d+\/done$/.test(await browser.address()));
  const [text, scripts] = await browser.run("return [document.body.innerText, document.scripts.length]");
  assert.match(text, /close/i);
  assert.equal(scripts, 0);
}

function isPhase(page, phase) {
  return page.count(`[data-testid="phase"][data-phase="${phase}"]`);
}
