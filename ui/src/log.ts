import type { EntryView } from "./api.ts";

/**
 * What is known of a session's journal, newest first. It is bounded: whoever leaves a window open for days has no use
 * for what has long gone by, and can have it read again.
 *
 * It is kept in blocks, so that one more entry changes one block, and whoever shows the others has nothing to do.
 */
export interface Log {
  readonly blocks: readonly Block[];
  readonly size: number;
  /** As many as that stay when newer ones come: more than usual once somebody has asked for older ones. */
  readonly room: number;
  /** How far back it was read. */
  readonly reach: number | null;
  /** There is nothing older. */
  readonly complete: boolean;
}

/** A part of a journal as it was read: of its entries those that belong here. */
export interface Part {
  readonly entries: readonly EntryView[];
  readonly reach: number | null;
  readonly complete: boolean;
}

export interface Block {
  /** Stays the same when blocks come before or after. */
  readonly number: number;
  readonly entries: readonly EntryView[];
}

export function logOf({ entries, reach, complete }: Part): Log {
  return { blocks: inBlocks(entries, 0), size: entries.length, room: KEPT, reach, complete };
}

/** With what was written since, in the order in which it was. What is known already is left out. */
export function withNewer(log: Log, written: readonly EntryView[]): Log {
  const known = newest(log)?.id ?? Number.NEGATIVE_INFINITY;
  const fresh = written.filter(({ id }) => id > known);
  if (fresh.length === 0) return log;
  const blocks = [...log.blocks];
  // Filled from the end: what is put before the others comes last.
  for (const entry of fresh) {
    const first = blocks[0];
    if (first && first.entries.length < BLOCK) {
      blocks[0] = { ...first, entries: [entry, ...first.entries] };
    } else {
      blocks.unshift({ number: (first?.number ?? 0) - 1, entries: [entry] });
    }
  }
  return within(log.room, { ...log, blocks, size: log.size + fresh.length });
}

/** With one more part of the past. */
export function withOlder(log: Log, { entries, reach, complete }: Part): Log {
  const last = log.blocks.at(-1)?.number ?? -1;
  const blocks = [...log.blocks, ...inBlocks(entries, last + 1)];
  const size = log.size + entries.length;
  const room = Math.min(MOST, Math.max(KEPT, size));
  return within(room, { blocks, size, room, reach: reach ?? log.reach, complete });
}

/** As it is kept when nobody reads in the past any more. */
export function withoutPast(log: Log): Log {
  return within(KEPT, { ...log, room: KEPT });
}

export function newest(log: Log): EntryView | undefined {
  return log.blocks[0]?.entries[0];
}

/** Newest first. */
export function* entriesOf(log: Log): Generator<EntryView> {
  for (const block of log.blocks) yield* block.entries;
}

function within(room: number, log: Log): Log {
  const { blocks } = log;
  let { size } = log;
  let end = blocks.length;
  // Whole blocks only: what is shown of one that stays does not change.
  for (let last = blocks[end - 1]; last && size - last.entries.length >= room; last = blocks[end - 1]) {
    size -= last.entries.length;
    end -= 1;
  }
  if (end === blocks.length) return log;
  const reach = blocks[end - 1]?.entries.at(-1)?.id ?? log.reach;
  return { ...log, blocks: blocks.slice(0, end), size, reach, complete: false };
}

function inBlocks(entries: readonly EntryView[], from: number): Block[] {
  const count = Math.ceil(entries.length / BLOCK);
  return Array.from({ length: count }, (_, at) => ({
    number: from + at,
    entries: entries.slice(at * BLOCK, (at + 1) * BLOCK),
  }));
}

/** How many entries are kept of a session that goes on. */
export const KEPT = 1000;
/** As many as the journal keeps. */
export const MOST = 20_000;
/** About a screen. */
export const BLOCK = 25;
