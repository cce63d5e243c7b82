// What goes wrong is said where it happened, with what to do; what can be mended without a person is.

import assert from "node:assert/strict";
import test from "node:test";
import { Stage } from "./stage.mjs";
import { until } from "./webdriver.mjs";

test("what goes wrong is said in its place, and mended where it can be", { timeout: 180_000 }, async (t) => {
  const stage = await Stage.set(t);
  const url = await stage.sandbox("30s");
  const page = await stage.open();

  await t.test("an address that is none is refused where it was typed", async () => {
    await page.click('[data-testid="first-add"]');
    await page.click('[data-testid="kind-preset"]');
    await page.type('[data-testid="new-name"]', "Portal");
    await page.type('[data-testid="new-url"]', "nowhere");
    await page.click('[data-testid="new-submit"]');
    await saysWhatToDo(page, "bad_url", "form");
    assert.equal(await page.attribute('[data-testid="new-url"]', "aria-invalid"), "true");
  });

  await t.test("plain http to another machine must be allowed by name", async () => {
    await page.type('[data-testid="new-url"]', "http://192.0.2.1/");
    await page.click('[data-testid="new-submit"]');
    await saysWhatToDo(page, "plain_http", "form");
  });

  await t.test("a provider that cannot be reached is told at the sign-in", async () => {
    // Nobody listens on the port of a server that has ended.
    await page.click('[data-testid="preset-simplejwt"]');
    await page.type('[data-testid="new-url"]', "http://127.0.0.1:9/simplejwt");
    await page.click('[data-testid="new-submit"]');
    await until("it is added", () => page.count('[data-testid="session-Portal"]'));
    await signIn(stage, page, "alice", "wonderland");
    await saysWhatToDo(page, "offline", "form");
    assert.match(await page.text('[data-testid="failure"]'), /127\.0\.0\.1/);
  });

  await t.test("a session that is not wanted is removed", async () => {
    await page.click('[data-testid="more"]');
    await page.click('[data-testid="remove"]');
    await page.click('[data-testid="confirm"]');
    await until("it is gone", async () => (await page.count('[data-testid="session-Portal"]')) === 0);
  });

  await t.test("a wrong password is told under the form, and the next try works", async () => {
    await stage.add("Sandbox", "nestjs", `${url}/nestjs`);
    await signIn(stage, page, "alice", "wrong");
    await saysWhatToDo(page, "sign_in_refused", "form");
    await until("the password is typed over", () => page.run(`return document.activeElement?.dataset.testid === "password"`));
    await signIn(stage, page, "alice", "wonderland");
    await phase(page, "Fresh");
    assert.equal(await page.count('[data-testid="failure"]'), 0);
  });

  await t.test("access tokens that the provider forgot are replaced, and nobody is asked", async () => {
    const before = (await session(stage)).access.generation;
    await page.click('[data-testid="tab-bench"]');
    await page.click('[data-testid="revoke-access"]');
    await page.click('[data-testid="tab-data"]');
    await page.click('[data-testid="fetch-/aaa"]');
    await until("data", () => page.count('[data-testid="answer"][data-status="200"]'));
    await until("a newer token", async () => (await session(stage)).access.generation > before);
    await phase(page, "Fresh");
    const { entries } = await stage.ask({ do: "log", profile: "Sandbox", limit: 100 });
    assert(entries.some(({ note }) => note.kind === "refreshed"));
  });

  await t.test("a provider in trouble is waited for, and the session survives", async () => {
    await page.click('[data-testid="tab-bench"]');
    await page.click('[data-testid="times-until"]');
    await page.click('[data-testid="fault-status"]');
    await until("the switch is on", () => page.count('[data-testid="fault-status"][aria-checked="true"]'));
    await page.click('[data-testid="refresh-now"]');
    await phase(page, "Waiting");
    await page.click('[data-testid="all-off"]');
    await phase(page, "Fresh", 60_000);
  });

  await t.test("what is broken is what the card speaks of, though other requests come first", async () => {
    // Tokens that live long, so that no refresh comes but the one that is asked for.
    await stage.add("Watched", "heartbeat", `${await stage.sandbox("10m")}/heartbeat`, { heartbeat_s: 1 });
    await stage.login("Watched");
    await page.click('[data-testid="session-Watched"]');
    await page.click('[data-testid="tab-bench"]');
    await page.click('[data-testid="times-once"]');
    for (const fault of ["lost_answer", "redirect"]) {
      const kept = await notes(stage, "Watched", "kept");
      await page.click(`[data-testid="fault-${fault}"]`);
      await until("the switch is on", () => isOn(page, fault));
      const before = await notes(stage, "Watched", "heartbeat");
      await until("it was asked how it is", async () => (await notes(stage, "Watched", "heartbeat")) >= before + 2);
      assert(await isOn(page, fault), "it is for others");
      await page.click('[data-testid="refresh-now"]');
      await until("a refresh met it", async () => (await notes(stage, "Watched", "kept")) > kept);
      await until("the switch is off", async () => !(await isOn(page, fault)));
      // The keeper takes its time after a redirect, and a person need not.
      await until("it goes on", async () => {
        if (await page.count('[data-testid="phase"][data-phase="Fresh"]')) return true;
        await page.click('[data-testid="refresh-now"]');
        return false;
      });
    }
    await stage.ask({ do: "remove", profile: "Watched" });
    await page.click('[data-testid="session-Sandbox"]');
  });

  await t.test("a session that the provider ended asks for the person, who signs in again", async () => {
    await page.click('[data-testid="tab-bench"]');
    await page.click('[data-testid="revoke-all"]');
    await page.click('[data-testid="tab-overview"]');
    await page.click('[data-testid="refresh-now"]');
    await phase(page, "NeedsLogin");
    await until("there is the form", () => page.count('[data-testid="password"]'));
    assert.equal(await page.attribute('[data-testid="session-Sandbox"]', "data-phase"), "NeedsLogin");
    await signIn(stage, page, "alice", "wonderland");
    await phase(page, "Fresh");
  });

  await t.test("who signs out is signed out", async () => {
    await page.click('[data-testid="sign-out"]');
    await page.click('[data-testid="sign-out-yes"]');
    await phase(page, "NeedsLogin");
    await until("nothing is kept", () => !stage.kept().includes("Sandbox"));
    await until("the name is offered", () => page.run(`return document.querySelector('[data-testid="username"]').value === "alice"`));
  });
  await stage.close(page);
});

test("a keeper that dies is started again, and the page goes on", { timeout: 60_000 }, async (t) => {
  const stage = await Stage.set(t);
  const url = await stage.sandbox("30s");
  const page = await stage.open();
  await stage.add("Sandbox", "flask", `${url}/flask`);
  await stage.login("Sandbox");
  await phase(page, "Fresh");
  const [keeper] = stage.keepers();
  process.kill(keeper, "SIGKILL");
  await until("another keeper", () => stage.keepers().some((pid) => pid !== keeper));
  await phase(page, "Fresh");
  await until("nothing is amiss any more", async () => (await page.count('[data-testid="notice"]')) === 0);
  await stage.close(page);
});

function isOn(page, fault) {
  return page.count(`[data-testid="fault-${fault}"][aria-checked="true"]`);
}

async function notes(stage, profile, kind) {
  const { entries } = await stage.ask({ do: "log", profile, limit: 1000 });
  return entries.filter(({ note }) => note.kind === kind).length;
}

test("a locked keyring keeps nobody from beginning", { timeout: 120_000 }, async (t) => {
  const stage = await Stage.set(t);
  const url = await stage.sandbox("30s");
  const unlock = await stage.lockKeyring();
  t.after(unlock);
  const page = await stage.open();
  await page.click('[data-testid="first-add"]');
  await page.click('[data-testid="kind-preset"]');
  await page.click('[data-testid="preset-heartbeat"]');
  await page.type('[data-testid="new-name"]', "Sandbox");
  await page.type('[data-testid="new-url"]', `${url}/heartbeat`);
  await page.click('[data-testid="new-submit"]');
  await until("what is the matter", () => page.count('[data-testid="notice"][data-code="keyring_locked"]'));
  await until("the form", () => page.count('[data-testid="password"]'));
  await signIn(stage, page, "alice", "wonderland");
  await phase(page, "Fresh");
  await until("where it is kept is said", () => page.count('[data-testid="stored"][data-stored="unsaved"]'));
  await unlock();
  await until("it is saved", () => page.count('[data-testid="stored"][data-stored="keyring"]'), 60_000);
  await until("nothing is amiss any more", async () => (await page.count('[data-testid="notice"]')) === 0);
  await stage.close(page);
});

/** Types, and presses the button once it can be pressed: a moment ago another sign-in may have been under way. */
async function signIn(stage, page, username, password) {
  const before = await tries(stage);
  await page.type('[data-testid="username"]', username);
  await page.type('[data-testid="password"]', password);
  await until("the sign-in has been tried", async () => {
    if ((await tries(stage)) > before) return true;
    if (await page.count('[data-testid="sign-in"][aria-disabled="false"]')) await page.click('[data-testid="sign-in"]');
    return false;
  });
}

async function tries(stage) {
  const { entries } = await stage.ask({ do: "log", limit: 1000 });
  return entries.filter(({ note }) => note.kind === "signed_in" || note.kind === "sign_in_failed").length;
}

/** The failure with its code stands in the place that it is about, with a sentence, a next step and the code. */
async function saysWhatToDo(page, code, place) {
  await until(`the failure ${code}`, () => page.count(`${place} [data-testid="failure"][data-code="${code}"]`));
  const [say, next, name] = await page.run(
    `const box = document.querySelector('[data-testid="failure"]');
     return ["b", "p", "small"].map((css) => box.querySelector(css)?.innerText.trim() ?? "");`,
  );
  assert(say.length > 10 && next.length > 10, `${say} / ${next}`);
  assert(name.includes(code), name);
}

function phase(page, name, within) {
  return until(`the session is ${name}`, () => page.count(`[data-testid="phase"][data-phase="${name}"]`), within);
}

async function session(stage) {
  const { sessions } = await stage.ask({ do: "status" });
  return sessions.find((each) => each.profile === "Sandbox");
}
