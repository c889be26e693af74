// The small picture of what viewers see: a new one each 2 s, only while the page is looked at and shows it.
// It says how old it is, and an old one is not shown. Beside live.js, whose names it must not take.
"use strict";
{
  const EVERY_MS = 2000;
  const OLD_MS = 10000; // as the server has it
  const canvases = document.querySelectorAll("[data-peek]");
  const place = document.querySelector(".viewers .peek");
  let madeAt = -Infinity;
  let isAsking = false;

  const tell = () => {
    const ageMs = performance.now() - madeAt;
    const isOld = !(ageMs <= OLD_MS);
    for (const none of document.querySelectorAll("[data-peek-none]")) none.hidden = !isOld;
    for (const canvas of canvases) canvas.hidden = isOld;
    const text = isOld ? "" : ageMs < 1500 ? words.now : worded(words.ago, Math.round(ageMs / 1000));
    for (const age of document.querySelectorAll("[data-peek-age]")) if (age.textContent !== text) age.textContent = text;
  };

  const ask = async () => {
    if (isAsking || document.hidden || place.hidden || place.closest("[hidden]")) return;
    isAsking = true;
    try {
      const answer = await fetch("/preview.jpg", { cache: "no-store", signal: AbortSignal.timeout(8000) });
      if (answer.ok) {
        const bornAt = performance.now() - 1000 * Number(answer.headers.get("Picture-Age"));
        const picture = await createImageBitmap(await answer.blob());
        for (const canvas of canvases) {
          canvas.width = picture.width;
          canvas.height = picture.height;
          canvas.getContext("2d").drawImage(picture, 0, 0);
        }
        picture.close();
        madeAt = bornAt;
      } else madeAt = -Infinity;
    } catch { /* nobody there, or too slow: the age tells */ }
    isAsking = false;
    tell();
  };

  setInterval(ask, EVERY_MS);
  setInterval(tell, 500);
  document.addEventListener("visibilitychange", ask);
  document.addEventListener("snapshot", () => { if (madeAt === -Infinity) ask(); }, { once: true });
  document.documentElement.classList.add("has-js");
  tell();
  ask();
}
