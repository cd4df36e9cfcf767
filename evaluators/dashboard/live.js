// Keeps the report fresh: every five seconds the page is fetched again and its parts are exchanged in place, so the
// reader's scroll position, focus and opened details stay. Nothing else happens in the browser.
"use strict";
const EVERY = 5000;
async function renew() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
      if (answer.ok) exchange(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The server is away: what is shown stays, the next round tries again.
    }
  }
  setTimeout(renew, EVERY);
}
function exchange(fresh) {
  const open = [...document.querySelectorAll("details")].map((found) => found.open);
  fresh.querySelectorAll("details").forEach((found, at) => {
    if (at < open.length) found.open = open[at];
  });
  document.title = fresh.title;
  for (const part of [".top", "main"]) {
    const [old, now] = [document.querySelector(part), fresh.querySelector(part)];
    if (old && now && old.innerHTML !== now.innerHTML) old.replaceWith(document.adoptNode(now));
  }
}
setTimeout(renew, EVERY);
