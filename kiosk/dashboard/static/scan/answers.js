// The answers on the phone: each fills it with colour, symbol and words for a while; two codes in one picture share it.
const SHOWN_MS = 2500;
const TOGETHER_MS = 1000; // an answer that comes so soon after another joins it instead of taking its place
const MOST = 3;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Answers {
  #board;
  #template;

  constructor(board, template) {
    this.#board = board;
    this.#template = template;
    board.addEventListener("click", () => this.clear());
  }

  get isWaiting() {
    return this.#waiting !== null;
  }

  // Shows an answer; waits first while as many as fit have not been seen yet.
  async show(said) {
    this.#waiting?.remove();
    while (this.#young().length >= MOST) await pause(100);
    for (const card of [...this.#board.children]) {
      if (!this.#young().includes(card)) card.remove();
    }
    this.add(said);
  }

  // Shows something beside whatever is shown.
  add(said) {
    const card = this.#put(said);
    card.dataset.shownMs = performance.now();
    setTimeout(() => card.remove(), SHOWN_MS);
  }

  // Shows that there is no answer, until one comes.
  wait(said) {
    if (this.#waiting) this.#write(this.#waiting, said);
    else {
      this.clear();
      this.#put(said).dataset.waits = "";
    }
  }

  clear() {
    for (const card of [...this.#board.children]) card.remove();
  }

  get #waiting() {
    return this.#board.querySelector("[data-waits]");
  }

  #young() {
    return [...this.#board.children].filter((card) => performance.now() - Number(card.dataset.shownMs) < TOGETHER_MS);
  }

  #put(said) {
    const card = this.#template.content.firstElementChild.cloneNode(true);
    this.#write(card, said);
    this.#board.append(card);
    return card;
  }

  #write(card, said) {
    card.dataset.tone = said.tone;
    card.querySelector(".note").hidden = !said.attention;
    for (const [name, text] of [[".title", said.title], [".detail", said.detail], [".note span", said.attention ?? ""]]) {
      const place = card.querySelector(name);
      if (place.textContent !== text) place.textContent = text; // what is the same is not read aloud again
    }
  }
}
