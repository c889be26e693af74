// A phone as a scanner: camera -> reader -> presence -> courier -> answer. What this page keeps when it is closed is
// which way the phone is for and whether it is mute; a code is only in its memory, and only until it is answered.
import { Answers } from "./answers.js";
import { Camera, CameraFailed } from "./camera.js";
import { Courier, MOST_WAITING } from "./courier.js";
import { Presence } from "./presence.js";
import { Reader } from "./reader.js";
import { Signal } from "./signal.js";

const READ_EVERY_MS = 60;
const STALLED_MS = 1400; // a camera without a picture for so long is said to be stalled: within 2 s of its last one
const AGAIN_MS = 2000;
const KEPT = "platypus-scan";
const body = document.body;
const at = (id) => document.getElementById(id);
const words = JSON.parse(at("words").dataset.words);
const worded = (sentence, value) => sentence.replace("{}", () => value);
const counted = ([one, many], count) => (count === 1 ? one : worded(many, count));
const [video, form, hint, troubleCard] = [document.querySelector("video"), at("gate"), at("hint"), at("trouble")];

const camera = new Camera(video);
const presence = new Presence();
const reader = new Reader(body.dataset.worker, Number(body.dataset.longest), words);
const signal = new Signal();
const answers = new Answers(at("answers"), at("answer"));
const courier = new Courier("/door/scan", form.elements.csrf_token.value, { answer, silence, over });
let run = 0; // the scanning that is under way; another number ends it
let isWanted = false; // between Start and the end of the session
let isSilent = false; // a presentation has no answer yet
let missed = 0; // answers that came while nobody looked
let lock = null;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// -- what the page shows ----------------------------------------------------------------------------------------------

function show(state) {
  body.dataset.state = state;
  for (const card of document.querySelectorAll("[data-in]")) card.hidden = !card.dataset.in.split(" ").includes(state);
}

function say(text) {
  if (hint.textContent !== text) hint.textContent = text;
}

function trouble(error) {
  const kind = error.kind ?? "reader";
  for (const each of troubleCard.querySelectorAll("[data-kind]")) each.hidden = each.dataset.kind !== kind;
  at("why").textContent = error.kind ? "" : `(${error.message})`;
  at("again").hidden = !isForPerson(kind) || kind === "insecure";
  show("trouble");
}

const isForPerson = (kind) => ["insecure", "refused", "none"].includes(kind); // the others are tried again by themselves

function tell() {
  const waiting = courier.waiting;
  say(isSilent ? counted(words.none, Math.max(waiting, 1)) : words.hold);
}

// -- answers ----------------------------------------------------------------------------------------------------------

async function answer(said) {
  isSilent = false;
  if (document.hidden) {
    missed += 1;
    return;
  }
  const shown = answers.show(said);
  signal.give(said.tone === "yes" && said.attention ? "noted" : said.tone);
  tell();
  await shown;
}

function silence() {
  const isNews = !isSilent;
  isSilent = true;
  if (isNews) signal.give("warn");
  if (isNews || answers.isWaiting) showSilence(); // who put it away sees it again with the next code
  tell();
}

function showSilence() {
  const others = courier.waiting - 1;
  const wait = others > 0 ? ` ${counted(words.behind, others)}` : "";
  answers.wait({ tone: "warn", title: words.wait, detail: words.again + wait });
}

function over() {
  run += 1;
  isWanted = isSilent = false;
  camera.close();
  presence.forget();
  answers.clear();
  letSleep();
  show("over");
}

function serve(showings) {
  for (const showing of showings) {
    showing.isTaken = courier.take(showing, form.elements.mode.value);
    if (showing.isTaken && isSilent) showSilence();
    if (showing.isTaken || showing.isTurnedAway) continue;
    showing.isTurnedAway = true; // said once; it is taken when there is room
    answers.add({ tone: "warn", title: words.full, detail: worded(words.later, MOST_WAITING) });
  }
}

// -- scanning ---------------------------------------------------------------------------------------------------------

async function scan() {
  const mine = ++run;
  while (mine === run) {
    try {
      if (body.dataset.state !== "trouble") show("opening");
      await Promise.all([camera.open(), reader.load()]);
      if (mine !== run) return;
      show("scan");
      tell();
      await showTools();
      while (mine === run) await look(mine);
    } catch (error) {
      if (mine !== run) return; // the camera was let go
      camera.close();
      trouble(error);
      if (isForPerson(error.kind)) return;
      await pause(AGAIN_MS);
    }
  }
}

async function look(mine) {
  const beganMs = performance.now();
  await camera.picture(STALLED_MS);
  const sight = await reader.read(video);
  if (mine !== run) return;
  serve(presence.see(sight.codes, performance.now() / 1000, sight.isBlurred));
  await pause(beganMs + READ_EVERY_MS - performance.now());
}

async function showTools() {
  at("light").hidden = !camera.canLight;
  at("light").setAttribute("aria-pressed", "false");
  at("turn").hidden = (await camera.count()) < 2;
}

async function stayAwake() {
  letSleep();
  try {
    lock = await navigator.wakeLock.request("screen");
    if (document.hidden || !isWanted) letSleep();
  } catch { /* this browser cannot, or its battery is low: the phone's own setting holds */ }
}

function letSleep() {
  lock?.release();
  lock = null;
}

function begin() {
  signal.wake();
  scan();
  stayAwake();
}

function letGo() {
  run += 1;
  camera.close();
  answers.clear();
  letSleep();
}

// -- what is pressed, and what the phone does -------------------------------------------------------------------------

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ mode: form.elements.mode.value, isMute: signal.isMute }));
  } catch { /* a private window: chosen anew next time */ }
}

function remember() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT)) ?? {};
    if (["entry", "exit", "both"].includes(kept.mode)) form.elements.mode.value = kept.mode;
    signal.isMute = kept.isMute === true;
  } catch { /* nothing that we wrote */ }
  at("mute").setAttribute("aria-pressed", String(signal.isMute));
}

for (const button of document.querySelectorAll("[data-begins]")) {
  button.disabled = false; // until here a press would have done nothing
  button.addEventListener("click", () => {
    isWanted = true;
    begin();
  });
}
at("mute").addEventListener("click", () => {
  signal.isMute = !signal.isMute;
  at("mute").setAttribute("aria-pressed", String(signal.isMute));
  keep();
});
at("light").addEventListener("click", async () => {
  const isOn = at("light").getAttribute("aria-pressed") !== "true";
  try {
    await camera.light(isOn);
    at("light").setAttribute("aria-pressed", String(isOn));
  } catch {
    at("light").hidden = true; // it said that it could
  }
});
at("turn").addEventListener("click", async () => {
  await camera.turn();
  scan();
});
form.addEventListener("change", keep);
form.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => { if (event.key === "Escape") answers.clear(); });
document.addEventListener("pointerdown", () => { if (isWanted) signal.wake(); });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) letGo();
  else if (isWanted) {
    begin();
    if (missed) answers.show({ tone: "warn", title: counted(words.missed, missed), detail: words.away });
    missed = 0;
    if (isSilent) showSilence();
  }
});
window.addEventListener("pagehide", letGo);
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
remember();
if (window.isSecureContext) show("start");
else trouble(new CameraFailed("insecure"));
