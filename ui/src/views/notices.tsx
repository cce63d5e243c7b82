import type { ComponentChildren } from "preact";
import type { FailureView, VaultTrouble } from "../api.ts";
import { failureWhole } from "../sentences.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Icon } from "./signs.tsx";
import { Unlock } from "./unlock.tsx";

/** What concerns everything: it stands above, and everything else stays. */
export function Notices() {
  const { connected, failure } = state.keeper.value;
  const vault = state.overview.value?.vault;
  const trouble = vault?.trouble;
  return (
    <div class="notices">
      {!connected && (
        <Notice title={t("ui.notice.keeper")} code={failure?.code ?? "keeper_unreachable"}>
          <p>{failure ? failureWhole(failure) : t("error.keeper_unreachable.next")}</p>
          {state.overview.value && <p>{t("ui.notice.keeper.stale")}</p>}
        </Notice>
      )}
      {vault && trouble && (
        <Notice title={t(`ui.notice.vault.${trouble}`)} code={CODES[trouble]}>
          <p>{t(`error.${CODES[trouble]}.next`)}</p>
          {connected && <Unlock kind={vault.kind} trouble={trouble} />}
        </Notice>
      )}
      <Problems problems={state.overview.value?.problems ?? []} />
    </div>
  );
}

/** Can be put away, not lost: a small button stays, and new problems show themselves. */
function Problems({ problems }: { problems: FailureView[] }) {
  if (problems.length === 0) return null;
  const these = JSON.stringify(problems);
  const count = problems.length;
  const title = count === 1 ? t("ui.notice.problems.one") : t("ui.notice.problems.many", { count });
  if (state.problemsHidden.value === these) {
    return (
      <button
        type="button"
        class="tucked"
        data-testid="show-problems"
        onClick={() => {
          state.problemsHidden.value = "";
        }}
      >
        <span class="badge">{title}</span> {t("ui.notice.show")}
      </button>
    );
  }
  return (
    <Notice
      title={title}
      code={problems[0]?.code ?? "bad_config"}
      onDismiss={() => {
        state.problemsHidden.value = these;
      }}
    >
      {problems.map((problem) => (
        <p key={JSON.stringify(problem)}>
          {problem.profile && <b>{problem.profile}: </b>}
          {failureWhole(problem)}
        </p>
      ))}
    </Notice>
  );
}

function Notice(props: { title: string; code: string; onDismiss?: () => void; children: ComponentChildren }) {
  return (
    <section class="notice" aria-label={props.title} data-testid="notice" data-code={props.code}>
      <svg class="mark mark-failure" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
        <path d="M9 2.5l7.5 13h-15z" />
      </svg>
      <div>
        <b>{props.title}</b>
        {props.children}
      </div>
      {props.onDismiss && (
        <button
          type="button"
          class="only-icon quiet"
          data-testid="dismiss"
          aria-label={t("ui.dismiss")}
          onClick={props.onDismiss}
        >
          <Icon name="close" />
        </button>
      )}
    </section>
  );
}

const CODES = {
  absent: "keyring_absent",
  command_failed: "passphrase_command_failed",
  credential_absent: "credential_absent",
  credential_other: "credential_other",
  credential_short: "credential_short",
  damaged: "sign_in_damaged",
  disk: "vault_unwritable",
  failed: "keyring_failed",
  file_exposed: "passphrase_file_exposed",
  file_unreadable: "passphrase_file_unreadable",
  garbled: "key_garbled",
  gone: "key_gone",
  key_file_damaged: "key_file_damaged",
  key_file_gone: "key_file_gone",
  key_file_other: "key_file_other",
  locked: "keyring_locked",
  no_place: "keyring_empty",
  not_allowed: "keyring_forbids",
  older_keyring: "keyring_older",
  other_keyring: "keyring_other",
  passphrase_needed: "passphrase_needed",
  passphrase_unset: "passphrase_unset",
  passphrase_wrong: "passphrase_wrong",
  slow: "keyring_slow",
} as const satisfies Record<VaultTrouble, string>;
