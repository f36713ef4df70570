// A front end that was written for djangorestframework-simplejwt and djoser. It knows nothing of
// Gateward. The class is the flow that the package documents; `tour` runs through all of it:
//
//     node front-end.mjs [URL]

import { pathToFileURL } from "node:url";

const PASSWORD = "seven lamps by the river";

/** An error of Django REST framework. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body.detail ?? JSON.stringify(body));
    this.status = status;
    this.code = body.code;
  }
}

/** A visitor of the site. `storage` keeps the tokens: in a browser, `localStorage`. */
export class FrontEnd {
  refreshes = 0;

  constructor(url, storage = new Map()) {
    this.url = url;
    this.storage = storage;
  }

  async signUp(username, email, password) {
    return this.post("/auth/users/", { username, email, password });
  }

  async logIn(username, password) {
    const { access, refresh } = await this.post("/api/token/", { username, password });
    this.storage.set("access", access);
    this.storage.set("refresh", refresh);
  }

  /** The user, as djoser describes them. */
  async me() {
    return this.authorized("/auth/users/me/");
  }

  /** Blacklists the refresh token. */
  async logOut() {
    const refresh = this.storage.get("refresh");
    this.storage.delete("access");
    this.storage.delete("refresh");
    await this.post("/api/token/blacklist/", { refresh });
  }

  /** Sends the access token. When it is not valid any more, refreshes and tries once more. */
  async authorized(path, init = {}) {
    const used = this.storage.get("access");
    try {
      return await this.send(path, this.withToken(init));
    } catch (error) {
      if (error.status !== 401 || error.code !== "token_not_valid") throw error;
      // Another request may have refreshed in the meantime.
      if (this.storage.get("access") === used) await this.refresh();
      return this.send(path, this.withToken(init));
    }
  }

  /** Requests that run at once share one refresh: a refresh token works once. */
  refresh() {
    this.refreshing ??= this.refreshNow().finally(() => { this.refreshing = undefined; });
    return this.refreshing;
  }

  async refreshNow() {
    const refresh = this.storage.get("refresh");
    const next = await this.post("/api/token/refresh/", { refresh });
    this.storage.set("access", next.access);
    // With ROTATE_REFRESH_TOKENS, the response has the next refresh token.
    if (next.refresh) this.storage.set("refresh", next.refresh);
    this.refreshes += 1;
  }

  withToken(init) {
    const headers = { ...init.headers, Authorization: `Bearer ${this.storage.get("access")}` };
    return { ...init, headers };
  }

  async post(path, body) {
    const headers = { "Content-Type": "application/json" };
    return this.send(path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  async send(path, init) {
    const response = await fetch(this.url + path, init);
    const body = await response.json();
    if (!response.ok) throw new ApiError(response.status, body);
    return body;
  }
}

/** The error of an action, in a line. */
async function refusal(action) {
  try {
    await action();
    return "accepted";
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.message}`;
    throw error;
  }
}

/** Waits until the access token has expired. */
async function expiry(frontEnd) {
  const claims = frontEnd.storage.get("access").split(".")[1];
  const { exp } = JSON.parse(Buffer.from(claims, "base64url"));
  const wait = exp * 1000 - Date.now() + 1000;
  if (wait > 60_000) throw new Error("start Gateward with GATEWARD__TOKENS__ACCESS_TTL_SECONDS=2");
  await new Promise((resolve) => { setTimeout(resolve, wait); });
}

async function tour(url) {
  const frontEnd = new FrontEnd(url);
  const name = `visitor-${Date.now().toString(36)}`;
  await frontEnd.signUp(name, `${name}@example.org`, PASSWORD);
  console.log(`taken: ${await refusal(() => frontEnd.signUp(name, "x@example.org", PASSWORD))}`);
  console.log(`bad login: ${await refusal(() => frontEnd.logIn(name, "not the password"))}`);
  await frontEnd.logIn(name, PASSWORD);
  console.log(`logged in: ${(await frontEnd.me()).username === name}`);

  const first = frontEnd.storage.get("refresh");
  await expiry(frontEnd);
  console.log(`after the access token has expired: ${(await frontEnd.me()).username === name}`);
  await expiry(frontEnd);
  const both = await Promise.all([frontEnd.me(), frontEnd.me()]);
  console.log(`again, two requests at once: ${both.every((user) => user.username === name)}`);
  console.log(`refreshes: ${frontEnd.refreshes}`);
  console.log(`the refresh token has changed: ${frontEnd.storage.get("refresh") !== first}`);
  const rubbish = () => frontEnd.post("/api/token/refresh/", { refresh: "rubbish" });
  console.log(`not a token: ${await refusal(rubbish)}`);

  const [access, refresh] = ["access", "refresh"].map((token) => frontEnd.storage.get(token));
  await frontEnd.logOut();
  // Another tab may still have the tokens of the session.
  const tab = new FrontEnd(url, new Map([["access", access], ["refresh", refresh]]));
  console.log(`a refresh after the logout: ${await refusal(() => tab.refresh())}`);
  console.log(`a request after the logout: ${await refusal(() => tab.me())}`);
  console.log("done");
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await tour(process.argv[2] ?? "http://127.0.0.1:8080");
}
