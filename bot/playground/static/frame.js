/* Runs before simcord's page inside one channel: live updates, failures in Discord's words. */
(() => {
  const realFetch = window.fetch.bind(window);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const locale = navigator.language.startsWith("en") ? navigator.language : "en-US";
  const LOOK_MS = 110; // between looks for something new
  const HOLD_MS = 2500; // then the page is fetched again in any case
  let known = null; // the revision this page shows
  let commands = []; // that the viewer can use on a message

  const tell = (message) => window.parent.postMessage({ from: "quizformer", ...message }, window.location.origin);
  const pause = (ms, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
  });

  // ------------------------------------------------------------------ requests
  async function localised(response) {
    if (!response.ok) return response;
    const snapshot = await response.json();
    known = snapshot.publishedRevision ?? null;
    commands = snapshot.messageCommands ?? [];
    if (snapshot.profile) Object.assign(snapshot.profile, { timezone: zone, locale });
    return new Response(JSON.stringify(snapshot), { status: response.status, headers: { "Content-Type": "application/json" } });
  }
  async function nextState(path, init) {
    const until = performance.now() + HOLD_MS;
    for (;;) {
      if (performance.now() > until) known = null;
      const response = await realFetch(known === null ? path : `${path}?since=${known}`, init);
      if (response.status === 401 || response.status === 410) tell({ kind: "lost" });
      if (response.status !== 204) return localised(response);
      await pause(LOOK_MS, init?.signal);
    }
  }
  const ANSWERED = ["run_command", "click", "select", "modal_submit"];
  async function action(path, init) {
    const raw = typeof init.body === "string" ? init.body : init.body.get("payload");
    const { kind } = JSON.parse(raw);
    if (kind === "run_command" || kind === "send_message") follow = true;
    if (ANSWERED.includes(kind)) fail(null);
    const response = await realFetch(path, init);
    known = null;
    if (response.ok && ANSWERED.includes(kind)) {
      const receipt = await response.clone().json();
      if (!receipt.rejected && !["acknowledged", "deferred"].includes(receipt.acknowledgement)) fail("The application did not respond");
      else if (receipt.rejected && kind !== "run_command") fail("This interaction failed");
    }
    return response;
  }
  window.fetch = (input, init) => {
    const path = typeof input === "string" ? input : input.url;
    if (path === "/api/state") return nextState(path, init);
    if (path === "/api/pages") return realFetch(path, init).then(localised);
    if (path === "/api/action") return action(path, init);
    return realFetch(input, init);
  };

  // ------------------------------------------------------- failures, as Discord says them
  function fail(text) {
    document.getElementById("no-answer")?.remove();
    if (!text) return;
    const note = document.createElement("p");
    note.id = "no-answer";
    note.setAttribute("role", "alert");
    note.textContent = text;
    const dialog = document.querySelector("#modal-root .modal-body");
    (dialog || document.getElementById("channel-timeline")).append(note);
    if (!dialog) toNewest();
  }

  // ------------------------------------------- the newest message stays in sight while one is at the bottom
  let follow = true;
  let timeline = null;
  const gap = () => timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight;
  function toNewest() { if (timeline && follow) timeline.scrollTop = timeline.scrollHeight; }
  function watchTimeline() {
    timeline = document.getElementById("channel-timeline");
    timeline.prepend(document.getElementById("history-older")); // at the end of what is loaded, not over it
    timeline.append(document.getElementById("history-newer"));
    // Only a person's own scrolling ends the following. The page scrolls too: a message that is drawn anew is shorter
    // for a moment, and the browser moves up.
    let touched = -Infinity;
    let dragging = false;
    const touch = () => { touched = performance.now(); };
    for (const event of ["wheel", "touchmove", "keydown"]) timeline.addEventListener(event, touch, { passive: true });
    timeline.addEventListener("pointerdown", (event) => { dragging = event.target === timeline && event.offsetX >= timeline.clientWidth; });
    window.addEventListener("pointerup", () => { dragging = false; });
    timeline.addEventListener("scroll", () => {
      if (dragging || performance.now() - touched < 500) follow = gap() < 48;
      else toNewest();
    }, { passive: true });
    new ResizeObserver(toNewest).observe(document.getElementById("channel-message-list"));
    new ResizeObserver(toNewest).observe(timeline);
    new MutationObserver(toNewest)
      .observe(document.getElementById("channel-message-list"), { childList: true, subtree: true });
    document.getElementById("new-messages").addEventListener("click", () => { follow = true; });
  }

  // ------------------------------------------------------------------- the shell
  const world = () => window.parent.quizformerWorld?.() ?? { channels: [], members: [] };
  window.quizformerEntity = (type, text) => {
    const { channels, members } = world();
    const name = text.replace(/^[#@]/, "").toLowerCase();
    const list = type === "channel" ? channels : type === "user" || type === "mentionable" ? members : [];
    const found = list.find((item) => item.name.toLowerCase() === name);
    return found ? { id: found.id, value: found.id, name: found.name, kind: type } : null;
  };
  window.quizformerCompose = (text) => {
    const input = document.getElementById("channel-composer-input");
    if (!input?.isConnected) return false;
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    document.querySelector(".command-chip, #channel-composer-input")?.focus();
    return true;
  };
  const PLACE = /^https:\/\/(?:\w+\.)?discord(?:app)?\.com\/channels\/[^/]+\/(\d+)(\/\d+)?/;
  /** "#quiz › message" for the bare address of a message, as Discord shows it. */
  window.quizformerPlace = (text) => {
    const [whole, id, message] = PLACE.exec(text) ?? [];
    const channel = whole === text && world().channels.find((item) => item.id === id);
    return channel ? `#${channel.name}${message ? " › message" : ""}` : null;
  };
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    const place = link && PLACE.exec(link.href);
    const thread = event.target instanceof Element ? event.target.closest(".thread-summary") : null;
    const owner = thread?.closest("[data-message-id]");
    const mention = event.target instanceof Element ? event.target.closest(".mention")?.textContent : null;
    const named = mention?.startsWith("#") && window.quizformerEntity("channel", mention);
    if (named) tell({ kind: "open", channel: named.id });
    else if (place) { event.preventDefault(); tell({ kind: "open", channel: place[1] }); }
    else if (owner instanceof HTMLElement) tell({ kind: "open", channel: owner.dataset.messageId }); // a thread has its message's id
  }, true);

  // ------------------------------------------------- commands on a message, which Discord has in its menu under "Apps"
  function openMenu(run, x, y) {
    const menu = document.createElement("div");
    menu.className = "message-menu";
    menu.setAttribute("role", "menu");
    menu.append(Object.assign(document.createElement("p"), { textContent: "Apps" }));
    for (const name of commands) {
      const entry = Object.assign(document.createElement("button"), { type: "button", textContent: name });
      entry.setAttribute("role", "menuitem");
      entry.addEventListener("click", () => run(name));
      menu.append(entry);
    }
    document.body.append(menu);
    menu.style.left = `${Math.max(8, Math.min(x, innerWidth - menu.offsetWidth - 8))}px`;
    menu.style.top = `${Math.max(8, Math.min(y, innerHeight - menu.offsetHeight - 8))}px`;
    menu.querySelector("button").focus();
    const close = (event) => {
      if (event.type === "keydown" && event.key !== "Escape") return;
      menu.remove();
      for (const kind of ["click", "keydown", "resize", "wheel"]) removeEventListener(kind, close);
    };
    setTimeout(() => { for (const kind of ["click", "keydown", "resize", "wheel"]) addEventListener(kind, close); });
  }
  window.quizformerMenu = (toolbar, message, click) => {
    if (!commands.length || message.ephemeral || message.system) return;
    const run = (name) => click(`message:${message.id}:component:command:${name}`);
    const more = Object.assign(document.createElement("button"), { type: "button", textContent: "⋯", className: "message-action-button message-more" });
    more.setAttribute("aria-label", "Message menu");
    more.setAttribute("aria-haspopup", "menu");
    more.addEventListener("click", () => { const at = more.getBoundingClientRect(); openMenu(run, at.left, at.bottom + 4); });
    toolbar.append(more);
  };

  function watchDialogs() { // the first field has the focus, not the button that closes
    let open = null;
    new MutationObserver(() => {
      const title = document.querySelector("#modal-root .modal-title")?.textContent ?? null;
      const fresh = title !== null && open === null;
      open = title;
      if (fresh) setTimeout(() => document.querySelector("#modal-root .modal-fields :is(input, textarea, button)")?.focus(), 60);
    }).observe(document.getElementById("modal-root"), { childList: true, subtree: true });
  }

  document.addEventListener("contextmenu", (event) => { // a right click, or a long press
    const more = event.target instanceof Element ? event.target.closest(".channel-message")?.querySelector(".message-more") : null;
    if (!more) return;
    event.preventDefault();
    more.click();
  });
  document.addEventListener("DOMContentLoaded", () => {
    watchTimeline();
    watchDialogs();
    const app = document.getElementById("preview-app");
    let told = false;
    const ready = () => {
      if (told || app.getAttribute("aria-busy") !== "false" || !window.simcordPreview?.authorized) return;
      told = true;
      toNewest();
      tell({ kind: "ready" });
    };
    new MutationObserver(ready).observe(app, { attributes: true, attributeFilter: ["aria-busy"] });
    // "Outcome uncertain" cannot be left from inside simcord's page: open the channel anew.
    setInterval(() => { if (window.simcordPreview?.transport.state === "uncertain") tell({ kind: "lost" }); }, 1500);
  });
})();
