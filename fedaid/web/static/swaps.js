// What htmx leaves to the page: saying that something is under way, leading the focus on after a swap, and opening
// the page that answered where it is another one. Without it, and without htmx, every form and link does the same.
(() => {
  const busy = document.getElementById("busy");
  const SLOW_MS = 1000;

  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    for (const name of (ctx.sourceElement.dataset?.without ?? "").split(" ")) ctx.request.body.delete(name);
  });

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    busy.textContent = "";
    ctx.region = ctx.target;
    ctx.region?.setAttribute?.("aria-busy", "true");
    ctx.slow = setTimeout(() => { busy.textContent = busy.dataset.wait; }, SLOW_MS);
    ctx.from = places(ctx.sourceElement);
  });

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    clearTimeout(ctx.slow);
    ctx.region?.removeAttribute?.("aria-busy");
    if (!ctx.lost) busy.textContent = "";
  });

  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (!ctx) return;
    ctx.lost = true;
    busy.textContent = busy.dataset.lost;
  });

  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail, { raw } = ctx.response;
    ctx.main = tasks.find((one) => one.type === "main");
    const isWhole = ctx.select === "#main";
    const isElsewhere = raw.redirected && new URL(raw.url).pathname !== location.pathname;
    const isOther = !ctx.main?.fragment.childElementCount;
    if (!isOther && !(isWhole && isElsewhere)) return;
    event.preventDefault();
    if (raw.redirected || ctx.request.method === "GET") location.assign(raw.url);
    else show(ctx.text);
  });

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.sourceElement?.id === "preview" || kept(document.activeElement)) return;
    const region = ctx.main?.target;
    focus(region?.querySelector(".wrong"), true)
      || focus(region?.matches("form") && region.querySelector("textarea"))
      || ctx.from.some((id) => focus(document.getElementById(id)))
      || focus(region?.querySelector("h1, h2, h3"));
  });

  // Whoever posts what they wrote is not kept a draft of it by a preview that comes late.
  const preview = document.getElementById("preview"), composer = document.getElementById("composer");
  let isPosted = false;
  composer?.addEventListener("submit", () => { isPosted = true; htmx.trigger(preview, "htmx:abort"); });
  window.addEventListener("pageshow", () => { isPosted = false; });
  preview?.addEventListener("htmx:config:request", (event) => { if (isPosted) event.preventDefault(); });

  // The page that answered instead of the one that was expected, such as our agreement, which asks first.
  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html"), main = page.querySelector("main");
    if (!main) return;
    document.querySelector("main").replaceWith(main);
    document.title = page.title;
    htmx.process(main);
    focus(main.querySelector("h1"), true);
  }

  // Where the focus may go when the button that was pressed is gone: its card, then the heading of its section.
  function places(pressed) {
    const card = pressed.closest?.(".card[id], li[id]"), section = pressed.closest?.("section[aria-labelledby]");
    return [card?.id, section?.getAttribute("aria-labelledby")].filter(Boolean);
  }

  function kept(active) { return active && active !== document.body && active.isConnected; }

  function focus(element, scrolls = false) {
    if (!element) return false;
    if (element.tabIndex < 0) element.tabIndex = -1;
    element.focus({ preventScroll: !scrolls });
    return document.activeElement === element;
  }
})();
