import type { ComponentChildren } from "preact";
import type { FailureView } from "../api.ts";
import { span } from "../format.ts";
import * as state from "../state.ts";
import { join, language, t } from "../words.ts";

/** What became of an action, in its place: what is the matter, what to do, and the code to search for. */
export function Problem({ of }: { of: string }) {
  const blame = state.blames.value[of];
  return blame ? <FailureBox failure={blame.failure} /> : null;
}

/** With more to say of it beside its code. */
export function FailureBox({ failure, children }: { failure: FailureView; children?: ComponentChildren }) {
  const next = [failure.next[language.value]];
  if (failure.retry_in_ms !== null) next.push(t("ui.retry", { retry_in: span(failure.retry_in_ms) }));
  return (
    <div class="failure" role="alert" data-testid="failure" data-code={failure.code}>
      <svg class="mark mark-failure" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
        <path d="M9 2.5l7.5 13h-15z" />
      </svg>
      <div>
        <b>{failure.says[language.value]}</b>
        <p>{join(next)}</p>
        <small>{t("ui.code", { code: failure.code })}</small> {children}
      </div>
    </div>
  );
}
