// What codes are in the camera's picture: by the browser's own reader where it knows QR, by ours in a worker elsewhere.
// A code is base64 of its bytes. The browser's own gives text, so a code that is not text is only read by ours.
const PATIENCE_MS = 5000; // for one picture
const LOADING_MS = 60000; // of a megabyte over a venue's wifi

export class ReaderFailed extends Error {}

async function ownDetector() {
  try {
    if (!(await BarcodeDetector.getSupportedFormats()).includes("qr_code")) return null;
    return new BarcodeDetector({ formats: ["qr_code"] });
  } catch {
    return null; // there is none, or none that works
  }
}

const base64 = (text) => btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));

export class Reader {
  #address;
  #longest;
  #words;
  #detector; // undefined: not looked for yet; null: there is none
  #worker = null;
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d", { willReadFrequently: true });

  // `words`: what it says when it fails.
  constructor(address, longest, words) {
    this.#address = address;
    this.#longest = longest;
    this.#words = words;
  }

  get isOurs() {
    return this.#detector === null;
  }

  // Loads what is needed. Rejects with ReaderFailed; may be called again.
  async load() {
    if (this.#detector === undefined) this.#detector = await ownDetector();
    if (this.#detector || this.#worker) return;
    this.#worker = new Worker(this.#address);
    await this.#ask({}, LOADING_MS);
  }

  // Reads the picture that the video shows. Rejects with ReaderFailed; then `load` again.
  async read(video) {
    const sight = (await this.#readByBrowser(video)) ?? (await this.#readByUs(video));
    sight.codes = sight.codes.filter((code) => code.length > 0 && code.length <= Math.ceil(this.#longest / 3) * 4);
    return sight;
  }

  async #readByBrowser(video) {
    if (!this.#detector) return null;
    try {
      const found = await this.#detector.detect(video);
      return { codes: found.map((each) => base64(each.rawValue)), isBlurred: false };
    } catch {
      this.#detector = null; // its service has gone: ours goes on, from here to the end
      await this.load();
      return null;
    }
  }

  #readByUs(video) {
    const [width, height] = [video.videoWidth, video.videoHeight];
    Object.assign(this.#canvas, { width, height });
    this.#context.drawImage(video, 0, 0);
    const image = this.#context.getImageData(0, 0, width, height);
    return this.#ask({ image }, PATIENCE_MS, [image.data.buffer]);
  }

  #ask(question, patienceMs, transfer = []) {
    return new Promise((resolve, reject) => {
      const worker = this.#worker;
      const fail = (why) => {
        clearTimeout(timer);
        worker.terminate();
        this.#worker = null; // a new one at the next try: what failed to load is not kept
        reject(new ReaderFailed(why));
      };
      const timer = setTimeout(fail, patienceMs, this.#words.silent);
      worker.onerror = (event) => fail(event.message || this.#words.unloaded);
      worker.onmessage = ({ data }) => {
        if (data.failure) return fail(data.failure);
        clearTimeout(timer);
        resolve(data);
      };
      worker.postMessage(question, transfer);
    });
  }
}
