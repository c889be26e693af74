// The talks without reloading: a press fetches the same page and puts its parts in place; news of others do so too.
// What is opened stays open. Needs live.js, which brings the news.
"use strict";

const TOUCH_MS = 900; // a list that was touched so lately does not move under the finger
const PARTS = ["talks", "undo"];
let version = body.dataset.version;
let told = version; // what the last news said it is
let presses = 0; // under way
let refreshing = false;
let touchedAt = -TOUCH_MS;
document.documentElement.classList.add("has-js");

async function page(url, options) {
  const answer = await fetch(url, { cache: "no-store", ...options });
  if (answer.status >= 500) throw new Error(words.failed);
  if (!answer.ok || new URL(answer.url).pathname !== "/talks") { // logged out, or a page from before a new login
    location.assign("/talks");
    return new Promise(() => {}); // nothing more happens here
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function place(fresh, names) {
  for (const name of names) {
    const part = document.querySelector(`[data-part="${name}"]`);
    const open = [...part.querySelectorAll("details[open]")].map((each) => each.id);
    part.replaceChildren(...fresh.querySelector(`[data-part="${name}"]`).childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  }
  // The file's form stays as it is, but for what it was made from.
  document.querySelector("#upload [name=revision]").value = fresh.querySelector("#upload [name=revision]").value;
  document.querySelector("#upload .button").disabled = fresh.querySelector("#upload .button").disabled;
  version = told = fresh.body.dataset.version; // newer than any news until now
}

function say(text) {
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.dataset.tone = "no";
  notice.textContent = text;
  document.getElementById("said").replaceChildren(notice);
}

async function press(form, submitter) {
  const fields = new URLSearchParams(new FormData(form, submitter)); // first: a disabled button is not among them
  presses += 1;
  submitter.disabled = true;
  submitter.classList.add("is-busy");
  try {
    const to = submitter.getAttribute("formaction") ?? form.getAttribute("action");
    place(await page(to, { method: "POST", body: fields }), ["said", ...PARTS]);
    document.getElementById("said").focus({ preventScroll: true });
  } catch (error) {
    say(worded(words.unheard, error.message));
  }
  submitter.disabled = false;
  submitter.classList.remove("is-busy");
  presses -= 1;
}

async function refresh() {
  if (told === version || refreshing || presses) return;
  if (performance.now() - touchedAt < TOUCH_MS) return void setTimeout(refresh, TOUCH_MS);
  refreshing = true;
  try {
    const fresh = await page("/talks?part");
    if (fresh.documentElement.lang !== document.documentElement.lang) return location.reload(); // chosen in another tab
    if (!presses) place(fresh, PARTS);
  } catch {
    setTimeout(refresh, 1000); // live.js says when nobody is there
  }
  refreshing = false;
}

document.addEventListener("submit", (event) => {
  if (event.target.id === "upload") {
    const most = Number(event.target.dataset.mostBytes);
    if (event.target.elements.file.files[0]?.size > most) {
      event.preventDefault();
      say(worded(words.large, most / 1e6));
    }
  } else if (event.target.matches("[data-talks]")) {
    event.preventDefault();
    if (!event.submitter.disabled) press(event.target, event.submitter);
  }
});
document.addEventListener("click", (event) => {
  const clearer = event.target.closest("[data-clears]");
  if (clearer) document.getElementById(clearer.dataset.clears).replaceChildren();
});
document.addEventListener("pointerdown", (event) => { if (event.target.closest("[data-part]")) touchedAt = performance.now(); });
document.addEventListener("snapshot", (event) => {
  told = event.detail.talks_version;
  refresh();
});
