import type { ComponentChildren, InputHTMLAttributes, RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../words.ts";

interface Labelled {
  id: string;
  label: string;
  hint?: string;
  optional?: boolean;
  /** What is said instead of the hint, when the field is not as it should be. */
  wrong?: string | false | undefined;
}

interface Typing extends Labelled {
  value: string;
  onType: (text: string) => void;
  /** Not wrong in itself: a failure that stands beside it is about it. */
  invalid?: boolean | undefined;
}

interface Line extends Typing {
  field?: RefObject<HTMLInputElement | null>;
  more?: InputHTMLAttributes<HTMLInputElement>;
}

/** A label, something to fill in, and a hint. */
export function Field(props: Labelled & { children: ComponentChildren }) {
  const { id, label, hint, optional, wrong } = props;
  return (
    <div class="field">
      <label for={id}>
        {label} {optional && <span class="optional">{t("ui.new.optional")}</span>}
      </label>
      {props.children}
      {(wrong || hint) && (
        <small id={`${id}-hint`} class={wrong ? "missing" : ""}>
          {wrong || hint}
        </small>
      )}
    </div>
  );
}

export function TextField(props: Line) {
  return (
    <Field {...props}>
      <input
        ref={props.field}
        {...common(props)}
        required={!props.optional}
        onInput={(event) => props.onType(event.currentTarget.value)}
        {...props.more}
      />
    </Field>
  );
}

export function Lines(props: Typing) {
  return (
    <Field {...props}>
      <textarea rows={2} {...common(props)} onInput={(event) => props.onType(event.currentTarget.value)} />
    </Field>
  );
}

export function Choice<T extends string>(
  props: Labelled & {
    value: T;
    options: { value: T; label: string; off?: boolean }[];
    onChoose: (to: T) => void;
  },
) {
  return (
    <Field {...props}>
      <select
        id={props.id}
        data-testid={props.id}
        aria-describedby={props.hint && `${props.id}-hint`}
        value={props.value}
        onChange={(event) => props.onChoose(event.currentTarget.value as T)}
      >
        {props.options.map((each) => (
          <option key={each.value} value={each.value} disabled={each.off}>
            {each.label}
          </option>
        ))}
      </select>
    </Field>
  );
}

export function AllowHttp({ checked, onCheck }: { checked: boolean; onCheck: (to: boolean) => void }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        data-testid="allow-http"
        checked={checked}
        onChange={(event) => onCheck(event.currentTarget.checked)}
      />
      <span>
        {t("ui.new.allow_http")}
        <small>{t("ui.new.allow_http.hint")}</small>
      </span>
    </label>
  );
}

/** A form may be longer than the window: what is to be mended in it must not stay out of sight. */
export function useFirstInvalid(...after: unknown[]): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, after);
  return form;
}

function common({ id, value, wrong, invalid }: Typing) {
  return {
    id,
    "data-testid": id,
    spellcheck: false,
    autocapitalize: "off",
    "aria-describedby": `${id}-hint`,
    "aria-invalid": Boolean(wrong || invalid),
    value,
  } as const;
}
