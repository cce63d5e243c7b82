import { useState } from "preact/hooks";
import { ask } from "../actions.ts";
import type { FailureView, SessionView } from "../api.ts";
import { measured } from "../format.ts";
import * as state from "../state.ts";
import { t } from "../words.ts";
import { FailureBox } from "./failure.tsx";

export function Data({ session }: { session: SessionView }) {
  const { profile, resources, requests } = session;
  const [path, setPath] = useState("");
  const answers = state.asked.value[profile] ?? [];
  const again = path.trim() || answers[0]?.path || resources[0]?.path || "/";
  const { in_flight, held, replayed } = requests;
  return (
    <>
      <section class="card ask">
        <h3>{t("ui.data.title")}</h3>
        <p>{t("ui.data.intro")}</p>
        <div class="resources">
          {resources.map((each) => (
            <button
              key={`${each.method} ${each.path}`}
              type="button"
              class="resource"
              data-testid={`fetch-${each.path}`}
              onClick={() => ask(profile, each.method, each.path)}
            >
              <small>{each.method}</small> {each.path}
            </button>
          ))}
        </div>
        <form
          class="line"
          onSubmit={(event) => {
            event.preventDefault();
            if (path.trim()) void ask(profile, "GET", path.trim());
          }}
        >
          <label class="grow">
            <span>{t("ui.data.path")}</span>
            <input
              data-testid="path"
              placeholder="/api/…"
              spellcheck={false}
              autocapitalize="off"
              value={path}
              onInput={(event) => setPath(event.currentTarget.value)}
            />
          </label>
          <button type="submit" data-testid="fetch">
            {t("ui.data.fetch")}
          </button>
          <button
            type="button"
            data-testid="burst"
            title={`GET ${again}`}
            aria-describedby="burst-note"
            onClick={() => ask(profile, "GET", again, BURST)}
          >
            {t("ui.data.burst")}
          </button>
        </form>
        <small id="burst-note">{t("ui.data.burst.note")}</small>
      </section>
      <section class="card answers">
        <h3 class="small">
          <span class="path">
            {answers[0] ? `${answers[0].method} ${answers[0].path}` : t("ui.tab.data")}
          </span>
          <span class="flow">
            <span class={held > 0 ? "badge" : ""}>{t("ui.data.held", { held })}</span>
            <span>{t("ui.data.flight", { in_flight })}</span>
            <span>{t("ui.data.sent_again", { replayed })}</span>
          </span>
        </h3>
        {answers.length === 0 && <p class="idle">{t("ui.data.idle")}</p>}
        {answers.length === 1 && answers[0] && <One asked={answers[0]} />}
        {answers.length > 1 && <Many answers={answers} />}
      </section>
    </>
  );
}

function One({ asked }: { asked: state.Asked }) {
  const { answer, failure } = asked;
  if (failure) return <FailureBox failure={failure} />;
  if (!answer) return <p class="idle pending">{t("ui.data.pending")}</p>;
  const text = answer.base64 ? answer.body : pretty(answer.body);
  return (
    <div data-testid="answer" data-status={answer.status} data-replayed={answer.replayed}>
      <p class="verdict">
        <Status status={answer.status} />
        <span>{measured(answer.took_ms)}</span>
        <span>{t("ui.data.token", { generation: answer.generation })}</span>
        {answer.replayed && <span class="badge lit">{t("ui.data.replayed")}</span>}
      </p>
      {answer.base64 && <small>{t("ui.data.binary")}</small>}
      {text ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must scroll by keyboard too
        <section class="body" tabIndex={0} aria-label={t("ui.data.body")}>
          <pre>{text.slice(0, SHOWN)}</pre>
        </section>
      ) : (
        <p class="idle">{t("ui.data.nothing")}</p>
      )}
      {text.length > SHOWN && <small>{t("ui.data.cut", { shown: SHOWN })}</small>}
    </div>
  );
}

function Many({ answers }: { answers: state.Asked[] }) {
  return (
    <>
      {alike(answers).map(({ failure, count }) => (
        <FailureBox key={JSON.stringify(failure)} failure={failure}>
          {count > 1 && (
            <span class="badge">{t("ui.data.failed_alike", { count, all: answers.length })}</span>
          )}
        </FailureBox>
      ))}
      <Rows answers={answers} />
    </>
  );
}

/** What several have failed with is said once. */
function alike(answers: state.Asked[]): { failure: FailureView; count: number }[] {
  const found = new Map<string, { failure: FailureView; count: number }>();
  for (const { failure } of answers) {
    if (!failure) continue;
    // They end one after the other, and so with another time left each.
    const key = JSON.stringify({ ...failure, retry_in_ms: null });
    found.set(key, { failure, count: (found.get(key)?.count ?? 0) + 1 });
  }
  return [...found.values()];
}

function Rows({ answers }: { answers: state.Asked[] }) {
  return (
    <ol class="burst">
      {answers.map(({ number, answer, failure }) => (
        <li
          key={number}
          data-testid="answer"
          data-status={answer?.status ?? failure?.code ?? "pending"}
          data-replayed={answer?.replayed ?? false}
        >
          <b>{number}</b>
          {answer && (
            <>
              <Status status={answer.status} />
              <span>{measured(answer.took_ms)}</span>
              <span>{t("ui.data.token", { generation: answer.generation })}</span>
              {answer.replayed && <span class="badge lit">{t("ui.data.replayed")}</span>}
            </>
          )}
          {failure && <span class="status no">{t("ui.data.failed")}</span>}
          {!answer && !failure && <span class="idle pending">{t("ui.data.pending")}</span>}
        </li>
      ))}
    </ol>
  );
}

function Status({ status }: { status: number }) {
  return <b class={status < 400 ? "status ok" : "status no"}>{status}</b>;
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

const BURST = 8;
const SHOWN = 200_000;
