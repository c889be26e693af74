// Plays the stream in the room next door, and goes on by itself after whatever happens to it. Browsers that know HLS
// (Safari) play it themselves; for the others hls.js does (vendor/). They start without sound, as browsers demand.
"use strict";

const LOOK_MS = 1000;
const STALLED_MS = 10000;
const AGAIN_MS = 2000;
const MIME = "application/vnd.apple.mpegurl";
const body = document.body;
const video = document.querySelector("video");
const sound = document.querySelector("button");
let player = null; // of hls.js; null: the browser's own, or none
let isTrusted = true; // to play HLS by itself
let isStarting = false;
let isOn = false; // a film was given to the video
let wasOn = false;
let movedAt = 0;
let lastTime = -1;

function say(what) {
  for (const words of document.querySelectorAll("[data-said]")) words.hidden = words.dataset.said !== what;
}

function loadPlayer() {
  if (window.Hls) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = body.dataset.player;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

// A browser may say "maybe" and then not be able to: it is asked once, and hls.js for all the rest.
const isNative = () => isTrusted && video.canPlayType(MIME) !== "";

async function start() {
  if (isStarting || isOn) return;
  isStarting = true;
  try {
    const answer = await fetch(body.dataset.playlist, { cache: "no-store" });
    if (answer.status === 401) return location.reload(); // the organizer's login is over
    if (!answer.ok) return say(wasOn ? "lost" : "waiting");
    if (!isNative()) {
      await loadPlayer();
      if (!Hls.isSupported() && video.canPlayType(MIME) === "") return say("cannot");
      isTrusted = !Hls.isSupported();
    }
    play();
  } catch { // nobody there: the next look tries again
    say(wasOn ? "lost" : "waiting");
  } finally {
    isStarting = false;
  }
}

function play() {
  isOn = wasOn = true;
  body.classList.add("is-on");
  movedAt = performance.now();
  lastTime = -1;
  if (isNative()) {
    video.src = body.dataset.playlist;
  } else {
    player = new Hls({ enableWorker: false, liveDurationInfinity: true, backBufferLength: 10, maxBufferLength: 20 });
    player.on(Hls.Events.ERROR, (_, error) => { if (error.fatal) again(); });
    player.loadSource(body.dataset.playlist);
    player.attachMedia(video);
  }
  video.play().catch(() => {}); // not allowed: the controls are there
}

function stop() {
  if (!isOn) return;
  isOn = isTrusted = false;
  body.classList.remove("is-on");
  player?.destroy();
  player = null;
  video.removeAttribute("src");
  video.load();
  sound.hidden = true;
}

function again() {
  if (!isOn) return;
  stop();
  say("lost");
  setTimeout(start, AGAIN_MS);
}

function look() {
  if (!isOn) return start();
  const now = performance.now();
  if (video.currentTime !== lastTime || (video.paused && video.readyState > 2)) {
    if (lastTime > 0 && !video.paused) say("");
    lastTime = video.currentTime;
    movedAt = now;
  } else if (now - movedAt > STALLED_MS) again();
  sound.hidden = !video.muted || video.readyState < 2;
}

video.addEventListener("error", () => {
  if (!isOn || player) return; // hls.js tells its own
  if (window.Hls) return again(); // there is no other way here
  stop();
  start();
});
video.addEventListener("ended", again);
sound.addEventListener("click", () => { video.muted = false; sound.hidden = true; });
setInterval(look, LOOK_MS);
start();
