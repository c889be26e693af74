// Keeps an open page true: one stream of whole snapshots, written into the places that name their part of it.
// Places: data-text, data-show, data-value, data-max, data-d (of a path), data-tone-of, data-mode-of, data-struck-of hold a dotted path; a data-list
// holds a <template> for its items; a data-part is somebody else's (door.js). A page that hears nothing for 3 s says so: no old number looks alive.
"use strict";

const STALE_MS = 3000;
const body = document.body;
let heardAt = performance.now();
let source = null;
let idleTimer = 0;
const words = JSON.parse(document.getElementById("words")?.dataset.words ?? "{}"); // what the scripts of this page say
const worded = (sentence, value) => sentence.replace("{}", () => value);

const part = (data, path) => path.split(".").reduce((at, key) => (at == null ? undefined : at[key]), data);

function put(element, data) {
  const d = element.dataset;
  if (d.text) {
    const text = String(part(data, d.text) ?? "");
    if (element.textContent !== text) element.textContent = text;
  }
  if (d.toneOf) d.tone = part(data, d.toneOf);
  if (d.struckOf) d.struck = part(data, d.struckOf);
  if (d.modeOf) d.mode = part(data, d.modeOf);
  if (d.show) element.hidden = !part(data, d.show);
  if (d.max) element.max = part(data, d.max);
  if (d.value) element.value = part(data, d.value);
  if (d.d) element.setAttribute("d", part(data, d.d));
}

function fill(root, data) {
  put(root, data);
  for (const element of root.querySelectorAll("[data-text], [data-tone-of], [data-mode-of], [data-show], [data-value], [data-d]")) {
    if (!element.closest("[data-list], [data-part]")) put(element, data);
  }
  for (const list of root.querySelectorAll("[data-list]")) fillList(list, part(data, list.dataset.list) || []);
}

function fillList(list, items) {
  const old = new Map([...list.querySelectorAll(":scope > [data-key]")].map((child) => [child.dataset.key, child]));
  const children = items.map((item) => {
    let child = old.get(String(item.key));
    if (!child) {
      child = list.querySelector("template").content.firstElementChild.cloneNode(true);
      child.dataset.key = item.key;
      child.classList.add("is-new");
    }
    old.delete(String(item.key));
    put(child, item);
    for (const element of child.querySelectorAll("[data-text], [data-show]")) put(element, item);
    return child;
  });
  for (const gone of old.values()) gone.remove();
  children.forEach((child, index) => {
    const there = list.querySelectorAll(":scope > [data-key]")[index];
    if (there !== child) list.insertBefore(child, there ?? null);
  });
}

function heard() {
  heardAt = performance.now();
  look();
}

function show(data) {
  heard();
  fill(body, data);
  document.dispatchEvent(new CustomEvent("snapshot", { detail: data }));
  clearTimeout(idleTimer);
  if (data.mode?.startsWith("answer")) {
    // The server says when it is over; should its word be late, an old welcome must not greet the next guest.
    idleTimer = setTimeout(() => { body.dataset.mode = "over"; }, data.shows_for_s * 1000 + 1500);
  }
}

function look() {
  const silentMs = performance.now() - heardAt;
  const stale = silentMs >= STALE_MS;
  const seconds = Math.floor(silentMs / 1000);
  body.classList.toggle("is-stale", stale);
  body.classList.toggle("is-live", !stale && source !== null && source.readyState === EventSource.OPEN);
  const screen = document.querySelector(".stage.stale");
  if (screen) {
    screen.hidden = !stale;
    document.querySelector(".stage.live").hidden = stale;
  }
  const pulse = document.getElementById("pulse-text");
  const text = stale ? (screen ? `${seconds} s` : worded(words.stale, seconds)) : screen ? "" : words.fresh;
  if (pulse && pulse.textContent !== text && (stale || body.classList.contains("is-live"))) pulse.textContent = text;
}

async function listen() {
  source = new EventSource(body.dataset.events);
  source.addEventListener("snapshot", (event) => show(JSON.parse(event.data)));
  source.addEventListener("beat", heard);
  source.addEventListener("reload", () => location.reload()); // made for another role, or for a link that is over
  source.addEventListener("error", async () => {
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    try {
      const answer = await fetch(body.dataset.events, { method: "HEAD", cache: "no-store" });
      if (answer.status === 401 || answer.status === 403) return location.reload(); // logged out, or not for this role
    } catch { /* nobody there: the page says it is stale, and we try again */ }
    setTimeout(listen, 5000); // what Retry-After says when all places are taken
  });
}

for (const opener of document.querySelectorAll("[data-opens]")) {
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById(opener.dataset.opens).showModal();
  });
}
for (const closer of document.querySelectorAll("dialog [data-closes]")) {
  closer.addEventListener("click", (event) => {
    event.preventDefault();
    closer.closest("dialog").close();
  });
}
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    button.disabled = true;
    button.textContent = button.dataset.busy;
  });
}
for (const panic of document.querySelectorAll(".panic")) { // it covers what is below, and need not where its twin is seen
  const twin = document.querySelector(`[action="${panic.getAttribute("action")}"]:not(.panic)`);
  if (twin) new IntersectionObserver(([seen]) => panic.classList.toggle("is-near", seen.isIntersecting)).observe(twin);
}
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
setInterval(look, 250);
listen();
