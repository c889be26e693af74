// A phone knows the time: its clock is written into a form as it is sent, and into its button's words as it runs.
"use strict";

function writeClock() {
  for (const field of document.querySelectorAll("[data-clock]")) field.value = Date.now();
  const now = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  for (const place of document.querySelectorAll("[data-clock-text]")) place.textContent = ` (${now})`;
}

document.documentElement.classList.add("has-js");
document.addEventListener("submit", writeClock, true);
setInterval(writeClock, 1000);
writeClock();
