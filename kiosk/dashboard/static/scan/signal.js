// Sound and vibration of an answer, in the door's own language: one short beep is welcome, two are welcome with a note,
// three are a no, a long one wants somebody to look. Highs for yes, lows for no, so that they differ on a bad speaker.
const SIGNALS = {
  yes: { hz: 1320, shape: "sine", beeps: [0.16], buzz: [90] },
  noted: { hz: 1320, shape: "sine", beeps: [0.12, 0.12], buzz: [90, 90, 90] },
  calm: { hz: 880, shape: "sine", beeps: [0.16], buzz: [40] },
  no: { hz: 220, shape: "square", beeps: [0.14, 0.14, 0.14], buzz: [220, 90, 220, 90, 220] },
  warn: { hz: 440, shape: "triangle", beeps: [0.7], buzz: [700] },
};
const GAP_S = 0.09;
const LOUD = { sine: 0.5, triangle: 0.6, square: 0.22 };

export class Signal {
  #context = null;
  #freeS = 0; // when the last beep is over: two answers are heard, and felt, one after the other
  #buzzes = []; // a phone forgets what it shakes when it is told anew
  #stillMs = 0;
  isMute = false;

  // A browser lets a page sound only after somebody touched it: called from a press.
  wake() {
    if (!this.#context && window.AudioContext) this.#context = new AudioContext();
    this.#context?.resume().catch(() => {}); // it may be woken by the next touch
  }

  give(kind) {
    const signal = SIGNALS[kind];
    this.#buzz(signal.buzz);
    if (this.isMute || this.#context?.state !== "running") return;
    let atS = Math.max(this.#context.currentTime, this.#freeS);
    for (const lastsS of signal.beeps) {
      this.#beep(signal, atS, lastsS);
      atS += lastsS + GAP_S;
    }
    this.#freeS = atS + GAP_S;
  }

  #buzz(pattern) {
    const nowMs = performance.now();
    this.#buzzes = nowMs < this.#stillMs ? [...this.#buzzes, 200, ...pattern] : pattern;
    this.#stillMs = nowMs + this.#buzzes.reduce((sum, ms) => sum + ms, 0);
    navigator.vibrate?.(this.#buzzes);
  }

  #beep({ hz, shape }, atS, lastsS) {
    const sound = new OscillatorNode(this.#context, { type: shape, frequency: hz });
    const volume = new GainNode(this.#context, { gain: 0 });
    volume.gain.setTargetAtTime(LOUD[shape], atS, 0.005); // no click
    volume.gain.setTargetAtTime(0, atS + lastsS, 0.008);
    sound.connect(volume).connect(this.#context.destination);
    sound.start(atS);
    sound.stop(atS + lastsS + 0.06);
  }
}
