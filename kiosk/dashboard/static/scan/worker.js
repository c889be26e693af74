// Reads QR codes out of pictures, beside the page so that it never stutters: zxing-cpp as WebAssembly.
// In: {image: ImageData}, or nothing but a wish to know when it is ready. Out: {codes: [base64], isBlurred} or {failure}.
"use strict";

importScripts("../vendor/zxing_reader.js");

const WASM = new URL("../vendor/zxing_reader.wasm", self.location.href).href;
// Ordinary QR codes only: in this version "QRCode" is a family, and its small cousins are read where there are none.
const OPTIONS = { formats: ["QRCodeModel2"], tryHarder: true, tryInvert: true, tryRotate: true, tryDownscale: true, returnErrors: true };
const overrides = { locateFile: () => WASM, printErr: () => {} }; // what fails is told to the page, in `failure`
const ready = ZXingWASM.prepareZXingModule({ overrides, fireImmediately: true });

const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

self.onmessage = async (event) => {
  try {
    await ready;
    const found = event.data.image ? await ZXingWASM.readBarcodes(event.data.image, OPTIONS) : [];
    const codes = found.filter((each) => each.isValid).map((each) => base64(each.bytes));
    self.postMessage({ codes, isBlurred: found.some((each) => !each.isValid) });
  } catch (error) {
    self.postMessage({ failure: String(error) });
  }
};
