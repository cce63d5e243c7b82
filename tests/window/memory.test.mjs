// What the processes of the window have in their memory: of the secrets that the keeper keeps, nothing.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test from "node:test";
import { Ear } from "./ear.mjs";
import { count } from "./memory.mjs";
import { Stage } from "./stage.mjs";
import { until } from "./webdriver.mjs";

/** Sessions of each kind go through everything that a window can show of them. */
test("no secret of a session is in the memory of the window", { timeout: 240_000 }, async (t) => {
  const stage = await Stage.set(t);
  const url = await stage.sandbox("4s");
  const ear = await Ear.before(url);
  t.after(() => ear.end());
  const witness = `witness ${randomBytes(8).toString("hex")}`;
  const page = await stage.open();
  await stage.ask({ do: "add", profile: "Plain", url: `${url}/oauth`, sandbox: true, resources: ["/api/profile"], oauth: oauth(url, ear.origin) });
  await stage.ask({ do: "add", profile: "Bound", url: `${url}/oauth`, sandbox: true, oauth: oauth(url) });
  const service = { ...oauth(url, ear.origin), client_id: "pilotlight-service", grant: "client_credentials", scopes: ["api"] };
  await stage.ask({ do: "add", profile: "Service", url: `${url}/oauth`, sandbox: true, oauth: service });
  // In no Latin letters, so that one control is a text of two bytes a character.
  await stage.add(`${witness} 火`, "heartbeat", `${url}/heartbeat`);

  for (const profile of ["Plain", "Bound"]) {
    await page.click(`[data-testid="session-${profile}"]`);
    await page.click('[data-testid="sign-in-browser"]');
    const browser = await stage.browser.go(await stage.browser.opened());
    if ((await browser.run(`return document.querySelectorAll('[name="username"]').length`)) > 0) {
      await browser.type('[name="username"]', "alice");
      await browser.type('[name="password"]', "wonderland");
    }
    await browser.click('button[value="sign_in"]');
    await until(`${profile} is fresh`, () => isPhase(page, "Fresh"));
  }
  await stage.login("Service", "", "sandbox-secret");
  await until("ten rotations", () => ear.heard.refresh_token?.length > 10, 90_000);
  for (const profile of ["Plain", "Bound", "Service"]) {
    await page.click(`[data-testid="session-${profile}"]`);
    await page.click('[data-testid="refresh-now"]');
    for (const tab of ["data", "timeline", "bench", "overview"]) {
      await page.click(`[data-testid="tab-${tab}"]`);
    }
  }

  const secrets = await secretsOf(stage, ear);
  const processes = stage.ofTheWindow();
  for (const [name, pid] of Object.entries(processes)) {
    const found = count(pid, { ...secrets, home: `PILOTLIGHT_HOME=${stage.home}`, witness, "witness, wide": Buffer.from(`${witness} 火`, "utf16le") });
    t.diagnostic(`${name}: ${JSON.stringify(found)}`);
    // What is known to be there is found: its environment, and in the page what the page shows.
    assert(found.home > 0, `${name} was not read`);
    if (name !== "network") assert(found.witness > 0, `${name} was not read to its end`);
    if (name === "web") assert(found["witness, wide"] > 0, "wide texts were not found");
    for (const secret of Object.keys(secrets)) assert.equal(found[secret], 0, `${secret} is in the memory of the ${name} process`);
  }
  // The same search finds them where they are.
  const [keeper] = stage.keepers();
  const kept = count(keeper, secrets);
  t.diagnostic(`keeper: ${JSON.stringify(kept)}`);
  assert(kept["wrapping key, bytes"] > 0 && kept["client_secret 1"] > 0, "the search finds what the keeper has");
  await stage.close(page);
});

function oauth(url, ear) {
  const at = (path) => `${ear}/oauth/${path}`;
  const there = (path) => `${url}/oauth/${path}`;
  const endpoints = ear
    ? { authorization: there("authorize"), token: at("token"), revocation: at("revoke"), userinfo: at("userinfo"), jwks_uri: there("jwks") }
    : {};
  const scopes = ["openid", "offline_access", "api"];
  return { issuer: `${url}/oauth`, client_id: "pilotlight", scopes, dpop: !ear, resource_indicators: [], endpoints, extra: {} };
}

/** Each by its name. */
async function secretsOf(stage, ear) {
  const secrets = {};
  for (const [name, values] of Object.entries(ear.heard)) {
    // Of a token that is a JWT, the signature is enough to be missed.
    for (const [at, value] of values.entries()) secrets[`${name} ${at}`] = value.split(".").at(-1);
  }
  for (const kind of ["access_token", "client_secret", "code", "code_verifier", "refresh_token"]) {
    assert(ear.heard[kind]?.length > 0, `${kind} was heard`);
  }
  const [, key] = /^secret = (\S+)$/m.exec(await stage.keyring());
  const wrapping = key.replace(/^pilotlight-key-1\./, "");
  const { refresh, proof_key } = await stage.opened("Bound");
  assert(refresh.length >= 20 && proof_key.length >= 40, "there is a key of DPoP");
  return {
    ...secrets,
    "wrapping key": wrapping,
    "wrapping key, bytes": Buffer.from(wrapping, "base64url"),
    "refresh token of DPoP": refresh,
    "key of DPoP": proof_key,
    "key of DPoP, bytes": Buffer.from(proof_key, "base64url"),
  };
}

function isPhase(page, phase) {
  return page.count(`[data-testid="phase"][data-phase="${phase}"]`);
}
