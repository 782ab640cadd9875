// Keeps the count of new notices in the bar, and the open page of notices, up to date. Without it the next page does.
(() => {
  const place = document.querySelector("[data-unread]");
  if (!place || !window.EventSource) return;
  const badge = place.querySelector("b"), number = place.querySelector("[data-number]"), spoken = place.querySelector("[role=status]");
  let shown = Number(place.dataset.unread), source = null;

  async function renew() {
    const there = document.querySelector("[data-notices]");
    if (!there || location.search || there.contains(document.activeElement)) return;
    const answer = await fetch("/notices");
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-notices]");
    if (fresh) there.replaceWith(fresh);
  }

  function show(unread) {
    if (unread === shown) return;
    if (unread > shown) spoken.textContent = `${place.dataset.words} ${unread}`;
    shown = unread;
    badge.hidden = unread === 0;
    number.textContent = unread < 100 ? unread : "99+";
    renew().catch(() => {});
  }

  function listen() {
    if (document.hidden) { source?.close(); source = null; return; } // a browser opens only a few such lines at once
    if (source) return;
    source = new EventSource("/notices/live");
    source.addEventListener("unread", (event) => show(Number(event.data)));
  }

  document.addEventListener("visibilitychange", listen);
  window.addEventListener("pagehide", () => { source?.close(); source = null; });
  window.addEventListener("pageshow", listen);
  listen();
})();
