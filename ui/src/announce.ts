import { effect } from "@preact/signals";
import type { PhaseView } from "./api.ts";
import { forecastWords, phaseWords } from "./sentences.ts";
import { announcement, overview } from "./state.ts";
import { t } from "./words.ts";

/**
 * Says in the live region when a session's state changes in a way that matters to a person. A refresh that does what
 * it should is not worth an interruption, and a countdown even less.
 */
export function announceChanges(): () => void {
  let before: Record<string, Told> | null = null;
  return effect(() => {
    const sessions = overview.value?.sessions;
    if (!sessions) {
      before = null;
      return;
    }
    const now: Record<string, Told> = {};
    const said: string[] = [];
    for (const { profile, phase, forecast } of sessions) {
      const last = before?.[profile];
      // A refresh under way is judged by what comes of it.
      const name = phase.name === "Refreshing" && last ? last.name : phase.name;
      const endsSoon = forecast?.is_near ?? false;
      now[profile] = { name, endsSoon };
      if (!last) continue;
      if (last.name !== name) said.push(t("ui.say.phase", { profile, state: phaseWords(phase) }));
      if (forecast && endsSoon && !last.endsSoon) {
        said.push(t("ui.say.ends_soon", { profile, what: forecastWords(forecast) }));
      }
    }
    before = now;
    if (said.length > 0) announcement.value = said.join(" ");
  });
}

interface Told {
  name: PhaseView["name"];
  endsSoon: boolean;
}
