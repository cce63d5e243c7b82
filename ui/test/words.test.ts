import { expect, test } from "vitest";
import en from "../../crates/api/locales/en.json";
import zh from "../../crates/api/locales/zh-CN.json";
import { FAULTS, PRESETS, SCENES } from "../fake/scenes.ts";
import api from "../src/api.ts?raw";
import { fill, names } from "../src/words.ts";

const english: Record<string, string> = en;
const chinese: Record<string, string> = zh;

test("both languages have the same keys, in the same order", () => {
  expect(Object.keys(zh)).toEqual(Object.keys(en));
});

test("a sentence has the same placeholders in both languages", () => {
  for (const [key, text] of Object.entries(english)) {
    expect([key, ...names(chinese[key] ?? "").sort()]).toEqual([key, ...names(text).sort()]);
    expect([key, optional(chinese[key] ?? "")]).toEqual([key, optional(text)]);
  }
});

test("nothing is empty, has a stray brace or bracket, or is markup", () => {
  for (const words of [english, chinese]) {
    for (const [key, text] of Object.entries(words)) {
      const rest = text.replace(/\{\w+\}/g, "").replace(/\[([^[\]]*)\]/g, "$1");
      expect(`${key}: ${rest}`).not.toMatch(/[{}[\]<>]/);
    }
  }
});

test("Chinese is Chinese", () => {
  const same = Object.keys(en).filter((key) => chinese[key] === english[key]);
  expect(same).toEqual(["problem.said", "ui.row.act", "ui.strip.zzz", "ui.set.version"]);
});

test.each([
  ["Code", (code: string) => [`error.${code}.say`, `error.${code}.next`]],
  ["Cause", (cause: string) => [`cause.${cause}`, `note.refreshed.${cause}`]],
  ["Trouble", (trouble: string) => [`trouble.${trouble}`]],
  ["Lost", (why: string) => [`why.${why}`, `ui.lost.${why}`]],
  ["VaultTrouble", (trouble: string) => [`vault.${trouble}`, `ui.notice.vault.${trouble}`]],
  ["VaultKind", (kind: string) => [`vault.kind.${kind}`]],
])("every %s has its words", (type, keys) => {
  const members = union(type);
  expect(members.length).toBeGreaterThan(1);
  expect(members.flatMap(keys).filter((key) => !(key in english))).toEqual([]);
});

test("every kind of note has its words", () => {
  const kinds = tags("Note", "kind");
  expect(kinds.length).toBeGreaterThan(20);
  const keys = Object.keys(en);
  expect(kinds.filter((kind) => !keys.some((key) => `${key}.`.startsWith(`note.${kind}.`)))).toEqual([]);
});

test("every phase has its words", () => {
  const phases = tags("PhaseView", "name");
  expect(phases.length).toBe(5);
  expect(
    phases.flatMap((name) => [`phase.${name}`, `ui.head.${name}`]).filter((key) => !(key in english)),
  ).toEqual([]);
});

test("no words are left of what the api no longer has", () => {
  const known: Record<string, string[]> = {
    error: union("Code"),
    note: tags("Note", "kind"),
    why: union("Lost"),
  };
  known.cause = union("Cause");
  known.trouble = union("Trouble");
  const left = Object.keys(en).filter((key) => {
    const [group = "", name = ""] = key.split(".");
    return known[group] && !known[group].includes(name);
  });
  expect(left).toEqual([]);
});

test("faults and presets that the sandbox has are explained", () => {
  expect(SCENES.length).toBeGreaterThan(4);
  const keys = [...FAULTS.flatMap((name) => [`ui.fault.${name}`, `ui.fault.${name}.about`])];
  keys.push(...PRESETS.map((name) => `ui.preset.${name}`));
  expect(keys.filter((key) => !(key in english))).toEqual([]);
});

test("an error reads well without its details", () => {
  for (const words of [english, chinese]) {
    for (const [key, text] of Object.entries(words)) {
      if (!key.startsWith("error.")) continue;
      const bare = fill(text, {});
      expect(`${key} ${names(text.replace(/\[[^\]]*\]/g, ""))}`).toBe(`${key} `);
      expect(bare).not.toMatch(/ {2}| [.,:;。，：]|[(（][)）]/);
      expect(bare).toMatch(/[.。]$/);
    }
  }
});

test("a part in brackets goes when its value is missing", () => {
  expect(fill("No answer[ from {host}][ ({status})].", { host: "a" })).toBe("No answer from a.");
  expect(fill("No answer[ from {host}][ ({status})].", { status: 500 })).toBe("No answer (500).");
  expect(fill("Read[ {line} of {path}].", { line: 3 })).toBe("Read.");
  expect(fill("{a} and {b}", { a: 0, b: "{a}" })).toBe("0 and {a}");
});

function optional(text: string): string[][] {
  return [...text.matchAll(/\[([^\]]*)\]/g)].map((match) => names(match[1] ?? "").sort()).sort();
}

/** The members of `type X = "a" | "b";` in the generated types. */
function union(type: string): string[] {
  const text = new RegExp(`export type ${type} = ([^;]*);`).exec(api)?.[1] ?? "";
  return [...text.matchAll(/"(\w+)"/g)].map((match) => match[1] ?? "");
}

/** The tags of `type X = { "kind": "a", … } | …`. */
function tags(type: string, tag: string): string[] {
  const text = api.slice(api.indexOf(`export type ${type} = `)).split("\nexport type ")[0] ?? "";
  return [...text.matchAll(new RegExp(`"${tag}": "(\\w+)"`, "g"))].map((match) => match[1] ?? "");
}
