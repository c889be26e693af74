// The phone's camera as one thing that is opened, looked at and let go; with its light where it has one.
const WISHES = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const FIRST_PICTURE_MS = 8000; // some phones take their time

export class CameraFailed extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind; // insecure, refused, none, busy, stalled
  }
}

const KINDS = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "none", OverconstrainedError: "none" };

export class Camera {
  #video;
  #stream = null;
  #chosen = null; // the id of the camera that a person switched to
  #turn = 0; // a camera that comes after it was let go is let go at once

  constructor(video) {
    this.#video = video;
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0] ?? null;
  }

  get isOpen() {
    return this.#track?.readyState === "live";
  }

  get canLight() {
    return Boolean(this.#track?.getCapabilities?.().torch);
  }

  // Rejects with CameraFailed.
  async open() {
    this.close();
    if (!navigator.mediaDevices?.getUserMedia) throw new CameraFailed(window.isSecureContext ? "none" : "insecure");
    const which = this.#chosen ? { deviceId: { exact: this.#chosen } } : { facingMode: { ideal: "environment" } };
    const mine = this.#turn;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...which, ...WISHES } });
    } catch (error) {
      this.#chosen = null; // it may have been unplugged: next time any
      throw new CameraFailed(KINDS[error.name] ?? "busy");
    }
    if (mine !== this.#turn) {
      stream.getTracks().forEach((each) => each.stop());
      throw new CameraFailed("stalled");
    }
    this.#stream = stream;
    const track = this.#track;
    this.#video.classList.toggle("is-mirror", track.getSettings().facingMode === "user");
    if (track.getCapabilities?.().focusMode?.includes("continuous")) {
      track.applyConstraints({ advanced: [{ focusMode: "continuous" }] }).catch(() => {}); // it focuses as it likes
    }
    this.#video.srcObject = this.#stream;
    this.#video.play().catch(() => {}); // what matters is whether a picture comes
    await this.picture(FIRST_PICTURE_MS);
  }

  // Lets the camera go; safe to call twice.
  close() {
    this.#turn += 1;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = this.#video.srcObject = null;
  }

  // Resolves when there is a picture that was not there at the call. Rejects with CameraFailed when none comes in time.
  picture(patienceMs) {
    return new Promise((resolve, reject) => {
      const video = this.#video;
      const before = video.getVideoPlaybackQuality().totalVideoFrames;
      const hasFrames = "requestVideoFrameCallback" in video;
      const endMs = performance.now() + patienceMs;
      const done = () => {
        clearInterval(timer);
        if (handle !== null) video.cancelVideoFrameCallback(handle);
      };
      const handle = hasFrames ? video.requestVideoFrameCallback(() => { clearInterval(timer); resolve(); }) : null;
      const timer = setInterval(() => {
        if (!hasFrames && video.getVideoPlaybackQuality().totalVideoFrames > before) {
          done();
          resolve();
        } else if (!this.isOpen || performance.now() > endMs) {
          done();
          reject(new CameraFailed("stalled"));
        }
      }, hasFrames ? 100 : 30);
    });
  }

  async light(isOn) {
    await this.#track?.applyConstraints({ advanced: [{ torch: isOn }] });
  }

  async count() {
    return (await this.#all()).length;
  }

  // Chooses the next camera; `open` takes it.
  async turn() {
    const all = (await this.#all()).map((each) => each.deviceId);
    const now = all.indexOf(this.#track?.getSettings().deviceId);
    this.#chosen = all[(now + 1) % all.length] ?? null;
  }

  async #all() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((each) => each.kind === "videoinput");
  }
}
