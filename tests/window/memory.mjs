// What is in the memory of a process, as a debugger reads it.

import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** How often each of the needles, texts or bytes by their names, is in the memory of the process, in any form. */
export function count(pid, needles) {
  const forms = Object.entries(needles).flatMap(([name, needle]) => formsOf(needle).map((bytes) => ({ name, bytes })));
  const longest = Math.max(...forms.map(({ bytes }) => bytes.length));
  const found = Object.fromEntries(Object.keys(needles).map((name) => [name, 0]));
  const search = new Search(forms);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const chunk = Buffer.alloc(CHUNK + longest);
  try {
    for (const { start, end } of regions(pid)) {
      for (let at = start; at < end; at += CHUNK) {
        // With as much of the next chunk as belongs to what begins in this one.
        const length = read(memory, chunk, at, Math.min(chunk.length, end - at));
        for (const name of search.in(chunk.subarray(0, length), CHUNK)) found[name] += 1;
      }
    }
  } finally {
    closeSync(memory);
  }
  return found;
}

/** Looks for all at once: by their first four bytes, and then closely. */
class Search {
  #begins = new Map();
  #mayBegin = new Uint8Array(1 << 16);

  constructor(forms) {
    for (const form of forms) {
      const first = form.bytes.readInt32BE();
      this.#mayBegin[hash(first)] = 1;
      this.#begins.set(first, [...(this.#begins.get(first) ?? []), form]);
    }
  }

  /** The names of those that begin in the first `within` bytes. */
  in(chunk, within) {
    const found = [];
    const mayBegin = this.#mayBegin;
    let four = 0;
    for (let at = 0; at < Math.min(chunk.length, within + 3); at += 1) {
      four = (four << 8) | chunk[at];
      if (mayBegin[hash(four)] === 0) continue;
      const start = at - 3;
      for (const { name, bytes } of this.#begins.get(four) ?? []) {
        if (start >= 0 && chunk.subarray(start, start + bytes.length).equals(bytes)) found.push(name);
      }
    }
    return found;
  }
}

function hash(four) {
  return Math.imul(four, 0x9e3779b1) >>> 16;
}

/** A page keeps a text in one or in two bytes a character. */
function formsOf(needle) {
  return Buffer.isBuffer(needle) ? [needle] : [Buffer.from(needle), Buffer.from(needle, "utf16le")];
}

/** The readable parts of it that are anywhere at all: a web view reserves far more than there is of memory. */
function* regions(pid) {
  const pages = openSync(`/proc/${pid}/pagemap`, "r");
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
      const [, from, to, name] = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+\s*(.*)$/.exec(line) ?? [];
      if (!from || /^\/dev\/(?!shm|zero)|^\[v/.test(name)) continue;
      yield* present(pages, Number.parseInt(from, 16), Number.parseInt(to, 16));
    }
  } finally {
    closeSync(pages);
  }
}

/** The runs of pages that are in memory or swapped out. */
function* present(pages, from, to) {
  const entries = Buffer.alloc(8 << 16);
  let start = null;
  for (let at = from; at < to; ) {
    const got = readSync(pages, entries, 0, Math.min(entries.length, ((to - at) / PAGE) * 8), (at / PAGE) * 8);
    if (got === 0) break;
    for (let entry = 0; entry < got; entry += 8, at += PAGE) {
      const isThere = entries[entry + 7] >= 0x40;
      if (isThere && start === null) start = at;
      if (!isThere && start !== null) {
        yield { start, end: at };
        start = null;
      }
    }
  }
  if (start !== null) yield { start, end: to };
}

/** What is gone meanwhile reads as nothing. */
function read(memory, chunk, at, length) {
  try {
    const got = readSync(memory, chunk, 0, length, at);
    chunk.fill(0, got, length);
  } catch (error) {
    if (error.code !== "EIO" && error.code !== "EFAULT") throw error;
    chunk.fill(0, 0, length);
  }
  return length;
}

const CHUNK = 8 << 20;

const PAGE = 4096;
