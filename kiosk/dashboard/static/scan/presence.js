// One code held in view is one presentation, until it has been away for a while. The door's rule, from
// kiosk/door/presence.py; a test holds the two together. Times are seconds.
export const AWAY_S = 1.5;
const LONGEST_STEP_S = 0.5; // between two pictures; more is the camera's silence, not the guest's absence
const LONGEST_BLUR_S = 4; // a poster with an unreadable code must not keep anyone's ticket in view for ever
const NONCE_BYTES = 16;

function makeNonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Presence {
  #showings = new Map();
  #lastS = null;

  // Takes one picture's codes; returns the showings in view that nobody took yet (isTaken).
  see(codes, nowS, isBlurred = false) {
    const stepS = this.#lastS === null ? 0 : Math.min(Math.max(nowS - this.#lastS, 0), LONGEST_STEP_S);
    this.#lastS = nowS;
    for (const code of codes) {
      if (!this.#showings.has(code)) this.#showings.set(code, { code, nonce: makeNonce(), isTaken: false });
      Object.assign(this.#showings.get(code), { awayS: 0, blurredS: 0 });
    }
    for (const showing of [...this.#showings.values()]) {
      if (codes.includes(showing.code)) continue;
      if (isBlurred && showing.blurredS < LONGEST_BLUR_S) {
        showing.blurredS += stepS;
        continue;
      }
      showing.awayS += stepS;
      if (showing.awayS >= AWAY_S) this.#showings.delete(showing.code);
    }
    return [...this.#showings.values()].filter((showing) => !showing.isTaken);
  }

  forget() {
    this.#showings.clear();
  }
}
