import * as state from "../state.ts";
import { t } from "../words.ts";
import { AddSession } from "./add.tsx";
import { FirstRun } from "./first-run.tsx";
import { Notices } from "./notices.tsx";
import { Rail } from "./rail.tsx";
import { Session } from "./session.tsx";
import { SettingsDialog } from "./settings.tsx";

export function App() {
  return (
    <>
      <Rail />
      <main>
        <Notices />
        <Body />
      </main>
      <SettingsDialog />
      <p class="unseen" role="status" aria-live="polite">
        {state.announcement.value}
      </p>
    </>
  );
}

function Body() {
  const session = state.selected.value;
  if (state.adding.value) return <AddSession />;
  if (session) return <Session session={session} key={session.profile} />;
  if (state.overview.value) return <FirstRun />;
  return state.keeper.value.connected ? <p class="idle">{t("ui.loading")}</p> : null;
}
