// NestJS with @nestjs/jwt. Framework, HTTP layer and tokens are the real ones; the handlers have
// the shape of the well-known "two tokens" tutorial. The decorators are applied by hand, so that
// nothing needs to be built.
//
//   POST /login   {username, password} -> 201 {userInfo, accessToken, refreshToken}; 400 when wrong
//   GET  /refresh?token=REFRESH -> {accessToken, refreshToken}; 401 when refused
//   GET  /aaa, GET /bbb   the raw token in Authorization, without a scheme; ?n= is noted in the log
//
// Users: alice / wonderland, bob / builder.
// Environment: PORT (0, the default: any free one), STATE (a directory; what is in it survives a
// restart), AT_TTL, RT_TTL (seconds), ROTATE=none|once (once: a refresh token is good for one
// refresh), REFRESH_DELAY (seconds that each refresh is held, so that callers meet in it).
//
// GET /__counters, GET /__log, POST /__revoke and POST /__restore are those of serve.py beside this
// folder. Revoking changes the signing secret: every token of everybody is refused, and signing in
// works again at once.
//
// Prints `ready PORT` once it is listening. Ends on SIGTERM, and when standard input does.

require("reflect-metadata");
const { randomBytes, randomUUID } = require("node:crypto");
const { existsSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const {
  BadRequestException, Body, Controller, Dependencies, Get, Injectable, Module, Post, Query,
  UnauthorizedException, UseGuards,
} = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { JwtModule, JwtService } = require("@nestjs/jwt");

const { PORT, STATE, AT_TTL, RT_TTL, ROTATE, REFRESH_DELAY } = process.env;
const accessLifetime = Number(AT_TTL || 5);
const refreshLifetime = Number(RT_TTL || 3600);
const refreshDelay = Number(REFRESH_DELAY || 0) * 1000;

const users = [
  { username: "alice", password: "wonderland", email: "alice@example.test" },
  { username: "bob", password: "builder", email: "bob@example.test" },
];

const stateFile = STATE && join(STATE, "nestjs.json");
const state = stateFile && existsSync(stateFile)
  ? JSON.parse(readFileSync(stateFile, "utf8"))
  : { secret: newSecret(), spent: [] };
save();

class LoginGuard {
  constructor(jwt) {
    this.jwt = jwt;
  }

  canActivate(context) {
    const request = context.switchToHttp().getRequest();
    const token = request.header("authorization");
    if (!token) throw new UnauthorizedException("用户未登录");
    request.user = verified(this.jwt, token, "access");
    return true;
  }
}
Dependencies(JwtService)(LoginGuard);
Injectable()(LoginGuard);

class AppController {
  constructor(jwt) {
    this.jwt = jwt;
  }

  login(body) {
    const user = users.find((user) => user.username === body?.username);
    if (!user) throw new BadRequestException("用户不存在");
    if (user.password !== body.password) throw new BadRequestException("密码错误");
    return { userInfo: { username: user.username, email: user.email }, ...this.tokens(user) };
  }

  refresh(token) {
    const { jti, username } = verified(this.jwt, token, "refresh");
    if (ROTATE === "once") {
      if (state.spent.includes(jti)) throw refused();
      state.spent.push(jti);
      save();
    }
    return this.tokens(users.find((user) => user.username === username));
  }

  aaa() {
    return "aaa";
  }

  bbb() {
    return "bbb";
  }

  tokens({ username, email }) {
    return {
      // No id in it: two of them signed in one second are the same token.
      accessToken: this.jwt.sign({ username, email, kind: "access" }, { expiresIn: accessLifetime }),
      refreshToken: this.jwt.sign({ username, kind: "refresh", jti: randomUUID() }, { expiresIn: refreshLifetime }),
    };
  }
}
Dependencies(JwtService)(AppController);
Controller()(AppController);
decorate("login", Post("login"));
Body()(AppController.prototype, "login", 0);
decorate("refresh", Get("refresh"));
Query("token")(AppController.prototype, "refresh", 0);
decorate("aaa", Get("aaa"), UseGuards(LoginGuard));
decorate("bbb", Get("bbb"), UseGuards(LoginGuard));

class AppModule {}
Module({
  imports: [JwtModule.register({ secretOrKeyProvider: () => state.secret })],
  controllers: [AppController],
  providers: [LoginGuard],
})(AppModule);

const kinds = {
  "POST /login": "logins",
  "GET /refresh": "refreshes",
  "GET /aaa": "protected",
  "GET /bbb": "protected",
};
const counters = { logins: 0, refreshes: 0, refreshed: 0, protected: 0, unauthorized: 0, max_refreshes_in_flight: 0 };
const log = [];
let inFlight = 0;

const actions = {
  "GET /__counters": () => counters,
  "GET /__log": () => log,
  "POST /__revoke": () => {
    state.secret = newSecret();
    save();
    return { revoked: users.length };
  },
  "POST /__restore": () => ({ restored: 0 }),
};

function watch(request, response, next) {
  const route = `${request.method} ${request.path}`;
  if (actions[route]) return response.json(actions[route]());
  const kind = kinds[route];
  if (!kind) return next();
  counters[kind] += 1;
  if (kind === "protected") {
    const entry = { method: request.method, path: request.path, n: request.query.n ?? null, status: null };
    log.push(entry);
    answered(response, (status) => {
      entry.status = status;
      if ([401, 403, 422].includes(status)) counters.unauthorized += 1;
    });
  }
  if (kind !== "refreshes") return next();
  inFlight += 1;
  counters.max_refreshes_in_flight = Math.max(counters.max_refreshes_in_flight, inFlight);
  answered(response, (status) => {
    inFlight -= 1;
    if (status >= 200 && status < 300) counters.refreshed += 1;
  });
  setTimeout(next, refreshDelay);
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

function verified(jwt, token, kind) {
  try {
    const claims = jwt.verify(token);
    if (claims.kind === kind) return claims;
  } catch {
    // Expired, forged and garbled are all one answer.
  }
  throw refused();
}

function refused() {
  return new UnauthorizedException("token 失效，请重新登录");
}

function decorate(name, ...decorators) {
  const { prototype } = AppController;
  for (const decorator of decorators) decorator(prototype, name, Object.getOwnPropertyDescriptor(prototype, name));
}

function newSecret() {
  return randomBytes(32).toString("hex");
}

function save() {
  if (!stateFile) return;
  mkdirSync(STATE, { recursive: true });
  writeFileSync(stateFile, JSON.stringify(state));
}

async function main() {
  const app = await NestFactory.create(AppModule, { logger: ["error", "warn"] });
  app.use(watch);
  await app.listen(Number(PORT || 0), "127.0.0.1");
  console.log("ready", app.getHttpServer().address().port);
}

const stop = () => process.exit(0);
process.on("SIGTERM", stop);
process.stdin.on("end", stop).on("close", stop).on("error", stop).resume();
main();
