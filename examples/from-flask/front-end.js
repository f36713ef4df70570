// A front end that was written for Flask-JWT-Extended with tokens in cookies. It knows nothing of
// Gateward. Its scripts cannot read the tokens; they read the CSRF values, as the documentation
// of the package shows.

const api = document.body.dataset.api;
const element = (id) => document.querySelector(`#${id}`);
let refreshes = 0;
let refreshing;

function getCookie(name) {
  const value = `; ${document.cookie}`;
  const parts = value.split(`; ${name}=`);
  return parts.length === 2 ? parts.pop().split(";").shift() : "";
}

/** Sends a request with the cookies, and with this CSRF value if there is one. */
async function send(method, path, csrf, body) {
  const headers = {};
  if (csrf) headers["X-CSRF-TOKEN"] = csrf;
  if (body) headers["Content-Type"] = "application/json";
  // "include" is for a page with another port. On the same origin, it is "same-origin".
  const init = { method, headers, credentials: "include", body: body && JSON.stringify(body) };
  const response = await fetch(api + path, init);
  return { status: response.status, ...await response.json() };
}

/** Sends a request with the access token. When that has expired, refreshes and tries once more. */
async function authorized(method, path) {
  const request = () => send(method, path, method !== "GET" && getCookie("csrf_access_token"));
  const before = refreshes;
  const response = await request();
  if (response.status !== 401 || response.msg !== "Token has expired") return response;
  // Another request may have refreshed in the meantime.
  if (refreshes !== before) return request();
  const refreshed = await refresh();
  return refreshed.status === 200 ? request() : refreshed;
}

/** Requests that run at once share one refresh: a refresh token works once. */
function refresh() {
  refreshing ??= refreshNow().finally(() => { refreshing = undefined; });
  return refreshing;
}

async function refreshNow() {
  const response = await send("POST", "/refresh", getCookie("csrf_refresh_token"));
  if (response.status === 200) refreshes += 1;
  return response;
}

const logIn = (username, password) => send("POST", "/login", "", { username, password });
const logOut = () => authorized("POST", "/logout");
const loadProtected = () => authorized("GET", "/protected");

// The page.

const text = ({ status, msg, message }) => `${status} ${msg ?? message}`;

async function show(response) {
  element("result").textContent = "…";
  element("result").textContent = await response.then(text, String);
}

element("login").addEventListener("submit", (event) => {
  event.preventDefault();
  show(logIn(element("username").value, element("password").value));
});
element("protected").addEventListener("click", () => show(loadProtected()));
element("logout").addEventListener("click", () => show(logOut()));
element("tour").addEventListener("click", () => {
  element("steps").replaceChildren();
  show(tour(element("username").value, element("password").value));
});

// The button that runs through everything: two refreshes, a logout and the errors.

function step(name, outcome) {
  const item = document.createElement("li");
  item.textContent = `${name}: ${typeof outcome === "string" ? outcome : text(outcome)}`;
  element("steps").append(item);
}

/** Waits until the access token has expired. The page cannot read it, so it asks. */
async function expiry() {
  for (let tries = 0; tries < 100; tries += 1) {
    const response = await send("GET", "/protected");
    if (response.msg === "Token has expired") return;
    await new Promise((resolve) => { setTimeout(resolve, 300); });
  }
  throw new Error("start Gateward with GATEWARD__TOKENS__ACCESS_TTL_SECONDS=2");
}

async function tour(username, password) {
  step("bad login", await logIn(username, "not the password"));
  step("login", await logIn(username, password));
  step("protected", await loadProtected());
  const readable = document.cookie.split("; ").map((pair) => pair.split("=")[0]).sort();
  step("cookies that scripts can read", readable.join(" "));

  step("refresh without a CSRF value", await send("POST", "/refresh"));
  step("refresh with another CSRF value", await send("POST", "/refresh", "another"));
  const before = refreshes;
  await expiry();
  step("after the access token has expired", await loadProtected());
  await expiry();
  const [one, other] = await Promise.all([loadProtected(), loadProtected()]);
  step("again, two requests at once", `${text(one)} ${text(other)}`);
  step("refreshes", String(refreshes - before));

  step("logout without a CSRF value", await send("POST", "/logout"));
  step("logout", await logOut());
  step("protected after the logout", await loadProtected());
  step("refresh after the logout", await refresh());
  step("cookies that scripts can read", document.cookie || "none");
  return { status: "done:", msg: "all steps ran" };
}
