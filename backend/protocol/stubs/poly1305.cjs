// Stands in for ssh2's WebAssembly cipher in bundles: chacha20-poly1305 is never offered, and the
// agent must start where there is no WebAssembly.
module.exports = async () => ({
  _malloc: () => 0,
  cwrap: () => () => {
    throw new Error("chacha20-poly1305 is not part of this program");
  },
});
