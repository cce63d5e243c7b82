import type { RefObject } from "preact";
import type { Discovery } from "../api.ts";
import { t } from "../words.ts";

/** What a provider says about itself, in the words of somebody who wants to sign in there. */
export function Found({ found, head }: { found: Discovery; head: RefObject<HTMLHeadingElement | null> }) {
  const { issuer, endpoints } = found;
  const named = (names: string[]) => names.map((name) => [name, endpoints[name] ?? ""] as const);
  return (
    <section class="found" data-testid="found" aria-labelledby="found-title">
      <h3 id="found-title" tabIndex={-1} ref={head}>
        {t("ui.found.title", { issuer })}
      </h3>
      <ul class="able">
        {(["browser", "device", "revocation", "dpop", "pushed"] as const).map((each) => (
          <li key={each} class={found[each] ? "yes" : "no"} data-testid={`found-${each}`}>
            {t(`ui.found.${each}.${found[each] ? "yes" : "no"}`)}
          </li>
        ))}
      </ul>
      <Doubtful id="elsewhere" words={t("ui.found.elsewhere")} of={named(found.elsewhere)} />
      <Doubtful id="ignored" words={t("ui.found.ignored")} of={named(found.ignored)} />
      <details>
        <summary>{t("ui.found.endpoints")}</summary>
        <Addresses of={Object.entries(endpoints)} />
      </details>
      <small>{t("ui.found.note")}</small>
    </section>
  );
}

type Named = readonly (readonly [string, string])[];

function Doubtful({ id, words, of }: { id: string; words: string; of: Named }) {
  if (of.length === 0) return null;
  return (
    <div class="notice" data-testid={`found-${id}`}>
      <svg class="mark mark-failure" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
        <path d="M9 2.5l7.5 13h-15z" />
      </svg>
      <div>
        <p>{words}</p>
        <Addresses of={of} />
      </div>
    </div>
  );
}

function Addresses({ of }: { of: Named }) {
  return (
    <ul class="addresses">
      {of.map(([name, address]) => (
        <li key={name}>
          <b>{name}</b> <span>{address}</span>
        </li>
      ))}
    </ul>
  );
}
