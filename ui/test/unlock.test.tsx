import { expect, test } from "vitest";
import type { OverviewView, VaultView } from "../src/api.ts";
import { failureOf, faults, open, overviewOf, sessionOf } from "./page.tsx";

const shown = (vault: VaultView): OverviewView => ({ ...overviewOf(sessionOf()), vault });

test.each(["locked", "not_allowed"] as const)(
  "a keyring that is %s is opened by a button",
  async (trouble) => {
    const page = await open(shown({ kind: "keyring", trouble }), {
      unlock: async () => shown({ kind: "keyring", trouble: null }),
    });
    expect(page.find("unlock").textContent).toBe("Unlock the keyring");
    expect(page.has("passphrase")).toBe(false);
    expect(await faults()).toEqual([]);
    await page.press("unlock");
    expect(page.host.unlock).toHaveBeenCalledWith({ passphrase: null });
    expect(page.has("notice")).toBe(false);
  },
);

test("while its dialog is open nobody is asked a second time", async () => {
  const page = await open(shown({ kind: "keyring", trouble: "locked" }), {
    unlock: () => new Promise(() => undefined),
  });
  await page.press("unlock");
  expect(page.find("unlock").textContent).toBe("Unlocking…");
  await page.press("unlock");
  expect(page.host.unlock).toHaveBeenCalledTimes(1);
});

test("a dialog that was closed is told, and can be opened again", async () => {
  const page = await open(shown({ kind: "keyring", trouble: "locked" }), {
    unlock: async () => {
      throw failureOf("keyring_locked", {});
    },
  });
  await page.press("unlock");
  expect(page.find("failure").dataset.code).toBe("keyring_locked");
  await page.press("unlock");
  expect(page.host.unlock).toHaveBeenCalledTimes(2);
});

test("a passphrase is typed, unseen, and a wrong one is told", async () => {
  const page = await open(shown({ kind: "passphrase", trouble: "passphrase_needed" }), {
    unlock: async ({ passphrase }) => {
      if (passphrase !== " right ") throw failureOf("passphrase_wrong", {});
      return shown({ kind: "passphrase", trouble: null });
    },
  });
  expect(page.find("notice").dataset.code).toBe("passphrase_needed");
  expect((page.find("passphrase") as HTMLInputElement).type).toBe("password");
  expect(page.has("passphrase-again")).toBe(false);
  expect(await faults()).toEqual([]);
  await page.press("unlock");
  expect(page.host.unlock).not.toHaveBeenCalled();
  expect(page.find("passphrase").getAttribute("aria-invalid")).toBe("true");
  await page.type("passphrase", "wrong");
  await page.press("unlock");
  expect(page.find("failure").dataset.code).toBe("passphrase_wrong");
  expect(await faults()).toEqual([]);
  await page.type("passphrase", " right ");
  await page.press("unlock");
  expect(page.has("notice")).toBe(false);
  expect(document.body.innerHTML).not.toContain(" right ");
});

test("a new passphrase is typed twice", async () => {
  const page = await open(shown({ kind: "passphrase", trouble: "passphrase_unset" }));
  expect(page.find("unlock").textContent).toBe("Set the passphrase");
  expect(await faults()).toEqual([]);
  await page.type("passphrase", "one");
  await page.type("passphrase-again", "two");
  await page.press("unlock");
  expect(document.getElementById("unlock-gap")?.textContent).toBe("The two differ.");
  expect(page.host.unlock).not.toHaveBeenCalled();
  await page.type("passphrase-again", "one");
  await page.press("unlock");
  expect(page.host.unlock).toHaveBeenCalledWith({ passphrase: "one" });
});

test.each([
  ["keyring", "absent"],
  ["keyring", "slow"],
  ["keyring", "gone"],
  ["credential", "credential_absent"],
  ["credential", "key_file_damaged"],
] as const)("what no person can open has no button: %s, %s", async (kind, trouble) => {
  const page = await open(shown({ kind, trouble }));
  expect(page.has("notice")).toBe(true);
  expect(page.has("unlock")).toBe(false);
});

test("a program that did not tell the passphrase is run again", async () => {
  const page = await open(shown({ kind: "passphrase", trouble: "command_failed" }));
  expect(page.find("unlock").textContent).toBe("Try again");
  await page.press("unlock");
  expect(page.host.unlock).toHaveBeenCalledWith({ passphrase: null });
});

test("where it is kept is said", async () => {
  const page = await open(shown({ kind: "passphrase", trouble: null }));
  expect(page.find("stored").dataset.stored).toBe("passphrase");
  expect(page.find("stored").textContent).toContain("sealed, by passphrase");
});
