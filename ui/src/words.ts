import { signal } from "@preact/signals";
import en from "../../crates/api/locales/en.json";
import zh from "../../crates/api/locales/zh-CN.json";

export type Language = "en" | "zh-CN";
export type Key = keyof typeof en;
export type Values = Record<string, string | number | null | undefined>;

/** The language in which [`t`] answers; whoever has called it is rendered again when this changes. */
export const language = signal<Language>("en");

export function t(key: Key, values: Values = {}): string {
  return inLanguage(language.value, key, values);
}

export function inLanguage(language: Language, key: Key, values: Values = {}): string {
  return fill(catalogues[language][key], values);
}

/** For words that come from outside: the catalogue's, or `undefined` when it does not know them. */
export function known(key: string, values: Values = {}): string | undefined {
  return Object.hasOwn(en, key) ? t(key as Key, values) : undefined;
}

/**
 * Puts values in the place of `{names}`. A part in square brackets is left out when a name in it has no value, so
 * that a sentence reads well without its details.
 */
export function fill(text: string, values: Values): string {
  const has = (name: string) => values[name] !== undefined && values[name] !== null && values[name] !== "";
  return text
    .replace(/\[([^\]]*)\]/g, (_, part: string) => (names(part).every(has) ? part : ""))
    .replace(/\{(\w+)\}/g, (_, name: string) => (has(name) ? String(values[name]) : ""))
    .trim();
}

export function names(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
}

/** Sentences in a row: with spaces between them in English, without in Chinese. */
export function join(sentences: string[]): string {
  return sentences.join(language.value === "zh-CN" ? "" : " ");
}

const catalogues: Record<Language, Record<Key, string>> = { en, "zh-CN": zh };
