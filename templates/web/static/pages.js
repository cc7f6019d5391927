/* The pages' one script. Everything works without it; it copies, and keeps what is shown up to date. */
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  const from = button && document.getElementById(button.dataset.copy);
  if (!from) return;
  const said = (words) => {
    const before = button.textContent;
    button.textContent = words;
    setTimeout(() => { button.textContent = before; }, 2000);
  };
  const select = () => {  // over plain HTTP a browser lets no page write to the clipboard
    getSelection().selectAllChildren(from);
    said("Selected");
  };
  if (!navigator.clipboard) return select();
  navigator.clipboard.writeText(from.textContent).then(() => said(button.dataset.done || "Copied"), select);
});

/* What is folded away on a phone only. */
if (window.matchMedia("(min-width: 52rem)").matches) document.querySelectorAll("details[data-wide]").forEach((part) => { part.open = true; });

/* A page with a part that lives asks for it again while somebody looks; the answer is mostly that nothing changed. */
(() => {
  const EVERY_MS = 15000, PATIENCE_MS = 10000;
  const part = document.getElementById("live");
  const stale = document.getElementById("stale"), asOf = document.getElementById("as-of");
  if (!part || !stale || !asOf || !window.fetch || !window.DOMParser) return;
  let tag = part.dataset.live, last = new Date(), isAsking = false;

  const say = (words) => {
    if (stale.textContent !== words) stale.textContent = words;
    document.body.classList.toggle("is-stale", words !== "");
  };
  const clock = (at) => at.toLocaleTimeString();

  const show = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const next = fresh.getElementById("live");
    if (!next) return;
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const href = focused && focused.getAttribute("href");
    part.replaceChildren(...next.childNodes);
    document.title = fresh.title;
    tag = next.dataset.live;
    if (href) [...part.querySelectorAll("a")].find((link) => link.getAttribute("href") === href)?.focus({ preventScroll: true });
  };

  const ask = async () => {
    if (isAsking || document.hidden) return;
    isAsking = true;
    try {
      const answer = await fetch(location.href, {
        headers: { Accept: "text/html", "If-None-Match": `"${tag}"` }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.status === 200) show(await answer.text());
      if (answer.status === 200 || answer.status === 304) {
        last = new Date();
        asOf.textContent = `As of ${clock(last)}.`;
        say("");
      } else if (answer.status === 401 || answer.status === 403) {
        say(`You are logged out: this is how it was at ${clock(last)}. Load the page again to log in.`);
      } else {
        say(`The receiver answers ${answer.status}: this is how it was at ${clock(last)}.`);
      }
    } catch {
      say(`The receiver cannot be reached: this is how it was at ${clock(last)}.`);
    } finally {
      isAsking = false;
    }
  };

  setInterval(ask, EVERY_MS);
  document.addEventListener("visibilitychange", ask);
})();
