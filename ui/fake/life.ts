import type {
  AccessView,
  Cause,
  Code,
  Demand,
  EntryView,
  Forecast,
  Lost,
  Note,
  Pending,
  PhaseView,
  SessionView,
  Source,
  Way,
} from "../src/api.ts";
import { says } from "./says.ts";
import { FakeSignIn } from "./sign-in.ts";

export interface Born {
  profile: string;
  preset: string;
  url: string;
  host: string;
  user?: string;
  phase?: PhaseView;
  lifetime_s?: number;
  /** Where it is known from; told when absent. */
  source?: Source;
  heartbeat_s?: number | null;
  /** Seconds of the first token that have passed already. */
  age_s?: number;
  generation?: number;
  saved?: boolean;
  forecast?: Forecast;
  sandbox?: boolean;
  resources?: string[];
  jwt?: boolean;
  dpop?: boolean;
  ways?: Way[];
  /** Somebody is at a sign-in already, and does not finish it. */
  pending?: Pending["way"];
  demand?: Demand;
}

/** One simulated session. */
export class Life {
  readonly profile: string;
  readonly faults = new Map<string, number | null>();
  private phase: PhaseView;
  private user: string | null;
  private generation: number;
  private gotAt: number;
  private beatAt: number;
  private refreshed: SessionView["last_refresh"] = null;
  private refreshedAt = 0;
  private lost: Lost = "never";
  private rejected = false;
  private dead = false;
  private replayed = 0;
  private held = 0;
  private forecast: Forecast | null;
  private retryAt = 0;
  private pending: Promise<void> | null = null;
  private errand: FakeSignIn | null = null;
  private last: FakeSignIn | null = null;

  constructor(
    private readonly born: Born,
    private readonly write: (entry: EntryView) => void,
  ) {
    this.profile = born.profile;
    this.phase = born.phase ?? { name: "Fresh" };
    this.user = born.user ?? null;
    this.forecast = born.forecast ?? null;
    this.generation = born.generation ?? 0;
    this.gotAt = Date.now() - (born.age_s ?? 0) * 1000;
    this.beatAt = Date.now() - 3000;
    if (this.phase.name === "Waiting") this.retryAt = Date.now() + this.phase.retry_in_ms;
    if (born.pending) this.begin(new FakeSignIn(born.pending));
    if (this.generation > 0) {
      this.refreshed = { cause: "before_expiry", ago_ms: 0, took_ms: 38 };
      this.refreshedAt = this.gotAt;
    }
  }

  view(): SessionView {
    const now = Date.now();
    const phase =
      this.phase.name === "Waiting"
        ? { ...this.phase, retry_in_ms: Math.max(0, this.retryAt - now) }
        : this.phase;
    return {
      profile: this.profile,
      preset: this.born.preset,
      url: this.born.url,
      host: this.born.host,
      user: this.user,
      phase,
      access: this.access(now),
      refresh_in_ms:
        phase.name === "Fresh" ? Math.max(0, this.gotAt + this.lifetime * REFRESH_AT - now) : null,
      heartbeat: {
        every_ms: this.every,
        next_in_ms: phase.name === "Fresh" ? Math.max(0, this.beatAt + this.every - now) : null,
        last: this.generation > 0 ? { good: true, ago_ms: now - this.beatAt } : null,
      },
      last_refresh: this.refreshed && { ...this.refreshed, ago_ms: now - this.refreshedAt },
      saved: this.born.saved ?? true,
      forecast: this.phase.name === "NeedsLogin" ? null : this.forecast,
      requests: { in_flight: 0, held: this.held, replayed: this.replayed },
      resources: (this.born.resources?.length ? this.born.resources : ["/api/orders", "/api/profile"]).map(
        (path) => ({
          method: "GET",
          path,
        }),
      ),
      sandbox: this.born.sandbox ?? false,
      ways: this.born.ways ?? ["password"],
      pending: this.errand?.view() ?? null,
      demand: (this.phase.name === "NeedsLogin" && this.born.demand) || null,
      said: null,
      renewable: true,
      browser_logout: this.atProvider,
    };
  }

  tick(): void {
    const now = Date.now();
    if (this.errand?.isDone) this.signIn(this.user ?? "alice@example.com");
    else if (this.errand?.isOver) this.giveUp("sign_in_expired");
    if (this.phase.name === "Fresh") {
      if (now >= this.gotAt + this.lifetime * REFRESH_AT) void this.refresh("before_expiry");
      else if (now >= this.beatAt + this.every) this.beat(now);
    } else if (this.phase.name === "Waiting" && now >= this.retryAt) {
      void this.refresh("before_expiry");
    }
  }

  /** Resolves once there is a good token; says whether it had to wait for one. */
  async token(): Promise<boolean> {
    if (!this.rejected && this.access(Date.now())?.remaining_ms) return false;
    this.held += 1;
    await this.refresh("rejected");
    this.held -= 1;
    if (this.phase.name !== "Fresh") throw { code: "sign_in_needed" };
    this.replayed += 1;
    return true;
  }

  /** One refresh at a time, however many ask. */
  refresh(cause: Cause): Promise<void> {
    this.pending ??= this.exchange(cause).finally(() => {
      this.pending = null;
    });
    return this.pending;
  }

  /** A newer sign-in takes the place of an older one. */
  begin(errand: FakeSignIn): void {
    this.errand?.finish("sign_in_cancelled");
    this.signingIn();
    this.errand = this.last = errand;
  }

  giveUp(code: Code): void {
    if (!this.errand) return;
    this.phase = { name: "NeedsLogin", why: this.lost };
    this.note({ kind: "sign_in_failed", code, took_ms: 4_200 });
    this.errand.finish(code);
    this.errand = null;
  }

  async finished(): Promise<Code | null> {
    return (await this.last?.ended()) ?? null;
  }

  signingIn(): void {
    if (this.phase.name === "NeedsLogin") this.lost = this.phase.why;
    this.phase = { name: "SigningIn" };
  }

  refused(): void {
    this.phase = { name: "NeedsLogin", why: this.lost };
    this.note({ kind: "sign_in_failed", code: "sign_in_refused", took_ms: 12 });
  }

  signIn(user: string): void {
    this.user = user;
    this.dead = false;
    // Its end is another one.
    this.forecast = null;
    this.take();
    this.errand?.finish(null);
    this.errand = null;
    const { generation, lifetime, source } = this;
    this.note({ kind: "signed_in", user, generation, lifetime_ms: lifetime, source, took_ms: 112 });
  }

  signOut(): void {
    this.phase = { name: "NeedsLogin", why: "signed_out" };
    this.note({ kind: "signed_out" });
    this.note({ kind: "revocation", trouble: null, status: 200 });
  }

  revokeAccess(): void {
    this.rejected = true;
  }

  revokeAll(): void {
    this.rejected = this.dead = true;
  }

  private async exchange(cause: Cause): Promise<void> {
    const failures = this.phase.name === "Waiting" ? this.phase.failures : 0;
    this.phase = { name: "Refreshing", cause, attempt: failures + 1 };
    await pause(700);
    const fault = this.meet();
    if (this.dead || fault === "refuse") {
      this.phase = { name: "NeedsLogin", why: "refused" };
      this.note({ kind: "needs_login", why: "refused" });
    } else if (fault && fault !== "latency") {
      const retry_in_ms = 1400 * 2 ** failures;
      this.phase = { name: "Waiting", why: "status", status: 503, failures: failures + 1, retry_in_ms };
      this.retryAt = Date.now() + retry_in_ms;
      this.note({ kind: "kept", cause, trouble: "status", status: 503, failures: failures + 1, retry_in_ms });
    } else {
      this.take();
      this.refreshed = { cause, ago_ms: 0, took_ms: 38 };
      this.refreshedAt = Date.now();
      const { generation, lifetime, source } = this;
      const tries = failures + 1;
      this.note({
        kind: "refreshed",
        cause,
        generation,
        lifetime_ms: lifetime,
        source,
        took_ms: 38,
        rotated: true,
        tries,
      });
    }
  }

  private beat(now: number): void {
    this.beatAt = now;
    this.note({ kind: "heartbeat", good: true, took_ms: 4 });
  }

  private take(): void {
    this.generation += 1;
    this.gotAt = Date.now();
    this.rejected = false;
    this.phase = { name: "Fresh" };
  }

  private meet(): string | null {
    const met = this.faults.entries().next().value;
    if (!met) return null;
    const [name, left] = met;
    if (left !== null && left <= 1) this.faults.delete(name);
    else if (left !== null) this.faults.set(name, left - 1);
    return name;
  }

  private access(now: number): AccessView | null {
    const gone = this.phase.name === "NeedsLogin" && !this.born.demand;
    if (this.generation === 0 || gone) return null;
    const jwt = this.born.jwt ?? true;
    const signed = this.atProvider ? "ES256" : "HS256";
    return {
      generation: this.generation,
      jwt,
      algorithm: jwt ? signed : null,
      lifetime_ms: this.lifetime,
      source: this.source,
      remaining_ms: Math.max(0, this.gotAt + this.lifetime - now),
      rejected: this.rejected,
      dpop: this.born.dpop ?? false,
    };
  }

  private note(note: Note): void {
    lastId += 1;
    this.write({ id: lastId, at_ms: Date.now(), profile: this.profile, note, says: says(note) });
  }

  private get atProvider(): boolean {
    return this.born.ways?.includes("browser") ?? false;
  }

  private get lifetime(): number {
    return (this.born.lifetime_s ?? 30) * 1000;
  }

  private get source(): Source {
    return this.born.source ?? "told";
  }

  private get every(): number {
    return (this.born.heartbeat_s ?? 300) * 1000;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

const REFRESH_AT = 0.75;
let lastId = 100_000;
