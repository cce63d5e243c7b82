// Generated from crates/api by its own test; change it there.

export type AccessView = { 
/**
 * Counts since the keeper started.
 */
generation: number, jwt: boolean, algorithm: string | null, lifetime_ms: number, 
/**
 * An assumed lifetime ends nothing: the token is used until it is refused.
 */
source: Source, 
/**
 * Zero after its lifetime, also an assumed one.
 */
remaining_ms: number, 
/**
 * Refused by the provider, and no longer used.
 */
rejected: boolean, dpop: boolean, };

export type Bench = { faults: Array<FaultSwitch>, };

export type BenchChange = { "set": "clear" } | { "set": "fault", name: string, on: boolean, 
/**
 * In requests; when absent, until it is switched off.
 */
times: number | null, } | { "set": "revoke_access" } | { "set": "revoke_all" };

export type Cause = "asked" | "before_expiry" | "heartbeat_said_no" | "kept_alive" | "needed" | "rejected" | "start";

export type Code = "already_exists" | "answer_cut_short" | "answer_garbled" | "answer_too_large" | "answer_unreadable" | "bad_config" | "bad_path" | "bad_profile" | "bad_request" | "bad_url" | "breaker_open" | "body_too_large" | "certificate_date" | "certificate_name" | "certificate_unfit" | "certificate_unknown" | "certificates_unreadable" | "client_refused" | "config_unreadable" | "config_unsafe" | "config_unwritable" | "credential_absent" | "credential_other" | "credential_short" | "deadline_passed" | "disk_full" | "home_unwritable" | "identity_other" | "identity_unverified" | "internal" | "journal_failed" | "keeper_not_found" | "keeper_stopping" | "keeper_unreachable" | "key_file_damaged" | "key_file_gone" | "key_file_other" | "key_garbled" | "key_gone" | "keyring_absent" | "keyring_empty" | "keyring_failed" | "keyring_forbids" | "keyring_locked" | "keyring_older" | "keyring_other" | "keyring_slow" | "misconfigured" | "no_browser" | "no_descriptors" | "no_memory" | "no_metadata" | "not_a_file" | "not_a_sandbox" | "not_json" | "not_saved" | "offline" | "passphrase_command_failed" | "passphrase_file_exposed" | "passphrase_file_unreadable" | "passphrase_needed" | "passphrase_unset" | "passphrase_wrong" | "plain_http" | "port_in_use" | "proxy" | "rate_limited" | "redirect_port_in_use" | "redirected" | "refresh_refused" | "scope_refused" | "sign_in_cancelled" | "sign_in_damaged" | "sign_in_denied" | "sign_in_expired" | "sign_in_later" | "sign_in_needed" | "sign_in_refused" | "sandbox_failed" | "sandbox_not_found" | "server_error" | "still_busy" | "timed_out" | "tls" | "token_too_short" | "token_unusable" | "too_many_connections" | "unanswered" | "unknown_profile" | "vault_setting_later" | "vault_unwritable" | "way_unsupported" | "wrong_address" | "wrong_issuer";

export type Demand = { acr_values: string | null, 
/**
 * In seconds since the last authentication.
 */
max_age: number | null, scope: string | null, };

export type Discovery = { issuer: string, endpoints: { [key in string]: string }, scopes: Array<string>, 
/**
 * Those that a session can use.
 */
proposed_scopes: Array<string>, browser: boolean, device: boolean, dpop: boolean, pushed: boolean, revocation: boolean, elsewhere: Array<string>, 
/**
 * Not used, because their address is not safe.
 */
ignored: Array<string>, };

export type Draft = { profile: string, 
/**
 * One of [`Overview::presets`], or empty for OAuth.
 */
preset: string, 
/**
 * Paths are appended to it. For OAuth an empty one means the issuer's origin.
 */
url: string, oauth: OauthDraft | null, 
/**
 * When empty, those of the preset.
 */
resources: Array<string>, allow_http: boolean, 
/**
 * The path of a PEM file.
 */
ca_file: string | null, sandbox: boolean, 
/**
 * 300 when absent.
 */
heartbeat_s: number | null, };

export type Ends = { in_ms: number, 
/**
 * From sign-in to end.
 */
lasts_ms: number, ground: Ground, 
/**
 * How many sign-ins ended at about this age.
 */
times: number, };

export type EntryView = { id: number, 
/**
 * Milliseconds since 1970, by a clock that may have been changed since.
 */
at_ms: number, profile: string | null, note: Note, says: Says, };

export type FailureView = { code: Code, profile: string | null, details: { [key in string]: string }, retry_in_ms: number | null, says: Says, next: Says, };

export type FaultSwitch = { name: string, on: boolean, 
/**
 * Absent if it stays until it is switched off.
 */
left: number | null, };

export type Fetched = { status: number, headers: { [key in string]: string }, 
/**
 * Base64 if `base64` is set, because it is not UTF-8, or full of control characters.
 */
body: string, base64: boolean, 
/**
 * Sent again with a newer token.
 */
replayed: boolean, 
/**
 * Of the access token that was sent.
 */
generation: number, took_ms: number, };

export type Forecast = { 
/**
 * However often it is refreshed.
 */
ends: Ends | null, unused: Unused | null, 
/**
 * It ends so soon that a person may want to sign in again.
 */
is_near: boolean, };

export type Grant = "authorization_code" | "client_credentials" | "device_code" | "password";

export type Ground = "seen" | "set" | "told";

export type HeartbeatView = { every_ms: number, next_in_ms: number | null, last: LastHeartbeat | null, };

export type LastHeartbeat = { good: boolean, ago_ms: number, };

export type LastRefresh = { cause: Cause, ago_ms: number, took_ms: number, };

export type Lost = "consent_required" | "damaged" | "expired" | "elsewhere" | "insufficient_scope" | "insufficient_user_authentication" | "interrupted" | "interaction_required" | "key_deleted" | "key_missing" | "login_required" | "never" | "older_copy" | "ran_out" | "refused" | "signed_out" | "unsure" | "unused";

export type Note = { "kind": "breaker_opened", host: string, for_ms: number, } | { "kind": "config_problem", line: number | null, problem: string, details: { [key in string]: string }, } | { "kind": "elsewhere", places: Array<Destination>, } | { "kind": "ended_in_flight" } | { "kind": "ended_unsaved" } | { "kind": "ends_soon", in_ms: number, ground: Ground, times: number, } | { "kind": "entries_lost", count: number, } | { "kind": "foreseen", ends: Ends | null, unused: Unused | null, } | { "kind": "heartbeat", good: boolean, took_ms: number, } | { "kind": "heartbeat_unanswered", trouble: Trouble, status: number | null, } | { "kind": "interrupted" } | { "kind": "keeper_started", version: string, vault: string, } | { "kind": "keeper_stopped" } | { "kind": "key_returned" } | { "kind": "key_moved" } | { "kind": "late_answer", revoked: boolean, } | { "kind": "kept", cause: Cause, trouble: Trouble, status: number | null, failures: number, retry_in_ms: number, } | { "kind": "left_sealed", count: number, } | { "kind": "moved", count: number, } | { "kind": "needs_login", why: Lost, } | { "kind": "odd", what: Oddity, } | { "kind": "other_person", before: string | null, } | { "kind": "refreshed", cause: Cause, generation: number, lifetime_ms: number, 
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
tries: number, } | { "kind": "rejected", path: string, status: number, generation: number, } | { "kind": "replayed", count: number, waited_ms: number, } | { "kind": "restored" } | { "kind": "said", said: string, } | { "kind": "saved" } | { "kind": "sign_in_failed", code: string, took_ms: number, } | { "kind": "signed_in", user: string | null, 
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
 * When absent, those of `openid offline_access` that the provider knows.
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
 * RFC 9449. When absent, used where the provider offers it.
 */
dpop: boolean | null, 
/**
 * When absent, any free port.
 */
redirect_port: number | null, 
/**
 * `127.0.0.1` when absent. Some providers require `localhost`.
 */
redirect_host: string | null, 
/**
 * `/callback` when absent.
 */
redirect_path: string | null, 
/**
 * Names as in the metadata (RFC 8414), without `_endpoint`.
 */
endpoints: { [key in string]: string }, 
/**
 * More parameters for `authorize`, `token`, `refresh`, `device` or `revoke`.
 */
extra: { [key in string]: { [key in string]: string } }, };

export type Oddity = "id_token_audience" | "id_token_issuer" | "id_token_missing" | "id_token_subject" | "id_token_unreadable" | "id_token_unverified" | "lifetime_unread" | "refresh_lifetime_unread" | "step_up_unmet";

export type OverviewView = { version: string, vault: VaultView, sessions: Array<SessionView>, problems: Array<FailureView>, presets: Array<string>, };

export type Pending = { "way": "browser", expires_in_ms: number, 
/**
 * Set for a pushed request (RFC 9126): the URL must be opened within that time.
 */
open_within_ms?: number, } | { "way": "device", user_code: string, verification_uri: string, verification_uri_complete: string | null, 
/**
 * A QR code, one string per row, `#` for a dark square.
 */
qr: Array<string>, expires_in_ms: number, };

export type PhaseView = { "name": "Fresh" } | { "name": "NeedsLogin", why: Lost, } | { "name": "Refreshing", cause: Cause, attempt: number, } | { "name": "SigningIn" } | { "name": "Waiting", why: Trouble, status: number | null, failures: number, retry_in_ms: number, };

export type Destination = "api" | "client" | "introspection" | "issuer" | "revocation" | "token" | "userinfo";

export type RequestsView = { in_flight: number, 
/**
 * Waiting for a good token.
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
 * Includes the port if it is not the scheme's default.
 */
host: string, user: string | null, phase: PhaseView, access: AccessView | null, refresh_in_ms: number | null, 
/**
 * Without a refresh token the session ends with its access token.
 */
renewable: boolean, heartbeat: HeartbeatView, last_refresh: LastRefresh | null, 
/**
 * False while the newest refresh token is only in memory although it could be kept.
 */
saved: boolean, 
/**
 * Of the sign-in, where anything is known of its end.
 */
forecast: Forecast | null, requests: RequestsView, resources: Array<ResourceView>, sandbox: boolean, 
/**
 * In order of preference.
 */
ways: Array<Way>, pending: Pending | null, demand: Demand | null, 
/**
 * What the provider said of the refusal that is waited out, or that ended the sign-in.
 */
said: string | null, 
/**
 * The provider has a page that ends the browser's session.
 */
browser_logout: boolean, };

export type Source = "assumed" | "learned" | "told";

export type Trouble = "breaker_open" | "certificate_date" | "certificate_name" | "certificate_unfit" | "certificate_unknown" | "certificates" | "cut_short" | "descriptors" | "disk" | "discovery" | "garbled" | "identity" | "memory" | "misconfigured" | "no_network" | "not_json" | "offline" | "proxy" | "rate_limited" | "redirected" | "suspect" | "status" | "timed_out" | "tls" | "too_large" | "unanswered" | "unreadable" | "unusable" | "vault";

export type Unused = { after_ms: number, ground: Ground, };

export type VaultKind = "credential" | "keyring" | "memory" | "passphrase";

export type VaultTrouble = "absent" | "command_failed" | "credential_absent" | "credential_other" | "credential_short" | "damaged" | "disk" | "failed" | "file_exposed" | "file_unreadable" | "garbled" | "gone" | "key_file_damaged" | "key_file_gone" | "key_file_other" | "locked" | "no_place" | "not_allowed" | "older_keyring" | "other_keyring" | "passphrase_needed" | "passphrase_unset" | "passphrase_wrong" | "slow";

export type VaultView = { 
/**
 * With `memory`, a restart needs a new sign-in.
 */
kind: VaultKind, trouble: VaultTrouble | null, };

export type Way = "browser" | "client_secret" | "device" | "password" | "unattended";

