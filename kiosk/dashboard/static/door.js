// The volunteer's page without reloading: a press or a search fetches the same page and puts its parts in place.
// Whatever is being typed, and whatever is under a finger, stays where it is. Needs live.js, which brings the news.
"use strict";

const SEARCH_MS = 150; // after the last letter
const TOUCH_MS = 900; // a part that was touched so lately does not move
const search = document.getElementById("q");
let version = body.dataset.version;
let asked = 0; // searches; only the last one's answer is shown
let presses = 0; // under way
let refreshing = false;
let touched = null; // the part last touched, and when
let touchedAt = -TOUCH_MS;
document.documentElement.classList.add("has-js");

async function page(url, options) {
  const answer = await fetch(url, { cache: "no-store", ...options });
  if (answer.status >= 500) throw new Error(words.failed);
  if (!answer.ok || new URL(answer.url).pathname !== "/door") { // logged out, or a page from before a new login
    location.assign("/door");
    return new Promise(() => {}); // nothing more happens here
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// What is looked for goes in the body: a name is no part of an address.
function looked() {
  if (!search.value.trim()) return page("/door?part");
  const token = document.querySelector("[name=csrf_token]").value;
  return page("/door/find", { method: "POST", body: new URLSearchParams({ part: "", q: search.value, csrf_token: token }) });
}

function isInUse(part) {
  if (part === touched && performance.now() - touchedAt < TOUCH_MS) return true;
  return [...part.querySelectorAll("input[type=number]")].some((field) => field === document.activeElement || field.value !== field.defaultValue);
}

// Returns whether all of `names` were put in place; gently: but for those in use.
function place(fresh, names, gently) {
  let all = true;
  for (const name of names) {
    const part = document.querySelector(`[data-part="${name}"]`);
    if (gently && isInUse(part)) { all = false; continue; }
    const focus = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.replaceChildren(...fresh.querySelector(`[data-part="${name}"]`).childNodes);
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  }
  return all;
}

async function refresh() {
  if (refreshing || presses) return;
  refreshing = true;
  try {
    const text = search.value;
    const fresh = await looked();
    if (fresh.documentElement.lang !== document.documentElement.lang) return location.reload(); // chosen in another tab
    const names = text === search.value ? ["results", "waiting", "rows"] : ["waiting", "rows"];
    if (!presses && place(fresh, names, true)) version = fresh.body.dataset.version;
  } catch { /* the next snapshot tries again; live.js says when there is none */ }
  refreshing = false;
}

async function find() {
  const mine = ++asked;
  try {
    const fresh = await looked();
    if (mine === asked) place(fresh, ["results"], false);
  } catch (error) {
    if (mine === asked) say(worded(words.search, error.message));
  }
}

function say(text, keeps = false) {
  const said = document.getElementById("said");
  const notice = document.createElement("p");
  notice.className = "notice unheard";
  notice.dataset.tone = "no";
  notice.textContent = text;
  said.querySelector(".unheard")?.remove();
  if (keeps) said.prepend(notice);
  else said.replaceChildren(notice);
}

async function press(form, submitter) {
  writeClock();
  const fields = new URLSearchParams(new FormData(form, submitter));
  fields.set("q", search.value);
  const wasFocused = document.activeElement === submitter; // a disabled button loses it
  presses += 1;
  submitter.disabled = true;
  submitter.classList.add("is-busy");
  try {
    const fresh = await page(submitter.getAttribute("formaction") ?? form.getAttribute("action"), { method: "POST", body: fields });
    asked += 1; // a search that is still under way knows nothing of this press
    form.closest("dialog")?.close();
    place(fresh, ["said", "results", "waiting", "rows"], false);
    version = fresh.body.dataset.version;
    if (form.isConnected) { // a form of the page itself: empty again, with a nonce of its own
      form.reset();
      form.querySelectorAll(".stepper input").forEach(count);
      form.elements.nonce.value = fresh.querySelector(`form[action="${form.getAttribute("action")}"] [name=nonce]`).value;
    }
    if (!document.activeElement || document.activeElement === body) document.getElementById("said").focus({ preventScroll: true });
  } catch (error) {
    // The form keeps its nonce, so pressing again is safe: if the first press arrived, it is not counted twice.
    // One that stands in the answer itself ("Let in anyway") must stay there to be pressed.
    say(worded(words.unheard, error.message), form.closest("#said") !== null);
  }
  submitter.disabled = false;
  submitter.classList.remove("is-busy");
  if (wasFocused && submitter.isConnected) submitter.focus({ preventScroll: true });
  presses -= 1;
}

function count(field) {
  const unit = field.parentElement.querySelector(".unit");
  unit.textContent = Number(field.value) === 1 ? words.person : words.people;
}

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-desk]")) {
    event.preventDefault();
    if (!event.submitter.disabled) press(event.target, event.submitter);
  } else if (event.target.matches("[role=search]")) {
    event.preventDefault();
    find();
    search.blur(); // the keyboard goes, the results are seen
  }
});
document.addEventListener("click", (event) => {
  const clearer = event.target.closest("[data-clears]");
  if (clearer) document.getElementById(clearer.dataset.clears).replaceChildren();
  const step = event.target.closest("[data-step]");
  if (!step) return;
  const field = step.parentElement.querySelector("input");
  if (Number(step.dataset.step) > 0) field.stepUp(); else field.stepDown();
  count(field);
});
document.addEventListener("input", (event) => {
  if (event.target === search) {
    if (!presses) document.getElementById("said").replaceChildren(); // it was about somebody else
    clearTimeout(search.timer);
    search.timer = setTimeout(find, SEARCH_MS);
  } else if (event.target.matches(".stepper input")) count(event.target);
});
document.addEventListener("pointerdown", (event) => {
  touched = event.target.closest("[data-part]");
  touchedAt = performance.now();
});
search.addEventListener("focus", () => search.select());
document.addEventListener("snapshot", (event) => {
  if (event.detail.seats.version !== version) refresh();
});
