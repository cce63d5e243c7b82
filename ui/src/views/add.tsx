import { useEffect, useState } from "preact/hooks";
import { forgetFailures } from "../actions.ts";
import type { Discovery } from "../api.ts";
import { NOTHING_TYPED, type Typed } from "../draft.ts";
import { t } from "../words.ts";
import { AddPreset, NOTHING_CHOSEN } from "./add-preset.tsx";
import { CheckProvider } from "./check-provider.tsx";
import { FindProvider } from "./find-provider.tsx";

const KINDS = ["oauth", "preset"] as const;

/** Everything that is typed here is kept while somebody goes back and forth. */
export function AddSession() {
  const [kind, setKind] = useState<(typeof KINDS)[number]>("oauth");
  const [chosen, setChosen] = useState(NOTHING_CHOSEN);
  const [typed, setTyped] = useState(NOTHING_TYPED);
  const [found, setFound] = useState<Discovery | null>(null);
  useEffect(() => forgetFailures("add", "discover"), [kind, found]);
  useEffect(() => document.getElementById("new-issuer")?.focus(), []);
  const change = (part: Partial<Typed>) => setTyped((now) => ({ ...now, ...part }));
  const oauth = kind === "oauth";
  return (
    <section class="add">
      <h2>{t("ui.new.title")}</h2>
      <p>{t("ui.new.intro")}</p>
      {!found && <Kinds kind={kind} onChoose={setKind} />}
      {oauth && <Steps at={found ? 1 : 0} />}
      {!oauth && <AddPreset chosen={chosen} onChange={setChosen} />}
      {oauth && !found && <FindProvider typed={typed} onChange={change} onFound={setFound} />}
      {oauth && found && (
        <CheckProvider typed={typed} found={found} onChange={change} onBack={() => setFound(null)} />
      )}
    </section>
  );
}

function Kinds(props: { kind: (typeof KINDS)[number]; onChoose: (kind: (typeof KINDS)[number]) => void }) {
  return (
    <fieldset class="presets kinds">
      <legend>{t("ui.new.kind")}</legend>
      {KINDS.map((each) => (
        <label key={each}>
          <input
            type="radio"
            name="kind"
            data-testid={`kind-${each}`}
            checked={each === props.kind}
            onChange={() => props.onChoose(each)}
          />
          <span>
            <b>{t(`ui.new.kind.${each}`)}</b>
            <small>{t(`ui.new.kind.${each}.about`)}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** The third step is the new session's own page. */
function Steps({ at }: { at: number }) {
  return (
    <ol class="steps" aria-label={t("ui.new.steps")}>
      {(["issuer", "details", "sign_in"] as const).map((step, number) => (
        <li key={step} aria-current={number === at ? "step" : undefined} class={number < at ? "past" : ""}>
          {t(`ui.new.step.${step}`)}
        </li>
      ))}
    </ol>
  );
}
