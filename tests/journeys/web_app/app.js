// A web app, as far as an archive notices: signs in as DANDI's own does (dandi-web 3), in its spelling and its order.

const settings = JSON.parse(localStorage.getItem("settings"));
const redirectUri = `${location.origin}/`;
const tokenKey = `oauth-token-${settings?.clientId}`;

function random(length) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => alphabet[byte % alphabet.length]).join("");
}

async function challengeOf(verifier) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const text = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function logIn() {
  const [state, verifier] = [random(10), random(64)];
  localStorage.setItem("pending", JSON.stringify({ state, verifier }));
  const query = new URLSearchParams({
    redirect_uri: redirectUri,
    client_id: settings.clientId,
    response_type: "code",
    state,
    response_mode: "query",
    code_challenge: await challengeOf(verifier),
    code_challenge_method: "S256",
  });
  location.href = `${settings.oauthRoot}authorize/?${query}`;
}

async function fetchToken(fields) {
  const body = new URLSearchParams({ ...fields, client_id: settings.clientId, redirect_uri: redirectUri });
  const response = await fetch(`${settings.oauthRoot}token/`, { method: "POST", body, credentials: "omit" });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const token = { ...(await response.json()), issued_at: Math.floor(Date.now() / 1000) };
  localStorage.setItem(tokenKey, JSON.stringify(token));
  return token;
}

async function restoreToken() {
  const query = new URLSearchParams(location.search);
  const pending = JSON.parse(localStorage.getItem("pending"));
  if (query.has("code") && query.get("state") === pending?.state) {
    localStorage.removeItem("pending");
    history.replaceState(null, "", redirectUri);
    return fetchToken({ grant_type: "authorization_code", code: query.get("code"), code_verifier: pending.verifier });
  }
  const token = JSON.parse(localStorage.getItem(tokenKey));
  if (token && token.issued_at + token.expires_in < Date.now() / 1000) {
    return fetchToken({ grant_type: "refresh_token", refresh_token: token.refresh_token });
  }
  return token;
}

async function revoke(token) {
  const body = new URLSearchParams({
    token: token.access_token,
    token_type_hint: "access_token",
    client_id: settings.clientId,
  });
  const response = await fetch(`${settings.oauthRoot}revoke_token/`, { method: "POST", body, credentials: "omit" });
  localStorage.clear();
  return { status: response.status, text: await response.text() };
}

// What a screen of the app does: a request without cookies, whose status and body it wants to see whatever they are.
async function call(method, path, body, isAnonymous) {
  const token = JSON.parse(localStorage.getItem(tokenKey));
  const headers = { Accept: "application/json, text/plain, */*" };
  if (token && !isAnonymous) headers.Authorization = `${token.token_type} ${token.access_token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const options = { method, headers, credentials: "omit" };
  if (body !== undefined) options.body = JSON.stringify(body);
  const response = await fetch(settings.apiRoot + path, options);
  const text = await response.text();
  const isJson = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
  return { status: response.status, text, data: isJson && text ? JSON.parse(text) : null };
}

async function logOut() {
  const answer = await revoke(JSON.parse(localStorage.getItem(tokenKey)));
  show(`signed out ${answer.status} ${answer.text}`);
}

function show(text) {
  document.querySelector("#user").textContent = text;
}

async function start() {
  if (!settings) return show("no settings");
  try {
    const token = await restoreToken();
    if (!token) return show("nobody");
    const me = await call("GET", "users/me/");
    if (me.status === 401) {
      await revoke(token);
      return show("nobody");
    }
    show(`${me.data.username} ${me.data.status}`);
  } catch (error) {
    show(`Connection to server failed. ${error}`);
  }
}

document.querySelector("#log-in").addEventListener("click", logIn);
document.querySelector("#log-out").addEventListener("click", logOut);
start();
