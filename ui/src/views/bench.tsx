import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { loadBench, setBench } from "../actions.ts";
import type { FaultSwitch, SessionView } from "../api.ts";
import * as state from "../state.ts";
import { known, t } from "../words.ts";
import { Problem } from "./failure.tsx";

const TIMES = { once: 1, thrice: 3, until: null } as const;
const times = signal<keyof typeof TIMES>("once");

export function Bench({ session }: { session: SessionView }) {
  const { profile } = session;
  const faults = state.benches.value[profile]?.faults ?? [];
  const away = state.hidden.value;
  useEffect(() => {
    if (away) return;
    void loadBench(profile);
    // How many requests a fault has still to meet changes without a notice.
    const timer = setInterval(() => void loadBench(profile), 2000);
    return () => clearInterval(timer);
  }, [profile, away]);
  return (
    <>
      <section class="card">
        <h3>{t("ui.bench.title")}</h3>
        <p>{t("ui.bench.intro")}</p>
        <Problem of={`bench ${profile}`} />
        <div class="blows">
          <Blow profile={profile} set="revoke_access" />
          <Blow profile={profile} set="revoke_all" />
        </div>
      </section>
      <section class="card">
        <div class="line">
          <fieldset class="choice">
            <legend>{t("ui.bench.times")}</legend>
            {(Object.keys(TIMES) as (keyof typeof TIMES)[]).map((each) => (
              <label key={each}>
                <input
                  type="radio"
                  name="times"
                  data-testid={`times-${each}`}
                  checked={times.value === each}
                  onChange={() => {
                    times.value = each;
                  }}
                />
                {t(`ui.bench.${each}`)}
              </label>
            ))}
          </fieldset>
          <button
            type="button"
            data-testid="all-off"
            disabled={!faults.some((fault) => fault.on)}
            onClick={() => setBench(profile, { set: "clear" })}
          >
            {t("ui.bench.clear")}
          </button>
        </div>
        <ul class="faults">
          {faults.map((fault) => (
            <li key={fault.name}>
              <Switch fault={fault} profile={profile} />
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

function Blow({ profile, set }: { profile: string; set: "revoke_access" | "revoke_all" }) {
  const [done, setDone] = useState(false);
  const strike = async () => {
    setDone(false);
    setDone(await setBench(profile, { set }));
  };
  const testid = set === "revoke_access" ? "revoke-access" : "revoke-all";
  return (
    <div>
      <button
        type="button"
        class={set === "revoke_all" ? "danger" : ""}
        data-testid={testid}
        aria-describedby={`${testid}-about`}
        onClick={strike}
      >
        {t(`ui.bench.${set}`)}
      </button>
      <span class="done" role="status">
        {done && `✓ ${t("ui.bench.done")}`}
      </span>
      <p id={`${testid}-about`}>{t(`ui.bench.${set}.about`)}</p>
    </div>
  );
}

function Switch({ fault, profile }: { fault: FaultSwitch; profile: string }) {
  const { name, on, left } = fault;
  const flip = () =>
    setBench(profile, { set: "fault", name, on: !on, times: on ? null : TIMES[times.value] });
  return (
    <>
      <button
        type="button"
        class="switch"
        role="switch"
        aria-checked={on}
        aria-labelledby={`fault-${name}`}
        aria-describedby={`fault-${name}-about`}
        data-testid={`fault-${name}`}
        onClick={flip}
      >
        <i />
        <span>{t(on ? "ui.bench.on" : "ui.bench.off")}</span>
      </button>
      <div>
        <b id={`fault-${name}`}>{known(`ui.fault.${name}`) ?? name}</b>
        {on && (
          <span class="badge">{left === null ? t("ui.bench.until") : t("ui.bench.left", { left })}</span>
        )}
        <p id={`fault-${name}-about`}>{known(`ui.fault.${name}.about`) ?? ""}</p>
      </div>
    </>
  );
}
