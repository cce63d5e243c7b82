// Opens what the keeper has sealed, with nothing of its code: by what SECURITY.md says of the files.

import { createDecipheriv, hkdfSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The sealed sessions below a directory: the label of each, and its bytes. */
export function sealed(directory) {
  return readdirSync(directory, { recursive: true })
    .filter((name) => name.endsWith(".sealed"))
    .map((name) => {
      const file = readFileSync(join(directory, name));
      const line = file.indexOf("\n") + 1;
      return { label: JSON.parse(file.subarray(0, line)), file, line };
    });
}

/** What is in one of them; `key` is the text of the keyring's item. */
export function open({ label, file, line }, key) {
  const wrapping = Buffer.from(key.replace(/^pilotlight-key-1\./, ""), "base64url");
  const info = Buffer.concat([Buffer.from("pilotlight session key\0"), Buffer.from(label.profile)]);
  const own = Buffer.from(hkdfSync("sha256", wrapping, Buffer.alloc(0), info, 32));
  const nonce = file.subarray(line, line + 24);
  const inner = Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]);
  const cipher = createDecipheriv("chacha20-poly1305", hchacha20(own, nonce.subarray(0, 16)), inner, { authTagLength: 16 });
  const text = file.subarray(line + 24, file.length - 16);
  cipher.setAAD(file.subarray(0, line), { plaintextLength: text.length });
  cipher.setAuthTag(file.subarray(file.length - 16));
  const plain = Buffer.concat([cipher.update(text), cipher.final()]);
  return JSON.parse(plain.subarray(4, 4 + plain.readUInt32LE(0)));
}

/** The key that XChaCha20 derives from the first part of its nonce (draft-irtf-cfrg-xchacha, section 2.2). */
function hchacha20(key, nonce) {
  const state = Uint32Array.from({ length: 16 }, (_, at) => {
    if (at < 4) return [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574][at];
    return at < 12 ? key.readUInt32LE((at - 4) * 4) : nonce.readUInt32LE((at - 12) * 4);
  });
  const mix = (into, add, turn, by) => {
    state[into] += state[add];
    const mixed = state[turn] ^ state[into];
    state[turn] = (mixed << by) | (mixed >>> (32 - by));
  };
  const quarter = (a, b, c, d) => {
    mix(a, b, d, 16);
    mix(c, d, b, 12);
    mix(a, b, d, 8);
    mix(c, d, b, 7);
  };
  for (let round = 0; round < 10; round += 1) {
    for (const at of [0, 1, 2, 3]) quarter(at, at + 4, at + 8, at + 12);
    for (const at of [0, 1, 2, 3]) quarter(at, 4 + ((at + 1) % 4), 8 + ((at + 2) % 4), 12 + ((at + 3) % 4));
  }
  const out = Buffer.alloc(32);
  for (const at of [0, 1, 2, 3]) {
    out.writeUInt32LE(state[at], at * 4);
    out.writeUInt32LE(state[12 + at], 16 + at * 4);
  }
  return out;
}
