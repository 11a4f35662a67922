// HMAC-SHA256 of the raw body by WebCrypto, which compares in constant time.
const key = await crypto.subtle.importKey(
  "raw",
  new TextEncoder().encode("bench-app-secret"),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["verify"],
);

const digit = (code) => (code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : NaN);

function unhex(text) {
  const bytes = new Uint8Array(32);
  for (let at = 0; at < 32; at += 1) {
    const byte = digit(text.charCodeAt(2 * at)) * 16 + digit(text.charCodeAt(2 * at + 1));
    if (Number.isNaN(byte)) return null;
    bytes[at] = byte;
  }
  return bytes;
}

/** Whether `header` is the signature of `body`. */
export async function genuine(header, body) {
  if (header?.length !== 71 || !header.startsWith("sha256=")) return false;
  const signature = unhex(header.slice(7));
  return signature !== null && await crypto.subtle.verify("HMAC", key, signature, body);
}
