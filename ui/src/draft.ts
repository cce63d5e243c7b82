import type { Discovery, Draft, Grant } from "./api.ts";

/** What somebody has typed to add an OAuth provider, as it stands in the fields. */
export interface Typed {
  issuer: string;
  allow_http: boolean;
  profile: string;
  client_id: string;
  /** `null` as long as the proposal has not been touched. */
  scopes: string | null;
  url: string;
  audience: string;
  resource_indicators: string;
  /** `null` for what the provider offers. */
  grant: Grant | null;
  redirect_host: (typeof REDIRECT_HOSTS)[number];
  redirect_port: string;
  dpop: keyof typeof DPOP;
  resources: string;
}

export const NOTHING_TYPED: Typed = {
  issuer: "",
  allow_http: false,
  profile: "",
  client_id: "",
  scopes: null,
  url: "",
  audience: "",
  resource_indicators: "",
  grant: null,
  redirect_host: "127.0.0.1",
  redirect_port: "",
  dpop: "auto",
  resources: "",
};

export function draftOf(typed: Typed, found: Discovery): Draft {
  const grant = grantOf(typed, found);
  return {
    profile: typed.profile.trim(),
    preset: "",
    url: typed.url.trim(),
    oauth: {
      issuer: found.issuer,
      client_id: typed.client_id.trim(),
      scopes: words(scopesOf(typed, found)),
      audience: typed.audience.trim() || null,
      resource_indicators: words(typed.resource_indicators),
      grant: grant === "authorization_code" ? null : grant,
      dpop: DPOP[typed.dpop],
      redirect_port: Number(typed.redirect_port.trim()) || null,
      redirect_host: typed.redirect_host === REDIRECT_HOSTS[0] ? null : typed.redirect_host,
      redirect_path: null,
      endpoints: {},
      extra: {},
    },
    resources: lines(typed.resources),
    allow_http: typed.allow_http && (isPlain(typed.issuer) || isPlain(typed.url)),
    sandbox: false,
    heartbeat_s: null,
  };
}

export function scopesOf({ scopes }: Typed, found: Discovery): string {
  return scopes ?? found.proposed_scopes.join(" ");
}

/** The browser's, unless only another device will do. */
export function grantOf({ grant }: Typed, { browser, device }: Discovery): Grant {
  return grant ?? (device && !browser ? "device_code" : "authorization_code");
}

export function isPort(text: string): boolean {
  const port = text.trim();
  return port === "" || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535);
}

export function isPlain(url: string): boolean {
  return /^http:/i.test(url.trim());
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

export const REDIRECT_HOSTS = ["127.0.0.1", "localhost"] as const;
export const DPOP = { auto: null, on: true, off: false } as const;
export const GRANTS: Grant[] = ["authorization_code", "device_code", "client_credentials", "password"];
