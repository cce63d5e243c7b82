import { useEffect, useState } from "preact/hooks";
import { loadLog, openTab, refresh, signIn } from "../actions.ts";
import type { SessionView } from "../api.ts";
import { isDemanded, isUpToPerson, phaseWords } from "../sentences.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { Bench } from "./bench.tsx";
import { Data } from "./data.tsx";
import { Problem } from "./failure.tsx";
import { More } from "./more.tsx";
import { Overview } from "./overview.tsx";
import { type Leaving, SignOut } from "./sign-out.tsx";
import { Flame } from "./signs.tsx";
import { Tabs } from "./tabs.tsx";
import { Timeline } from "./timeline.tsx";

export function Session({ session }: { session: SessionView }) {
  const { profile, phase } = session;
  const missing = state.logs.value[profile] === undefined;
  const connected = state.keeper.value.connected;
  useEffect(() => {
    if (missing && connected) void loadLog(profile);
  }, [profile, missing, connected]);
  return (
    <>
      <Header session={session} />
      <Problem of={`refresh ${profile}`} />
      <Problem of={`logout ${profile}`} />
      <Tabs profile={profile} tabs={state.TABS.filter((each) => each !== "bench" || session.sandbox)} />
      <div
        class={`panel panel-${state.tab.value}`}
        role="tabpanel"
        id="panel"
        aria-labelledby={`tab-${state.tab.value}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the panel scrolls, and must scroll by keyboard too
        tabIndex={0}
        data-phase={phase.name}
      >
        {state.tab.value === "overview" && <Overview session={session} />}
        {state.tab.value === "data" && <Data session={session} />}
        {state.tab.value === "timeline" && <Timeline profile={profile} />}
        {state.tab.value === "bench" && <Bench session={session} />}
      </div>
    </>
  );
}

function Header({ session }: { session: SessionView }) {
  const { profile, phase, user, url } = session;
  const person = isUpToPerson(session);
  const signedIn = !person || isDemanded(phase);
  const [leaving, setLeaving] = useState<Leaving>(null);
  return (
    <header>
      <div class="title">
        <h2 title={profile}>{profile}</h2>
        <span class={`chip chip-${phase.name}`} data-testid="phase" data-phase={phase.name}>
          <Flame phase={phase.name} size={18} />
          {phase.name === "Waiting" ? t("phase.Waiting") : phaseWords(phase)}
        </span>
        <span class="where">{user ? `${user} · ${url}` : url}</span>
      </div>
      <div class="do">
        {person && state.tab.value !== "overview" && (
          <button type="button" class="primary" data-testid="go-sign-in" onClick={() => goSignIn(session)}>
            {t("ui.sign_in")}
          </button>
        )}
        {signedIn && (
          <>
            <button
              type="button"
              data-testid="refresh-now"
              disabled={state.busy.value[`refresh ${profile}`]}
              onClick={() => refresh(profile)}
            >
              {t("ui.refresh_now")}
            </button>
            <SignOut profile={profile} leaving={leaving} onChange={setLeaving} />
          </>
        )}
        <More session={session} onSignOutBrowser={() => setLeaving("browser")} />
      </div>
    </header>
  );
}

/** To where it is done; at once to the browser where there is nothing to be typed here. */
function goSignIn({ profile, phase, ways }: SessionView): void {
  openTab("overview");
  if (phase.name !== "SigningIn" && ways[0] === "browser") void signIn(profile, "browser");
}
