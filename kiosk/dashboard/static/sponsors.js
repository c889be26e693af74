// One sponsor's logo after the other, while nobody is answered; one that does not load is left out.
"use strict";
{
  const EACH_MS = 6000;
  const logos = [...document.querySelectorAll(".sponsors img")];
  let shown = 0;

  const turn = () => {
    const good = logos.filter((logo) => !(logo.complete && logo.naturalWidth === 0));
    if (document.body.dataset.mode === "idle") shown += 1;
    const now = good.length ? good[shown % good.length] : null;
    for (const logo of logos) logo.hidden = logo !== now;
    for (const card of document.querySelectorAll(".sponsors")) card.hidden = now === null;
  };

  for (const logo of logos) logo.addEventListener("error", turn);
  setInterval(turn, EACH_MS);
  turn();
}
