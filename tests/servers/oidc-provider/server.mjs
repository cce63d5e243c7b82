// oidc-provider, certified for OpenID Connect. Every endpoint but /api/protected is the library's own,
// and so are the pages on which somebody signs in.
//
// The issuer is the origin, http://127.0.0.1:PORT (or PUBLIC_PORT). The rest is in its discovery document:
//
//   GET  /.well-known/openid-configuration
//   GET  /auth            needs PKCE            POST /request           the same, pushed (PAR)
//   POST /token                                 POST /device/auth       GET /device
//   POST /token/revocation                      POST /token/introspection (client `rs`)
//   GET  /me              userinfo; Bearer or DPoP; ?n= is noted in the log
//   GET  /api/protected   an API of its own audience, Bearer only; POST echoes its body (JSON)
//   GET  /session/end     asks first, and leaves offline tokens alone: revoke them
//
// Clients: `desktop` (public; code, refresh, device), `desktop-dpop` (the same, but its tokens are always bound to
// a key, and its refresh token does not rotate by default), `rs` / `rs-secret` (client_credentials, introspection).
// Redirects: http://127.0.0.1/callback with any port, [::1] and localhost too for `desktop`, and nothing below
// /callback. Users: any name with any password; the subject is the name.
//
// A refresh token comes only with scope=offline_access AND prompt=consent. One that is used twice ends the whole
// grant, the newest tokens included. Every refusal of a grant is 400 invalid_grant, whatever its reason.
//
// Signing in with a script that keeps cookies (their paths differ, but a flat jar does) and follows no redirect by
// itself. Every answer below is 303 with a Location, relative or absolute; go there and read the form's action:
//   1. GET  /auth?client_id&response_type=code&redirect_uri&scope&state&code_challenge&code_challenge_method=S256
//           &prompt=consent                     -> 303 /interaction/UID
//   2. GET  /interaction/UID                    -> 200, <form action="…/interaction/UID" method="post">
//   3. POST /interaction/UID  prompt=login&login=alice&password=x      -> 303 /auth/UID
//   4. GET  /auth/UID                           -> 303 /interaction/UID2 (another UID)
//   5. POST /interaction/UID2 prompt=consent    -> 303 /auth/UID2
//   6. GET  /auth/UID2                          -> 303 REDIRECT?code&state&iss
// To cancel, GET /interaction/UID/abort and follow it: REDIRECT?error=access_denied&state&iss.
// A browser that is signed in already skips 2 to 4: the first UID asks for consent at once.
//
// A device: POST /device/auth client_id=desktop&scope=… -> {device_code, user_code, verification_uri,
// verification_uri_complete, expires_in} and no interval. Then, with a jar of its own:
//   1. GET  /device?user_code=CODE              -> 200, <form> with xsrf, user_code (the page sends itself off)
//   2. POST /device           xsrf&user_code    -> 200, <form> with xsrf, user_code, confirm=yes
//   3. POST /device           xsrf&user_code&confirm=yes               -> 303 /interaction/UID
//   4. POST /interaction/UID  prompt=login&login=alice&password=x      -> 303 /device/UID
//   5. GET  /device/UID -> 303 /interaction/UID2; POST it prompt=consent -> 303; GET that -> 200 "Success"
// To deny, POST /device xsrf&user_code&abort=yes in place of 3.
//
// Environment: PORT (0, the default: any free one), STATE (a directory; what is in it survives a restart), AT_TTL,
// RT_TTL, DEVICE_TTL (seconds), ROTATE=default|on|off, CLOCK_TOLERANCE (seconds that tokens outlive their end; 0
// here, the library's own default is 15), DPOP_NONCE=1 (proofs must hold a nonce), AT_FORMAT=jwt|opaque (tokens are
// for /api/protected, in that form, and /me refuses them; otherwise they are for /me), REDIRECT_PATH (in place of
// /callback), REFRESH_DELAY (seconds that each refresh is held, so that callers meet in it), PUBLIC_PORT (the port
// that others know it by, where something stands before it).
//
// GET /__counters, GET /__log, GET /__tokens, GET /__versions, POST /__expire, POST /__lifetime, POST /__revoke and
// POST /__restore are those of serve.py beside this folder. There is one token endpoint for all, so /__counters also
// counts its requests by grant type (`authorization_code`, `refresh_token`, `device_code`, `client_credentials`);
// `logins` are the codes. Revoking forgets every grant with all its tokens (a JWT is good until its end all the same,
// and is no part of /__tokens); whoever is signed in in a browser stays so.
//
// Prints `ready PORT` once it is listening. Ends on SIGTERM, and when standard input does.

import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { createLocalJWKSet, jwtVerify } from "jose";
import Provider from "oidc-provider";

const { PORT, PUBLIC_PORT, STATE, AT_TTL, RT_TTL, DEVICE_TTL, ROTATE, CLOCK_TOLERANCE, DPOP_NONCE, AT_FORMAT } =
  process.env;
let accessLifetime = Number(AT_TTL || 5);
const refreshDelay = Number(process.env.REFRESH_DELAY || 0) * 1000;
const callback = process.env.REDIRECT_PATH || "/callback";

const stateFile = STATE && join(STATE, "oidc-provider.json");
const state = stateFile && existsSync(stateFile)
  ? JSON.parse(readFileSync(stateFile, "utf8"))
  : { key: newKey(), cookies: randomBytes(32).toString("hex"), nonce: randomBytes(32).toString("hex"), kept: {} };
save();

/** The library's storage, in one file. It asks for nothing more than this. */
class Kept {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model} ${id}`;
  }

  async upsert(id, payload, expiresIn) {
    state.kept[this.key(id)] = { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : null };
    save();
  }

  async find(id) {
    const found = state.kept[this.key(id)];
    // The library judges by itself; this only keeps the tolerance it may be told of.
    const late = found?.until && found.until + Number(CLOCK_TOLERANCE || 0) * 1000 < Date.now();
    return late ? undefined : structuredClone(found?.payload);
  }

  async findByUid(uid) {
    return this.search((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode) {
    return this.search((payload) => payload.userCode === userCode);
  }

  async search(matches) {
    const own = Object.entries(state.kept).filter(([key]) => key.startsWith(`${this.model} `));
    const found = own.find(([, { payload }]) => matches(payload));
    return found && this.find(found[0].slice(this.model.length + 1));
  }

  async consume(id) {
    state.kept[this.key(id)].payload.consumed = Math.floor(Date.now() / 1000);
    save();
  }

  async destroy(id) {
    delete state.kept[this.key(id)];
    save();
  }

  async revokeByGrantId(grantId) {
    forget((payload) => payload.grantId === grantId);
  }
}

function provide(issuer) {
  const api = `${issuer}/api`;
  const native = { application_type: "native", token_endpoint_auth_method: "none", response_types: ["code"] };
  const grants = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];
  const provider = new Provider(issuer, {
    adapter: Kept,
    clients: [
      {
        ...native,
        client_id: "desktop",
        grant_types: grants,
        redirect_uris: ["127.0.0.1", "[::1]", "localhost"].map((host) => `http://${host}${callback}`),
        post_logout_redirect_uris: ["http://127.0.0.1/signed-out"],
      },
      {
        ...native,
        client_id: "desktop-dpop",
        grant_types: grants,
        redirect_uris: [`http://127.0.0.1${callback}`],
        dpop_bound_access_tokens: true,
      },
      {
        client_id: "rs",
        client_secret: "rs-secret",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    claims: { openid: ["sub"], email: ["email"], profile: ["name"] },
    clockTolerance: Number(CLOCK_TOLERANCE || 0),
    cookies: { keys: [state.cookies] },
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      dPoP: {
        enabled: true,
        ...(DPOP_NONCE === "1" && { nonceSecret: Buffer.from(state.nonce, "hex"), requireNonce: () => true }),
      },
      introspection: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => (AT_FORMAT ? api : undefined),
        getResourceServerInfo: () => ({
          accessTokenFormat: AT_FORMAT || "jwt",
          accessTokenTTL: accessLifetime,
          audience: api,
          scope: "read write",
        }),
        useGrantedResource: () => true,
      },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    async findAccount(_context, id) {
      return { accountId: id, claims: async () => ({ sub: id, email: `${id}@example.test`, name: id }) };
    },
    jwks: { keys: [state.key] },
    pkce: { required: () => true },
    ...(ROTATE && ROTATE !== "default" && { rotateRefreshToken: ROTATE === "on" }),
    scopes: ["openid", "offline_access", "email", "profile"],
    ttl: {
      AccessToken: () => accessLifetime,
      AuthorizationCode: 60,
      ClientCredentials: () => accessLifetime,
      DeviceCode: Number(DEVICE_TTL || 600),
      Grant: 86400,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: Number(RT_TTL || 3600),
      Session: 86400,
    },
  });
  provider.on("access_token.issued", ({ jti }) => jwts.issued.add(jti));
  provider.on("server_error", (_context, error) => console.error("server_error", error));
  return { provider, api };
}

/** What is behind the tokens that are not for /me. */
async function protect({ provider, api }, request, body) {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  const realm = `Bearer realm="${api}"`;
  if (scheme.toLowerCase() !== "bearer" || !token) return [401, { error: "invalid_request" }, realm];
  const whose = await bearer(provider, api, token);
  if (!whose) return [401, { error: "invalid_token" }, `${realm}, error="invalid_token"`];
  const n = new URL(request.url, api).searchParams.get("n");
  return [200, request.method === "POST" ? { echo: JSON.parse(body || "null") } : { hello: whose, n }];
}

async function bearer(provider, api, token) {
  if (AT_FORMAT === "opaque") {
    const found = await provider.AccessToken.find(token);
    return found?.isValid && found.aud === api ? found.accountId : undefined;
  }
  try {
    const { d, p, q, dp, dq, qi, ...open } = state.key;
    const keys = createLocalJWKSet({ keys: [open] });
    const options = { audience: api, clockTolerance: Number(CLOCK_TOLERANCE || 0), issuer: provider.issuer };
    const { payload } = await jwtVerify(token, keys, options);
    return jwts.ended.has(payload.jti) ? undefined : payload.sub;
  } catch {
    return undefined;
  }
}

const protectedRoutes = ["GET /me", "POST /me", "GET /api/protected", "POST /api/protected"];
const grantTypes = ["authorization_code", "refresh_token", "device_code", "client_credentials"];
const counters = { logins: 0, refreshes: 0, refreshed: 0, protected: 0, unauthorized: 0, max_refreshes_in_flight: 0 };
const counted = {
  "POST /device/auth": "devices",
  "POST /request": "pushed",
  "POST /token/introspection": "introspections",
  "POST /token/revocation": "revocations",
};
for (const name of [...grantTypes, ...Object.values(counted)]) counters[name] = 0;
const log = [];
const { version } = JSON.parse(readFileSync(new URL("node_modules/oidc-provider/package.json", import.meta.url), "utf8"));
const versions = { "oidc-provider": version };
let inFlight = 0;
/** By their `jti`. The library forgets a JWT once it is issued. */
const jwts = { issued: new Set(), ended: new Set() };

const actions = {
  "GET /__counters": () => counters,
  "GET /__log": () => log,
  "GET /__tokens": () => ({ access: alive("AccessToken").length, refresh: alive("RefreshToken").length }),
  "GET /__versions": () => versions,
  "POST /__expire": expire,
  "POST /__lifetime": (query) => ({ seconds: (accessLifetime = Number(query.get("seconds"))) }),
  "POST /__revoke": () => ({ revoked: forget((payload, model) => payload.grantId || model === "Grant") }),
  "POST /__restore": () => ({ restored: 0 }),
};

async function watch(server, request, response) {
  const url = new URL(request.url, server.api);
  const route = `${request.method} ${url.pathname}`;
  if (actions[route]) return reply(response, 200, actions[route](url.searchParams));
  if (counted[route]) counters[counted[route]] += 1;
  if (protectedRoutes.includes(route)) {
    const entry = { method: request.method, path: url.pathname, n: url.searchParams.get("n"), status: null };
    counters.protected += 1;
    log.push(entry);
    answered(response, (status) => {
      entry.status = status;
      if ([401, 403, 422].includes(status)) counters.unauthorized += 1;
    });
  }
  if (url.pathname === "/api/protected") {
    return reply(response, ...(await protect(server, request, await peek(request))));
  }
  if (route === "POST /token") await count(request, response);
  return server.answer(request, response);
}

async function count(request, response) {
  const type = new URLSearchParams(await peek(request)).get("grant_type")?.split(":").at(-1);
  if (grantTypes.includes(type)) counters[type] += 1;
  if (type === "authorization_code") counters.logins += 1;
  if (type !== "refresh_token") return;
  counters.refreshes += 1;
  inFlight += 1;
  counters.max_refreshes_in_flight = Math.max(counters.max_refreshes_in_flight, inFlight);
  let isOver = false;
  const over = () => {
    if (!isOver) inFlight -= 1;
    isOver = true;
  };
  answered(response, (status) => {
    over();
    if (status >= 200 && status < 300) counters.refreshed += 1;
  });
  response.on("close", over);
  await new Promise((resolve) => setTimeout(resolve, refreshDelay));
}

/** The body, which is put back for whoever reads it next. */
async function peek(request) {
  const length = Number(request.headers["content-length"] ?? 0);
  const chunks = [];
  let got = 0;
  while (got < length) {
    const chunk = request.read();
    if (chunk === null) {
      await once(request, "readable");
      continue;
    }
    chunks.push(chunk);
    got += chunk.length;
  }
  const body = Buffer.concat(chunks);
  if (got) request.unshift(body);
  return body.toString();
}

// As the answer starts to leave, not when it has left: whoever has read it must find it counted.
function answered(response, then) {
  const { writeHead } = response;
  response.writeHead = function (...args) {
    response.writeHead = writeHead;
    then(typeof args[0] === "number" ? args[0] : response.statusCode);
    return writeHead.apply(this, args);
  };
}

function reply(response, status, body, challenge) {
  const text = JSON.stringify(body);
  const headers = {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    ...(challenge && { "WWW-Authenticate": challenge }),
  };
  response.writeHead(status, headers).end(text);
}

/** Forgets what matches, and says how many tokens and grants that were. */
function forget(matches) {
  const keys = Object.keys(state.kept);
  const meant = keys.filter((key) => matches(state.kept[key].payload, key.split(" ")[0]));
  for (const key of meant) delete state.kept[key];
  save();
  return meant.length;
}

function alive(model) {
  const own = Object.keys(state.kept).filter((key) => key.startsWith(`${model} `));
  const isGood = ({ payload, until }) => !payload.consumed && (until === null || until > Date.now());
  return own.map((key) => state.kept[key]).filter(isGood);
}

/** Ends the access tokens as time would, and nothing else. */
function expire() {
  const ended = alive("AccessToken");
  for (const kept of ended) {
    kept.payload.exp = Math.floor(Date.now() / 1000) - 1;
    kept.until = kept.payload.exp * 1000;
  }
  save();
  for (const jti of jwts.issued) jwts.ended.add(jti);
  return { expired: ended.length };
}

function newKey() {
  // By way of its text: a key that still belongs to the job that made it can lock Node up for good, when that job is
  // collected as garbage in the middle of the export.
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const key = createPrivateKey(privateKey).export({ format: "jwk" });
  return { ...key, alg: "RS256", kid: "tests", use: "sig" };
}

function save() {
  if (!stateFile) return;
  mkdirSync(STATE, { recursive: true });
  writeFileSync(`${stateFile}.new`, JSON.stringify(state));
  renameSync(`${stateFile}.new`, stateFile);
}

async function main() {
  // The issuer has the port in it, so the port comes first.
  const http = createServer();
  http.listen(Number(PORT || 0), "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address();
  const server = provide(`http://127.0.0.1:${PUBLIC_PORT || port}`);
  server.answer = server.provider.callback();
  http.on("request", (request, response) => {
    watch(server, request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
  console.log("ready", port);
}

const stop = () => process.exit(0);
process.on("SIGTERM", stop);
process.stdin.on("end", stop).on("close", stop).on("error", stop).resume();
main();
