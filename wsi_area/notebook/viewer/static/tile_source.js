// Where OpenSeadragon gets its tiles: from the kernel, never from an address.

/** A slide, or its classes, cut into the tiles that the kernel makes. */
class TileFromKernel extends OpenSeadragon.TileSource {
  constructor(facts, kind, lastLevel, load) {
    const scale = 2 ** (facts.last_level - lastLevel);
    super({
      width: facts.width_px / scale,
      height: facts.height_px / scale,
      tileSize: facts.tile_px,
      tileOverlap: 0,
      minLevel: facts.first_level,
      maxLevel: lastLevel,
    });
    this.kind = kind;
    this.load = load;
  }

  getTileUrl(level, column, row) {
    return `${this.kind}/${level}/${column}/${row}`; // a name; nothing is fetched
  }

  hasTransparency() {
    return this.kind.startsWith("classes");
  }

  downloadTileStart(job) {
    const [level, column, row] = job.src.split("/").slice(-3).map(Number);
    this.load(level, column, row, job).then(
      (bitmap) => job.finish(bitmap, null, "imageBitmap"),
      (error) => job.fail(error.message, null),
    );
  }

  downloadTileAbort(job) {
    job.userData.drop?.();
  }
}
