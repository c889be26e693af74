// Carries presentations to the ledger, one at a time, and says each again with its nonce until it has its answer.
const SLOW_MS = 700; // then it is said that there is no answer yet
const PATIENCE_MS = 4000; // for one try; a wifi that takes longer is as good as none
const AGAIN_MS = 1000; // from the beginning of one try to the next
export const MOST_WAITING = 5;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Courier {
  #address;
  #token;
  #tell; // {answer(said), silence(), over()}; what `answer` returns is waited for before the next
  #waiting = []; // the first is under way
  #isRunning = false;

  constructor(address, token, tell) {
    this.#address = address;
    this.#token = token;
    this.#tell = tell;
  }

  get waiting() {
    return this.#waiting.length;
  }

  // Returns whether there was room.
  take(showing, mode) {
    if (this.#waiting.length >= MOST_WAITING) return false;
    this.#waiting.push({ code: showing.code, nonce: showing.nonce, mode });
    if (!this.#isRunning) this.#run();
    return true;
  }

  async #run() {
    this.#isRunning = true;
    while (this.#waiting.length) {
      const beganMs = performance.now();
      const answer = await this.#say(this.#waiting[0]);
      if (answer === "over") {
        this.#waiting.length = 0; // nothing is kept
        this.#tell.over();
      } else if (answer) {
        this.#waiting.shift();
        await this.#tell.answer(answer);
      } else {
        this.#tell.silence();
        await pause(beganMs + AGAIN_MS - performance.now());
      }
    }
    this.#isRunning = false;
  }

  // The answer; null when there is none; "over" when this page may not ask any more.
  async #say(presentation) {
    const given = new AbortController();
    const timers = [setTimeout(() => this.#tell.silence(), SLOW_MS), setTimeout(() => given.abort(), PATIENCE_MS)];
    try {
      const body = new URLSearchParams({ ...presentation, csrf_token: this.#token });
      const options = { method: "POST", body, redirect: "manual", cache: "no-store", signal: given.signal };
      const answer = await fetch(this.#address, options);
      if (answer.status >= 500 || answer.status === 429) return null;
      const isAnswer = answer.status === 200 || answer.status === 409;
      const isOurs = isAnswer && answer.headers.get("Content-Type")?.startsWith("application/json");
      return isOurs ? await answer.json() : "over"; // sent to the login, or a page from before a new login
    } catch {
      return null; // nobody there, or the answer was cut off
    } finally {
      timers.forEach(clearTimeout);
    }
  }
}
