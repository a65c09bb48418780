// Everything that moves in the console. Pages work without it: it only saves steps.
// Nothing is decided here: counts, checks and rows all come from the server.

const root = document.documentElement;
root.dataset.script = "";
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (selector, within = document) => within.querySelector(selector);
const inField = (target) => target.checkVisibility?.() !== false && target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

// The console's own pages are the only HTML that is ever parsed.
const policy = window.trustedTypes?.createPolicy("stopwire", { createHTML: (html) => html });
const parse = (html) => new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");

async function part(address, options = {}) {
  const answer = await fetch(address, { ...options, headers: { "X-Stopwire-Part": "1", ...options.headers }, redirect: "error" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.text();
}

// ── zone ────────────────────────────────────────────────────────────────────────────────────────────────
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (root.dataset.zone === "unknown" && zone && !document.cookie.includes("stopwire_zone=")) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `stopwire_zone=${zone.replaceAll("/", "%2F")}; path=/; max-age=31536000; SameSite=Lax${secure}`;
  // Without a place in the page yet, the times can simply be told anew.
  if (scrollY === 0 && document.cookie.includes("stopwire_zone=") && one("main time") && !document.activeElement?.closest("form")) location.reload();
}

// ── copy ────────────────────────────────────────────────────────────────────────────────────────────────
async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button?.focus();
  }
  if (!button) return;
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 1500);
}

// ── toasts ──────────────────────────────────────────────────────────────────────────────────────────────
for (const toast of all("[data-toast]")) {
  let timer;
  const start = () => { timer = setTimeout(() => toast.remove(), 10000); };
  toast.addEventListener("focusin", () => clearTimeout(timer));
  toast.addEventListener("focusout", start);
  toast.addEventListener("mouseenter", () => clearTimeout(timer));
  toast.addEventListener("mouseleave", start);
  start();
}

// ── segment meter ───────────────────────────────────────────────────────────────────────────────────────
const waiting = new WeakMap();
function measure(field) {
  clearTimeout(waiting.get(field));
  waiting.set(field, setTimeout(async () => {
    const shown = one("[data-meter-of]", field.closest(".field, form"));
    if (!shown) return;
    const body = new URLSearchParams({ text: field.value, limit: field.dataset.meter, _token: document.body.dataset.token ?? "" });
    const text = field.value;
    try {
      const made = one("[data-meter-of]", parse(await part("/console/meter", { method: "POST", body })));
      if (made && field.value === text) shown.replaceWith(document.adoptNode(made));
    } catch { /* the count is told again with the next key, and by the server on submit */ }
  }, 150));
}

// ── palette ─────────────────────────────────────────────────────────────────────────────────────────────
const palette = one("#palette");
let asked = 0;
async function search() {
  const mine = ++asked;
  const query = one("input", palette).value;
  try {
    const found = one(".found", parse(await part(`/console/search?q=${encodeURIComponent(query)}`)));
    if (mine !== asked || !found) return;
    one("[data-found]", palette).replaceChildren(document.adoptNode(found));
    one(".found a", palette)?.classList.add("here");
  } catch { /* the form still leads to the page */ }
}
function openPalette() {
  if (!palette || palette.open) return;
  palette.showModal();
  one("input", palette).select();
  search();
}
function openMap(dialog) { // at its top: it may be longer than the window
  dialog?.showModal();
  dialog?.focus();
}
function step(links, by) {
  const at = links.findIndex((link) => link.classList.contains("here"));
  links[at]?.classList.remove("here");
  const next = links[(at + by + links.length) % links.length];
  next?.classList.add("here");
  next?.scrollIntoView({ block: "nearest" });
}
palette?.addEventListener("keydown", (event) => {
  const links = all(".found a", palette);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    step(links, event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && event.target.matches("input")) {
    const chosen = links.find((link) => link.classList.contains("here"));
    if (chosen) { event.preventDefault(); chosen.click(); }
  }
});
let typing;
palette?.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 120); });

// ── rows and keys ───────────────────────────────────────────────────────────────────────────────────────
const rows = () => all("tbody tr[data-id], [data-row]").filter((row) => row.offsetParent !== null);
const current = () => one("tr.here, [data-row].here");
let lastPicked = null;
function move(by) {
  const list = rows();
  if (!list.length) return;
  const at = list.indexOf(current());
  current()?.classList.remove("here");
  const next = list[Math.max(0, Math.min(list.length - 1, at + by))];
  next.classList.add("here");
  next.scrollIntoView({ block: "nearest" });
  const link = one("[data-open-row]", next) ?? one("a", next);
  link?.focus({ preventScroll: true });
}
function pick(row, upTo) {
  const box = row && one("input[type=checkbox]", row);
  if (!box) return;
  box.checked = !box.checked;
  if (upTo && lastPicked) {
    const list = rows();
    const [from, to] = [list.indexOf(lastPicked), list.indexOf(row)].sort((a, b) => a - b);
    list.slice(from, to + 1).forEach((each) => { const other = one("input[type=checkbox]", each); if (other) other.checked = box.checked; });
  }
  lastPicked = row;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}
const press = (key) => {
  const found = (current() && one(`[data-key="${key}"]`, current())) || all(`[data-key="${key}"]`).find((each) => each.offsetParent !== null);
  if (!found) return false;
  if (found.matches("input, textarea, select")) found.focus(); else found.click();
  return true;
};
let going = 0;
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); openPalette(); return; }
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { // the one thing that a form, or a page with one, is there for
    const primary = all("button.primary", event.target.closest("form") ?? one("main")).filter((each) => each.offsetParent !== null);
    if (primary.length === 1) { event.preventDefault(); primary[0].click(); }
    return;
  }
  if (event.key === "Escape") {
    if (palette?.open) { event.preventDefault(); palette.close(); return; } // a search field would only empty itself
    all("details.account[open], details.menu[open], details.panel[open]").forEach((each) => { each.open = false; one("summary", each).focus(); });
    if (inField(event.target)) event.target.blur();
    return;
  }
  if (event.key === "Enter" && event.target.matches("textarea[data-send]") && !event.shiftKey && !event.isComposing) {
    event.preventDefault(); event.target.form.requestSubmit(); return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || inField(event.target) || root.dataset.keys === "off") return;
  if (one("dialog[open]")) return;
  const key = event.key;
  if (going && Date.now() - going < 1500) {
    going = 0;
    const place = one(`[data-go="${CSS.escape(key)}"]`);
    if (place) { event.preventDefault(); location.href = place.href; return; }
  }
  const done = {
    "g": () => { going = Date.now(); },
    "/": () => one("#q")?.focus(),
    "?": () => openMap(one("#keys")),
    "j": () => move(1),
    "k": () => move(-1),
    "x": () => pick(current(), false),
    "X": () => pick(current(), true),
    "y": () => { const button = current() && one("[data-copy]", current()); if (button) copy(button.dataset.copy, button); },
    "p": () => pause(),
    ".": () => all("[data-calls]").forEach((each, at) => { each.open = !each.open; if (!at && each.open) each.scrollIntoView({ block: "nearest" }); }),
  }[key];
  if (done) { event.preventDefault(); done(); return; }
  if (key.length === 1 && press(key)) event.preventDefault();
});

// ── clicks and changes ──────────────────────────────────────────────────────────────────────────────────
document.addEventListener("click", (event) => {
  const button = event.target.closest("button, a");
  if (button?.dataset.copy !== undefined) copy(button.dataset.copy, button);
  else if (button?.dataset.dismiss !== undefined) button.closest(".toast").remove();
  else if (button?.dataset.open) openMap(one(`#${CSS.escape(button.dataset.open)}`));
  else if (button?.dataset.pause !== undefined) pause();
  else if (event.target.matches("dialog")) event.target.close();
  all("details.account[open], details.menu[open], details.panel[open]").forEach((each) => { if (!each.contains(event.target)) each.open = false; });
});
document.addEventListener("input", (event) => { if (event.target.dataset?.meter) measure(event.target); });
document.addEventListener("change", (event) => {
  if (event.target.dataset?.submit !== undefined) event.target.form.requestSubmit();
  if (event.target.matches("tbody input[type=checkbox]")) {
    event.target.closest("tr").setAttribute("aria-selected", event.target.checked);
    const picked = all("tbody input[type=checkbox]:checked").length;
    all("[data-picked]").forEach((each) => { each.textContent = picked; });
    all("[data-bulk]").forEach((each) => { each.hidden = picked === 0; });
  }
});
one(".search")?.addEventListener("focusin", (event) => { event.currentTarget.dataset.on = ""; });

// `data-stay`: a form whose answer is this page again. Its live parts are taken from the answer; what is half written stays.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.dataset.stay === undefined) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Stopwire-Part": "1" } });
    const page = parse(await answer.text());
    if (answer.ok) history.replaceState(null, "", answer.url);
    liveParts().filter((place) => place.id && !place.matches("table")).forEach((place) => swap(place, page));
    if (answer.ok && !event.submitter?.name) all("textarea:not([data-keeps])", form).forEach((area) => { area.value = ""; measure(area); });
  } catch { delete form.dataset.stay; form.requestSubmit(event.submitter); }
});

// ── live ────────────────────────────────────────────────────────────────────────────────────────────────
// `data-live="message. consent."` on a table: rows come by themselves. On anything else with an id: it is drawn anew.
const LIVE_ROWS_MAX = 500;
const state = one("[data-live-state]");
const liveParts = () => all("[data-live]");
let stream = null;
let paused = false;
let held = 0;
let calm = 0;
let missed = false; // the stream was away: what it would have told is looked for
const dirty = new Set();
const changed = new Set();
let timer = null;
let seen = 0;

function show(name) {
  if (!state) return;
  state.hidden = false;
  state.dataset.liveState = name;
}
function pause() {
  if (!stream && !paused) return;
  paused = !paused;
  one("[data-pause]")?.setAttribute("aria-pressed", paused);
  show(paused ? "paused" : "live");
  if (!paused) { if (dirty.size) flush(); }
}
function heard(name, facts) {
  for (const place of liveParts()) if (place.dataset.live.split(" ").some((topic) => name.startsWith(topic))) dirty.add(place);
  if (!dirty.size) return;
  for (const id of [facts.sid, facts.id, facts.message]) if (id) changed.add(id);
  held += 1;
  seen += 1;
  if (!timer) timer = setTimeout(flush, Math.max(250, calm - Date.now()));
}
const reading = () => paused || document.hidden || scrollY > 200 || inField(document.activeElement ?? root);
async function flush() {
  timer = null;
  if (paused) return;
  const places = [...dirty];
  dirty.clear();
  let page; // asked for once, however many parts of it are drawn anew
  const anew = () => (page ??= part(location.href)).then(parse);
  for (const stale of places) {
    const place = stale.isConnected ? stale : document.getElementById(stale.id); // it may have been drawn anew meanwhile
    if (!place) continue;
    try {
      if (place.matches("table")) await grow(place); else await redraw(place, anew);
    } catch { dirty.add(place); }
  }
  calm = Date.now() + (held > 20 ? 1000 : 0); // in a flood, one batch a second
  held = 0;
  if (dirty.size && !timer) timer = setTimeout(flush, 2000);
}
const here = (name, value) => { const url = new URL(location.href); url.searchParams.delete("rows"); url.searchParams.set(name, value); return url; };
async function grow(table) {
  const body = table.tBodies[0];
  const known = new Map(all("tr[data-id]", body).map((row) => [row.dataset.id, row]));
  const touched = [...changed].filter((id) => known.has(id));
  changed.clear();
  if (touched.length) {
    const fresh = parse(`<table><tbody>${await part(here("rows", touched.join(",")))}</tbody></table>`);
    for (const row of all("tr[data-id]", fresh)) known.get(row.dataset.id)?.replaceWith(document.adoptNode(row));
  }
  if (table.dataset.still !== undefined) return;
  const first = one("tr[data-id]", body)?.dataset.id ?? "";
  const fresh = parse(`<table><tbody>${await part(here("rows_after", first))}</tbody></table>`);
  const added = all("tr[data-id]", fresh).filter((row) => !known.has(row.dataset.id)).map((row) => document.adoptNode(row));
  if (!added.length) return;
  if (added.length > 20 || reading()) { offer(table, added.length); return; }
  added.forEach((row) => row.classList.add("new"));
  body.prepend(...added);
  all("tr:not([data-id])", body).forEach((row) => row.remove());
  all("tr[data-id]", body).slice(LIVE_ROWS_MAX).forEach((row) => row.remove());
  one(`[data-more="${table.id}"]`)?.remove();
}
function offer(table, count) {
  let button = one(`[data-more="${table.id}"]`);
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    button.className = "button more-rows";
    button.dataset.more = table.id;
    button.addEventListener("click", () => { scrollTo(0, 0); location.reload(); });
    table.closest(".table-frame").before(button);
  }
  button.textContent = `${count >= 100 ? "99+" : count} ↑`;
}
async function redraw(place, anew) {
  if (place.contains(document.activeElement) && inField(document.activeElement)) { setTimeout(() => { dirty.add(place); timer ??= setTimeout(flush, 250); }, 1500); return; }
  swap(place, await anew());
}
function swap(place, page) {
  const fresh = page.getElementById(place.id);
  if (!fresh) return;
  const opened = all("details[open][id]", place).map((each) => each.id);
  const scrolled = all("[data-keep-end]", place).map((each) => each.scrollHeight - each.scrollTop - each.clientHeight < 40);
  const focus = place.contains(document.activeElement) ? document.activeElement.id : "";
  const made = document.adoptNode(fresh);
  place.replaceWith(made);
  opened.forEach((id) => { const each = document.getElementById(id); if (each) each.open = true; });
  all("[data-keep-end]", made).forEach((each, at) => { if (scrolled[at] !== false) each.scrollTop = each.scrollHeight; });
  if (focus) document.getElementById(focus)?.focus();
}
function listen() {
  if (stream || !liveParts().length || document.hidden) return;
  const topics = [...new Set(liveParts().flatMap((place) => place.dataset.live.split(" ")))].join(",");
  const after = root.dataset.lastEvent ? `&after=${root.dataset.lastEvent}` : "";
  stream = new EventSource(`/console/events?topics=${encodeURIComponent(topics)}${after}`);
  stream.onopen = () => {
    show(paused ? "paused" : "live");
    if (missed) { missed = false; liveParts().forEach((place) => dirty.add(place)); timer ??= setTimeout(flush, 250); }
  };
  stream.onerror = () => {
    show("away");
    missed = true;
    if (stream?.readyState === EventSource.CLOSED) { stream = null; setTimeout(listen, 3000); } // an answer that was no stream
  };
  stream.onmessage = (event) => { root.dataset.lastEvent = event.lastEventId; const told = JSON.parse(event.data); heard(told.topic, told); };
}
addEventListener("visibilitychange", () => {
  if (document.hidden) { stream?.close(); stream = null; missed = true; } else listen();
});
addEventListener("pagehide", () => { stream?.close(); stream = null; });
addEventListener("pageshow", listen);
setInterval(() => { if (seen) { const sum = one("[data-live-sum]"); if (sum) sum.textContent = String(seen); seen = 0; } }, 60000);
all("[data-keep-end]").forEach((each) => { each.scrollTop = each.scrollHeight; });
listen();
