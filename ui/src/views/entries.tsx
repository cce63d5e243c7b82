import type { EntryView } from "../api.ts";
import { moment } from "../format.ts";
import { noteMark, noteTook } from "../sentences.ts";
import * as state from "../state.ts";
import { language, t } from "../words.ts";
import { MarkSign } from "./signs.tsx";

export function Entries({ entries }: { entries: EntryView[] }) {
  if (entries.length === 0) return <p class="idle">{t("ui.log.empty")}</p>;
  return (
    <ol class="entries">
      {entries.map((entry) => (
        <Line entry={entry} key={entry.id} />
      ))}
    </ol>
  );
}

/** One of the journal. It is made anew when it changes, and at midnight. */
export function Line({ entry }: { entry: EntryView }) {
  return (
    <li data-testid="entry" data-kind={entry.note.kind}>
      <time dateTime={new Date(entry.at_ms).toISOString()}>{moment(entry.at_ms, state.today.value)}</time>
      <MarkSign mark={noteMark(entry.note)} />
      <span class="words">{entry.says[language.value]}</span>
      <span class="took">{noteTook(entry.note)}</span>
    </li>
  );
}
