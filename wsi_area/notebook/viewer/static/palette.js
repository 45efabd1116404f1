// Which classes are seen: the opacities in the palette of a PNG, whose indices are the codes of the classes.

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** Return a copy of a PNG in which the palette entries of some codes are clear. */
function withoutCodes(png, hidden) {
  const copy = png.slice();
  const view = new DataView(copy.buffer);
  for (let at = 8; at < copy.length; ) {
    const length = view.getUint32(at);
    if (String.fromCharCode(...copy.subarray(at + 4, at + 8)) === "tRNS") {
      for (const code of hidden) if (code < length) copy[at + 8 + code] = 0;
      view.setUint32(at + 8 + length, crc32(copy.subarray(at + 4, at + 8 + length)));
      return copy;
    }
    at += 12 + length;
  }
  return copy;
}
