// Generated from crates/api by its own test; change it there.

export type AccessView = { 
/**
 * Counts the access tokens of this session since the keeper started.
 */
generation: number, jwt: boolean, 
/**
 * Of a JWT: the `alg` of its header.
 */
algorithm: string | null, lifetime_ms: number, 
/**
 * Where the lifetime is known from. One that is assumed ends nothing: such a token is good until it is refused.
 */
source: Source, 
/**
 * Zero once it has run out, or once what was assumed of it is over.
 */
remaining_ms: number, 
/**
 * The provider has refused it; it is not used any more.
 */
rejected: boolean, 
/**
 * It is good only together with a proof of possession (RFC 9449).
 */
dpop: boolean, };

export type Bench = { faults: Array<FaultSwitch>, };

export type BenchChange = { "set": "clear" } | { "set": "fault", name: string, on: boolean, 
/**
 * How many requests it shall meet; absent: until it is switched off.
 */
times: number | null, } | { "set": "revoke_access" } | { "set": "revoke_all" };

export type Cause = "asked" | "before_expiry" | "heartbeat_said_no" | "needed" | "rejected" | "start";

export type Code = "already_exists" | "answer_cut_short" | "answer_garbled" | "answer_too_large" | "answer_unreadable" | "bad_config" | "bad_path" | "bad_profile" | "bad_request" | "bad_url" | "breaker_open" | "body_too_large" | "certificates_unreadable" | "client_refused" | "config_unreadable" | "config_unsafe" | "config_unwritable" | "deadline_passed" | "disk_full" | "home_unwritable" | "identity_other" | "identity_unverified" | "internal" | "journal_failed" | "keeper_not_found" | "keeper_stopping" | "keeper_unreachable" | "keyring_absent" | "keyring_failed" | "keyring_locked" | "keyring_slow" | "misconfigured" | "no_browser" | "no_descriptors" | "no_memory" | "no_metadata" | "not_a_file" | "not_a_sandbox" | "not_json" | "not_saved" | "offline" | "plain_http" | "port_in_use" | "rate_limited" | "redirect_port_in_use" | "redirected" | "scope_refused" | "sign_in_cancelled" | "sign_in_denied" | "sign_in_expired" | "sign_in_needed" | "sign_in_refused" | "sandbox_failed" | "sandbox_not_found" | "server_error" | "still_busy" | "timed_out" | "tls" | "token_too_short" | "token_unusable" | "unanswered" | "unknown_profile" | "way_unsupported" | "wrong_issuer";

export type Demand = { acr_values: string | null, 
/**
 * Seconds since the person was last asked.
 */
max_age: number | null, scope: string | null, };

export type Discovery = { issuer: string, 
/**
 * What it can be asked for, by the names of the metadata without `_endpoint`, and where.
 */
endpoints: { [key in string]: string }, scopes: Array<string>, 
/**
 * Those of its scopes that a session has a use for.
 */
proposed_scopes: Array<string>, 
/**
 * A sign-in at a browser is possible.
 */
browser: boolean, 
/**
 * A sign-in on another device is possible (RFC 8628).
 */
device: boolean, 
/**
 * Tokens can be bound to a key (RFC 9449).
 */
dpop: boolean, 
/**
 * The request is handed over before the browser opens (RFC 9126).
 */
pushed: boolean, 
/**
 * A sign-out reaches the provider (RFC 7009).
 */
revocation: boolean, 
/**
 * Endpoints on another origin than the issuer's.
 */
elsewhere: Array<string>, 
/**
 * Endpoints that are not used because their address is not safe.
 */
ignored: Array<string>, };

export type Draft = { profile: string, 
/**
 * One of [`Overview::presets`]; empty for an OAuth provider.
 */
preset: string, 
/**
 * The base of the API: what paths are appended to. Of an OAuth provider it may be empty: then it is the issuer's
 * origin.
 */
url: string, 
/**
 * An OAuth provider.
 */
oauth: OauthDraft | null, 
/**
 * Paths that the window and the command line offer under *Data*; the preset's own when empty.
 */
resources: Array<string>, allow_http: boolean, 
/**
 * More certificates to trust: the path of a PEM file.
 */
ca_file: string | null, 
/**
 * The provider is a sandbox, with fault switches.
 */
sandbox: boolean, 
/**
 * Seconds between heartbeats; 300 when absent.
 */
heartbeat_s: number | null, };

export type EntryView = { id: number, 
/**
 * Milliseconds since 1970, by the wall clock of that moment; for people, not for arithmetic.
 */
at_ms: number, 
/**
 * Absent for what concerns the keeper itself.
 */
profile: string | null, note: Note, says: Says, };

export type FailureView = { code: Code, profile: string | null, details: { [key in string]: string }, 
/**
 * When the keeper itself will try again.
 */
retry_in_ms: number | null, says: Says, 
/**
 * What a person may do next.
 */
next: Says, };

export type FaultSwitch = { name: string, on: boolean, 
/**
 * How many more requests it will meet; absent when it stays until it is switched off.
 */
left: number | null, };

export type Fetched = { status: number, headers: { [key in string]: string }, 
/**
 * The text of the body; when it is not UTF-8, base64 of it and `base64` set.
 */
body: string, base64: boolean, 
/**
 * It was held or refused once, and sent with a newer token.
 */
replayed: boolean, 
/**
 * The generation of the access token that it was answered for.
 */
generation: number, took_ms: number, };

export type Grant = "authorization_code" | "client_credentials" | "device_code" | "password";

export type HeartbeatView = { every_ms: number, next_in_ms: number | null, 
/**
 * Whether the last one was good, and how long ago it was.
 */
last: LastHeartbeat | null, };

export type LastHeartbeat = { good: boolean, ago_ms: number, };

export type LastRefresh = { cause: Cause, ago_ms: number, took_ms: number, };

export type Lost = "consent_required" | "expired" | "elsewhere" | "insufficient_scope" | "insufficient_user_authentication" | "interrupted" | "interaction_required" | "login_required" | "never" | "refused" | "signed_out" | "unsure";

export type Note = { "kind": "breaker_opened", host: string, for_ms: number, } | { "kind": "config_problem", line: number | null, problem: string, details: { [key in string]: string }, } | { "kind": "elsewhere", places: Array<Destination>, } | { "kind": "ended_in_flight" } | { "kind": "ended_unsaved" } | { "kind": "entries_lost", count: number, } | { "kind": "heartbeat", good: boolean, took_ms: number, } | { "kind": "heartbeat_unanswered", trouble: Trouble, status: number | null, } | { "kind": "interrupted" } | { "kind": "keeper_started", version: string, vault: string, } | { "kind": "keeper_stopped" } | { "kind": "late_answer", revoked: boolean, } | { "kind": "kept", cause: Cause, trouble: Trouble, status: number | null, failures: number, retry_in_ms: number, } | { "kind": "needs_login", why: Lost, } | { "kind": "odd", what: Oddity, } | { "kind": "other_person", before: string | null, } | { "kind": "refreshed", cause: Cause, generation: number, lifetime_ms: number, 
/**
 * Where the lifetime is known from. Entries from before this was written down say that it was told.
 */
source: Source, took_ms: number, 
/**
 * A new refresh token came with it.
 */
rotated: boolean, 
/**
 * Exchanges tried since the last good one, this one included.
 */
tries: number, } | { "kind": "rejected", path: string, status: number, generation: number, } | { "kind": "replayed", count: number, waited_ms: number, } | { "kind": "restored" } | { "kind": "saved" } | { "kind": "sign_in_failed", code: string, took_ms: number, } | { "kind": "signed_in", user: string | null, 
/**
 * The new access token, when the sign-in brought one.
 */
generation: number | null, lifetime_ms: number | null, 
/**
 * Where the lifetime is known from, if there is one.
 */
source: Source, took_ms: number, } | { "kind": "signed_out" } | { "kind": "revocation_unsupported" } | { "kind": "revocation", trouble: Trouble | null, status: number | null, } | { "kind": "thawed", stood_still_ms: number, } | { "kind": "unsaved", trouble: VaultTrouble, } | { "kind": "vault_waiting", trouble: VaultTrouble, } | { "kind": "woke", slept_ms: number, };

export type OauthDraft = { issuer: string, client_id: string, 
/**
 * Those of `openid offline_access` that the provider knows when absent.
 */
scopes: Array<string> | null, audience: string | null, 
/**
 * RFC 8707.
 */
resource_indicators: Array<string>, 
/**
 * `authorization_code` when absent.
 */
grant: Grant | null, 
/**
 * Whether tokens are bound to a key (RFC 9449); where the provider offers it when absent.
 */
dpop: boolean | null, 
/**
 * Any free port when absent.
 */
redirect_port: number | null, 
/**
 * `127.0.0.1` when absent; some providers want `localhost`.
 */
redirect_host: string | null, 
/**
 * `/callback` when absent.
 */
redirect_path: string | null, 
/**
 * Endpoints by hand, by their names in the metadata (RFC 8414) without `_endpoint`.
 */
endpoints: { [key in string]: string }, 
/**
 * Parameters beyond the standard ones, by the exchange they belong to: `authorize`, `token`, `refresh`, `device`,
 * `revoke`.
 */
extra: { [key in string]: { [key in string]: string } }, };

export type Oddity = "id_token_audience" | "id_token_issuer" | "id_token_missing" | "id_token_subject" | "id_token_unreadable" | "id_token_unverified" | "step_up_unmet";

export type OverviewView = { version: string, vault: VaultView, sessions: Array<SessionView>, 
/**
 * What is wrong with the configuration file, profile by profile, and with the files of the home; all else goes on.
 */
problems: Array<FailureView>, 
/**
 * What a new profile may be made from.
 */
presets: Array<string>, };

export type Pending = { "way": "browser", expires_in_ms: number, 
/**
 * The address has to be opened within that: the provider keeps what is asked for only so long (RFC 9126).
 * Another sign-in has another address.
 */
open_within_ms?: number, } | { "way": "device", user_code: string, verification_uri: string, 
/**
 * With the code in it: for a click.
 */
verification_uri_complete: string | null, 
/**
 * The same as a QR code: a text a row, `#` for a dark square.
 */
qr: Array<string>, expires_in_ms: number, };

export type PhaseView = { "name": "Fresh" } | { "name": "NeedsLogin", why: Lost, } | { "name": "Refreshing", cause: Cause, attempt: number, } | { "name": "SigningIn" } | { "name": "Waiting", why: Trouble, status: number | null, failures: number, retry_in_ms: number, };

export type Destination = "api" | "client" | "introspection" | "issuer" | "revocation" | "token" | "userinfo";

export type RequestsView = { in_flight: number, 
/**
 * Held until there is a good token.
 */
held: number, 
/**
 * Since the keeper started.
 */
replayed: number, };

export type ResourceView = { method: string, path: string, };

export type Says = { en: string, "zh-CN": string, };

export type SessionView = { profile: string, preset: string, url: string, 
/**
 * Host and, where it is not the scheme's own, port.
 */
host: string, 
/**
 * Who signed in, when the keeper was told.
 */
user: string | null, phase: PhaseView, access: AccessView | null, refresh_in_ms: number | null, heartbeat: HeartbeatView, last_refresh: LastRefresh | null, 
/**
 * False while the newest refresh token is only in memory though a keyring is in use.
 */
saved: boolean, requests: RequestsView, 
/**
 * What *Data* offers.
 */
resources: Array<ResourceView>, 
/**
 * The provider has fault switches.
 */
sandbox: boolean, 
/**
 * How a person can sign in, the first one first.
 */
ways: Array<Way>, 
/**
 * The sign-in that somebody is at.
 */
pending: Pending | null, 
/**
 * What a resource or the provider demands besides, when that is why a person is needed.
 */
demand: Demand | null, 
/**
 * The provider has a page on which to end the session in the browser as well.
 */
browser_logout: boolean, };

export type Source = "assumed" | "learned" | "told";

export type Trouble = "breaker_open" | "certificates" | "cut_short" | "descriptors" | "disk" | "discovery" | "garbled" | "identity" | "memory" | "misconfigured" | "no_network" | "not_json" | "offline" | "rate_limited" | "redirected" | "suspect" | "status" | "timed_out" | "tls" | "too_large" | "unanswered" | "unreadable" | "unusable" | "vault";

export type VaultKind = "keyring" | "memory";

export type VaultTrouble = "absent" | "failed" | "locked" | "slow";

export type VaultView = { 
/**
 * Where refresh tokens are kept: after a restart, `memory` means signing in again.
 */
kind: VaultKind, 
/**
 * Set while it does not do what it is asked.
 */
trouble: VaultTrouble | null, };

export type Way = "browser" | "client_secret" | "device" | "password" | "unattended";

