import { effect } from "@preact/signals";
import type { PhaseView } from "./api.ts";
import { phaseWords } from "./sentences.ts";
import { announcement, overview } from "./state.ts";
import { t } from "./words.ts";

/**
 * Says in the live region when a session's state changes in a way that matters to a person. A refresh that does what
 * it should is not worth an interruption, and a countdown even less.
 */
export function announceChanges(): () => void {
  let before: Record<string, PhaseView["name"]> | null = null;
  return effect(() => {
    const sessions = overview.value?.sessions;
    if (!sessions) {
      before = null;
      return;
    }
    const now: Record<string, PhaseView["name"]> = {};
    const said: string[] = [];
    for (const { profile, phase } of sessions) {
      const last = before?.[profile];
      // A refresh under way is judged by what comes of it.
      now[profile] = phase.name === "Refreshing" && last ? last : phase.name;
      if (before && last && last !== now[profile]) {
        said.push(t("ui.say.phase", { profile, state: phaseWords(phase) }));
      }
    }
    before = now;
    if (said.length > 0) announcement.value = said.join(" ");
  });
}
