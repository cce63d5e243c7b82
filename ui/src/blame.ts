import type { Code, FailureView, SessionView } from "./api.ts";

/** What went wrong with something that a person did, and how the session stood then. */
export interface Blame {
  readonly failure: FailureView;
  readonly then: SessionView | null;
}

/** Whether what went wrong is no trouble any more, so that nobody need be told of it. */
export function isMended(action: string, { then }: Blame, now: SessionView): boolean {
  const { phase, access } = now;
  // Whoever has a token that is newer has refreshed it or signed in since, whatever it was that failed.
  if (phase.name === "Fresh" && access && access.generation !== then?.access?.generation) return true;
  return action === "logout" && phase.name === "NeedsLogin" && phase.why === "signed_out";
}

/** Nothing went wrong but that nobody was there to be asked. */
export function isOfAbsence({ code }: FailureView): boolean {
  return ABSENCE.has(code);
}

const ABSENCE: ReadonlySet<Code> = new Set<Code>(["keeper_unreachable", "keeper_stopping"]);
