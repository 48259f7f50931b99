/* The client around a channel: channel list, who you are, and the frame that shows the channel. */
(() => {
  const $ = (id) => document.getElementById(id);
  const LOOK_MS = 700;
  const seen = new Map(); // channel id -> newest message that was on screen
  let run = null;
  let member = sessionStorage.getItem("member") || "";
  let channel = "";
  let kind = "text";
  let shownAs = ""; // the member whose channel is on screen
  let left = ""; // the channel on screen before: what came while it was there has been seen
  let frame = null; // the channel on screen
  let coming = null; // the one that is loading behind it
  let latest = null;
  let drawn = "";
  let misses = 0;

  window.quizformerWorld = () => latest;
  function show(id, again = false) {
    if (!again && id === channel && (frame || coming)) return;
    left = channel;
    channel = id;
    kind = latest.channels.find((item) => item.id === id)?.kind ?? "text";
    shownAs = member;
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
  }
  function become(name) {
    member = name;
    sessionStorage.setItem("member", name);
    void look();
  }
  /** Where one stays after another member was chosen or a channel has gone: the same place, or one like it. */
  function home() {
    const { channels } = latest;
    return channels.find((item) => item.id === channel) || channels.find((item) => item.kind === kind) || channels[0];
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
      if ([channel, left].includes(item.id) || !seen.has(item.id)) seen.set(item.id, item.last);
      const unseen = BigInt(item.last) > BigInt(seen.get(item.id));
      rows.push({ ...item, last: null, chosen: item.id === channel, unseen });
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
      member = next.member;
      $("server").textContent = next.server;
      $("member").replaceChildren(...next.members.map((item) => new Option(item.name, item.name, false, item.name === member)));
    }
    if (next.member !== member) return void look(); // asked for before another member was chosen
    const here = home();
    if (here.id !== channel || shownAs !== member) show(here.id, true);
    draw();
    left = "";
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
