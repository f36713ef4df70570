// What the forms do beyond HTML: take the token out of the address, show a password, send once.
"use strict";
(() => {
  const form = document.querySelector("form");
  if (!form) {
    // Another link that is opened in this tab changes the fragment alone: it gets its form.
    addEventListener("hashchange", () => {
      const link = location.href;
      history.replaceState(null, "", location.pathname + "?");
      location.replace(link);
    });
    return;
  }
  const act = form.querySelector("button.act");
  const token = form.querySelector("input[type=hidden][name=token]");
  const byHand = document.getElementById("by-hand");

  // The secret moves into the form, and out of the address bar and the history.
  const takeToken = () => {
    const found = /^#token=([A-Za-z0-9_-]{1,128})$/.exec(location.hash);
    if (location.hash) history.replaceState(null, "", location.pathname);
    if (found) token.value = found[1];
    if (!byHand) return;
    const known = token.value !== "";
    token.disabled = !known;
    byHand.disabled = byHand.hidden = known;
    if (!known) return;
    // After the browser has found that what it would focus by itself is not there any more.
    const first = form.querySelector(":scope > .field input") || act;
    requestAnimationFrame(() => first.focus());
  };
  takeToken();
  addEventListener("hashchange", takeToken);

  const show = (toggle, input, shown) => {
    input.type = shown ? "text" : "password";
    toggle.textContent = shown ? "Hide" : "Show";
    toggle.setAttribute("aria-label", shown ? "Hide the password" : "Show the password");
  };
  const toggles = [...form.querySelectorAll("button[data-shows]")].map((toggle) => {
    const input = document.getElementById(toggle.dataset.shows);
    toggle.hidden = false;
    toggle.addEventListener("click", () => show(toggle, input, input.type === "password"));
    return () => show(toggle, input, false);
  });

  // A second click would be told that the link is used up.
  let sent = false;
  const rest = (busy) => {
    sent = busy;
    act.setAttribute("aria-disabled", String(busy));
  };
  form.addEventListener("submit", (event) => {
    if (sent) return event.preventDefault();
    toggles.forEach((hide) => hide());
    rest(true);
    setTimeout(rest, 15000, false);
  });
  addEventListener("pageshow", () => rest(false));
})();
