/* The client around a channel: channel list, who you are, and the frame that shows the channel. */
(() => {
  const wanted = new URLSearchParams(location.search);
  const $ = (id) => document.getElementById(id);
  const LOOK_MS = 700;
  const seen = new Map(); // channel id -> newest message that was on screen
  let run = null;
  let member = wanted.get("as") || sessionStorage.getItem("member") || "";
  let channel = "";
  let frame = null; // the channel on screen
  let coming = null; // the one that is loading behind it
  let latest = null;
  let drawn = "";
  let misses = 0;

  document.body.classList.toggle("pane", wanted.has("pane"));
  if (wanted.has("pane")) $("pair").hidden = true;

  function show(id, again = false) {
    if (!again && id === channel && (frame || coming)) return;
    channel = id;
    coming?.remove();
    const next = document.createElement("iframe");
    next.title = "Channel";
    next.src = `/open/${id}/${member}`;
    coming = next;
    $("view").append(next);
    setTimeout(() => swap(next), 6000); // show whatever there is
    draw();
  }
  function swap(next) {
    if (coming !== next) return;
    coming = null;
    frame?.remove();
    frame = next;
    next.classList.add("shown");
    next.contentWindow.quizformerPeople?.(latest);
  }
  function become(key) {
    member = key;
    if (!wanted.has("as")) sessionStorage.setItem("member", key);
    $("face").src = `/avatar/${key}.png`;
    const mine = latest?.channels.find((item) => item.kind === "dm");
    const now = latest?.channels.find((item) => item.id === channel);
    const dm = now?.kind === "dm";
    void look().then(() => {
      const here = latest.channels.find((item) => item.id === channel);
      const other = latest.channels.find((item) => item.kind === "dm");
      show(here ? channel : dm && mine && other ? other.id : latest.channels[0].id, true);
    });
  }

  // -------------------------------------------------------------- the list
  const GLYPHS = { text: "#", thread: "↳", dm: "@" };
  function draw() {
    if (!latest) return;
    const rows = [];
    let group = "";
    for (const item of latest.channels) {
      const next = item.kind === "dm" ? "Direct messages" : "Text channels";
      if (next !== group) rows.push({ heading: (group = next) });
      const unseen = seen.has(item.id) && BigInt(item.last) > BigInt(seen.get(item.id));
      if (item.id === channel || !seen.has(item.id)) seen.set(item.id, item.last);
      rows.push({ ...item, last: null, chosen: item.id === channel, unseen: unseen && item.id !== channel });
    }
    const next = JSON.stringify(rows);
    if (next === drawn) return;
    drawn = next;
    $("channels").replaceChildren(...rows.map((row) => {
      const entry = document.createElement("li");
      if (row.heading) { entry.className = "heading"; entry.textContent = row.heading; return entry; }
      const button = document.createElement("button");
      const glyph = document.createElement("i");
      glyph.textContent = GLYPHS[row.kind];
      const name = document.createElement("span");
      name.textContent = row.name;
      button.append(glyph, name);
      button.type = "button";
      button.setAttribute("aria-label", `${row.kind === "dm" ? "Direct messages with" : row.kind} ${row.name}`);
      if (row.chosen) button.setAttribute("aria-current", "page");
      button.addEventListener("click", () => show(row.id));
      entry.className = [row.kind, row.chosen ? "chosen" : "", row.unseen ? "new" : ""].join(" ");
      entry.append(button);
      return entry;
    }));
    document.title = `${rows.find((row) => row.chosen)?.name ?? ""} - Quizformer playground`;
  }

  // ------------------------------------------------------------- the server
  async function look() {
    let next;
    try {
      const response = await fetch(`/playground.json?member=${encodeURIComponent(member)}`, { cache: "no-store" });
      if (!response.ok) throw new Error(String(response.status));
      next = await response.json();
    } catch {
      misses += 1;
      $("gone").hidden = misses < 2;
      return;
    }
    misses = 0;
    $("gone").hidden = true;
    if (run && run !== next.run) { location.reload(); return; }
    const first = !run;
    run = next.run;
    latest = next;
    if (first) {
      member = next.members.some((item) => item.key === member) ? member : next.members[0].key;
      $("server").textContent = next.server;
      $("face").src = `/avatar/${member}.png`;
      $("member").replaceChildren(...next.members.map((item) => new Option(item.name, item.key, false, item.key === member)));
      const start = next.channels.find((item) => item.id === wanted.get("channel")) || next.channels[0];
      show(start.id);
    }
    if (channel && !next.channels.some((item) => item.id === channel) && next.member === member) show(next.channels[0].id);
    frame?.contentWindow.quizformerPeople?.(next);
    draw();
  }

  $("member").addEventListener("change", (event) => become(event.target.value));
  $("try").addEventListener("click", () => frame?.contentWindow.quizformerCompose?.($("try").dataset.line));
  window.addEventListener("message", (event) => {
    if (event.origin !== location.origin || event.data?.from !== "quizformer") return;
    const next = [coming, frame].find((item) => item?.contentWindow === event.source);
    if (!next) return;
    if (event.data.kind === "ready") swap(next);
    else if (event.data.kind === "open" && latest.channels.some((item) => item.id === event.data.channel)) show(event.data.channel);
    else if (event.data.kind === "lost" && misses === 0 && !coming) show(channel, true);
  });
  const again = () => { void look().finally(() => setTimeout(again, LOOK_MS)); };
  again();
})();
