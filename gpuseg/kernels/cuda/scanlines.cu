// Scanlines of many PNGs to labels in one pass, and labels to scanlines of label maps.
//
// A row filter makes a pixel depend on those left of it, above it and left above it (PNG
// specification, 9). So the rows of an image are a wavefront: a warp takes a band of 32 rows,
// a row a lane, and each lane is one group of 4 pixels behind the lane above it, whose pixels
// come by a shuffle. Bands of an image follow each other in the same way, through `edges` in
// global memory and a counter of the groups that are ready; images stand side by side. A row of
// filter None or Sub needs nothing from above, so a band that begins with one waits for nobody.
//
// Lanes read rows that lie far apart, so a warp loads a tile of all its rows with whole words,
// a row at a time, through shared memory. The labels leave the same way.

constexpr int ROWS = 32;         // of a band: one a lane
constexpr int GROUP = 4;         // pixels of a step: their bytes are whole words
constexpr int SPAN = 32;         // words of a row that a tile holds: one a lane
constexpr int MOST_STEPS = 10;   // of a tile
constexpr int MOST_WARPS = 12;   // of a multiprocessor: with fewer registers a lane some would be spilled
constexpr unsigned int ALL = 0xffffffffu;
// Tiles reach over the ends of rows by so many bytes at most: 31 groups and a tile before the
// first row, after the last one as much and two tiles more.
constexpr int PAD = 4 * (4 * (ROWS + 2 * MOST_STEPS) + SPAN);

constexpr int NONE = 0, SUB = 1, UP = 2, AVERAGE = 3, PAETH = 4;
constexpr unsigned int TRANSPARENT = 1, BAD_FILTER = 2;

struct Image {
  long long start;        // its first scanline, in bytes of the data, PAD included
  long long label_start;  // its first label, in groups
  long long line_start;   // its first label scanline, in bytes
  long long edge_start;   // the edge of its first band, in words
  int width, height;      // pixels
  int channels;           // bytes a pixel: 1, 3 or 4
  int table;              // of 256 entries, where it has 1 channel
};

struct Band {
  int image, row;  // row: its first
};

// E: entry of the lookup table (16 or 32 bits); W: the word of 4 labels (32 or 64 bits).
template <class E, class W>
struct Batch {
  const unsigned int *words;  // the data: scanlines of all images; PAD bytes at both ends
  const Image *images;
  const Band *bands;  // from top to bottom, image by image
  const E *table;     // 2**24 entries, see lut.py
  const E *entries;   // tables of palette images, 256 entries each
  W *labels;          // rows start at whole groups
  unsigned int *edges;  // the last row of each band, 4 pixels packed to `channels` words
  unsigned long long *unknown;
  unsigned int *flags;
  unsigned int *progress;  // [0]: bands that were begun; [1 + band]: groups ready in its edge
};

template <class W>
struct Shared {
  unsigned int words[ROWS][SPAN + 1];   // one more, so that lanes read from different banks
  unsigned int above[SPAN];             // the edge of the band above
  unsigned int below[SPAN];             // the edge of this band
  W labels[ROWS][MOST_STEPS + 1];
  const unsigned int *rows[ROWS];       // the words of each row for a tile that starts at 0
};

__device__ unsigned int add_bytes(unsigned int a, unsigned int b) {
  return ((a & 0x7f7f7f7fu) + (b & 0x7f7f7f7fu)) ^ ((a ^ b) & 0x80808080u);
}

__device__ unsigned int subtract_bytes(unsigned int a, unsigned int b) {
  return ((a | 0x80808080u) - (b & 0x7f7f7f7fu)) ^ ((a ^ ~b) & 0x80808080u);
}

__device__ unsigned int average_bytes(unsigned int a, unsigned int b) {
  return (a & b) + (((a ^ b) & 0xfefefefeu) >> 1);
}

__device__ int distance(int a, int b) { return a > b ? a - b : b - a; }

// Paeth predictor of each byte of three pixels (PNG specification, 9.4).
template <int CHANNELS>
__device__ unsigned int paeth_bytes(unsigned int left, unsigned int above, unsigned int corner) {
  if (above == corner || left == above) return left;  // two of three are equal, as nearly
  if (left == corner) return above;                   // everywhere in masks
  unsigned int predictor = 0;
  for (int shift = 0; shift < 8 * CHANNELS; shift += 8) {
    const int a = left >> shift & 255, b = above >> shift & 255, c = corner >> shift & 255;
    const int to_left = distance(b, c), to_above = distance(a, c);
    const int to_corner = distance(a + b, 2 * c);
    int nearest = to_above <= to_corner ? b : c;
    if (to_left <= to_above && to_left <= to_corner) nearest = a;
    predictor |= static_cast<unsigned int>(nearest) << shift;
  }
  return predictor;
}

template <int CHANNELS>
__device__ unsigned int predict(
    int filter, unsigned int left, unsigned int above, unsigned int corner) {
  if (filter == PAETH) return paeth_bytes<CHANNELS>(left, above, corner);
  if (filter == AVERAGE) return average_bytes(left, above);
  return filter == UP ? above : filter == SUB ? left : 0;
}

// A group of pixels from `CHANNELS` words that begin `shift` bits after `words`.
template <int CHANNELS>
__device__ void unpack(const unsigned int *words, int shift, unsigned int (&pixels)[GROUP]) {
  unsigned int whole[CHANNELS];
  for (int k = 0; k < CHANNELS; ++k) whole[k] = __funnelshift_r(words[k], words[k + 1], shift);
  if (CHANNELS == 1) {
    for (int k = 0; k < GROUP; ++k) pixels[k] = whole[0] >> 8 * k & 255;
  } else if (CHANNELS == 3) {
    pixels[0] = whole[0] & 0xffffff;
    pixels[1] = __funnelshift_r(whole[0], whole[1 % CHANNELS], 24) & 0xffffff;
    pixels[2] = __funnelshift_r(whole[1 % CHANNELS], whole[2 % CHANNELS], 16) & 0xffffff;
    pixels[3] = whole[2 % CHANNELS] >> 8;
  } else {
    for (int k = 0; k < GROUP; ++k) pixels[k] = whole[k % CHANNELS];
  }
}

template <int CHANNELS>
__device__ void pack(const unsigned int (&pixels)[GROUP], unsigned int *words) {
  if (CHANNELS == 1) {
    words[0] = pixels[0] | pixels[1] << 8 | pixels[2] << 16 | pixels[3] << 24;
  } else if (CHANNELS == 3) {
    words[0] = pixels[0] | pixels[1] << 24;
    words[1] = pixels[1] >> 8 | pixels[2] << 16;
    words[2] = pixels[2] >> 16 | pixels[3] << 8;
  } else {
    for (int k = 0; k < GROUP; ++k) words[k] = pixels[k];
  }
}

// One band, from its left end to its right.
template <int CHANNELS, class E, class W>
struct BandScan {
  // as many as fit into the words of a tile, one of which goes to rows that begin inside a word
  static constexpr int FIT = (SPAN - 1) / CHANNELS;
  static constexpr int STEPS = FIT < MOST_STEPS ? FIT : MOST_STEPS;
  static constexpr int DEPTH = 4 * sizeof(E);  // an entry is as wide as two labels
  static constexpr unsigned int LABEL = (1u << DEPTH) - 1;

  const Batch<E, W> &batch;
  Shared<W> &shared;
  const int lane, number;
  const Band band;
  const Image image;
  const int rows;
  const int groups;  // of a row
  const long long row_bytes, edge_words;
  const E *table;

  __device__ BandScan(const Batch<E, W> &batch, Shared<W> &shared, int number)
      : batch(batch),
        shared(shared),
        lane(threadIdx.x),
        number(number),
        band(batch.bands[number]),
        image(batch.images[band.image]),
        rows(image.height - band.row < ROWS ? image.height - band.row : ROWS),
        groups((image.width - 1) / GROUP + 1),
        row_bytes(1 + static_cast<long long>(CHANNELS) * image.width),
        edge_words(static_cast<long long>(CHANNELS) * groups),
        table(CHANNELS == 1 ? batch.entries + 256 * image.table : batch.table) {}

  // Where the residuals of a row of this band begin, in bytes of the data.
  __device__ long long residuals(int row) const {
    return image.start + (band.row + row) * row_bytes + 1;
  }

  // An unknown filter counts as None: the labels of such an image are of no use.
  __device__ int filter_of(int row, bool *known = nullptr) const {
    const unsigned char *bytes = reinterpret_cast<const unsigned char *>(batch.words);
    const int filter = bytes[residuals(row) - 1];
    if (known) *known = filter <= PAETH;
    return filter <= PAETH ? filter : NONE;
  }

  __device__ unsigned int *edge_of(int which) const {
    return batch.edges + image.edge_start + (which - number + band.row / ROWS) * edge_words;
  }

  // The words of the tile whose first step takes group `start` in lane 0, group `start - row`
  // in the lane of a row.
  __device__ void load(int start, unsigned int (&next)[ROWS]) const {
    const int word = CHANNELS * start + lane;
    #pragma unroll
    for (int row = 0; row < ROWS; ++row) next[row] = __ldg(shared.rows[row] + word);
  }

  // Wait until the band above has the groups of a tile, and take its last row.
  __device__ void take_edge(int start) const {
    const int needed = start + STEPS < groups ? start + STEPS : groups;
    if (lane == 0) {
      while (atomicAdd(&batch.progress[number], 0u) < static_cast<unsigned int>(needed)) {
        __nanosleep(100);
      }
      __threadfence();
    }
    __syncwarp();
    const long long word = static_cast<long long>(CHANNELS) * start + lane;
    if (lane < CHANNELS * STEPS && word >= 0 && word < edge_words) {
      shared.above[lane] = __ldcg(edge_of(number - 1) + word);  // L1 may hold what was there before
    }
  }

  // Hand the last row of a tile to the band below.
  __device__ void give_edge(int start) const {
    const int ready = start + STEPS - (ROWS - 1) < groups ? start + STEPS - (ROWS - 1) : groups;
    const long long word = static_cast<long long>(CHANNELS) * (start - (ROWS - 1)) + lane;
    if (lane < CHANNELS * STEPS && word >= 0 && word < edge_words) {
      edge_of(number)[word] = shared.below[lane];
    }
    __syncwarp();
    if (lane == 0 && ready > 0) {
      __threadfence();
      atomicExch(&batch.progress[1 + number], static_cast<unsigned int>(ready));
    }
  }

  __device__ void write_labels(int start) const {
    W *labels = batch.labels + image.label_start + static_cast<long long>(band.row) * groups;
    for (int k = lane; k < rows * STEPS; k += ROWS) {
      const int row = k / STEPS, step = k % STEPS, group = start + step - row;
      if (group >= 0 && group < groups) {
        labels[static_cast<long long>(row) * groups + group] = shared.labels[row][step];
      }
    }
  }

  __device__ void run() {
    const int row = lane < rows ? lane : rows - 1;
    bool known;
    const int filter = filter_of(row, &known);
    const int shift = 8 * (residuals(row) & 3);
    const bool depends = band.row > 0 && filter_of(0) >= UP;
    const bool feeds = band.row + ROWS < image.height && filter_of(ROWS) >= UP;
    unsigned int pixels[GROUP] = {0, 0, 0, 0}, corner = 0, next[ROWS];
    unsigned int unknown = 0, found = known ? 0 : BAD_FILTER;
    shared.above[lane] = 0;
    // lanes without a row load one again, which costs less than to ask
    shared.rows[lane] = batch.words + (residuals(row) >> 2) - CHANNELS * lane;
    __syncwarp();
    // A tile takes what a tile of the band above has left in its last row, 31 groups further on;
    // so tiles of a band begin a group before those above, or would wait for a part of the next.
    const int first = -(band.row / ROWS % STEPS);
    load(first, next);
    const int steps = groups + rows - 1;
    for (int start = first; start < steps; start += STEPS) {
      #pragma unroll
      for (int k = 0; k < ROWS; ++k) shared.words[k][lane] = next[k];
      if (depends && start < groups) take_edge(start);
      __syncwarp();
      load(start + STEPS, next);  // on its way while this tile is worked on
      for (int step = 0; step < STEPS; ++step) {
        const int group = start + step - lane;
        unsigned int residual[GROUP], above[GROUP];
        unpack<CHANNELS>(&shared.words[lane][CHANNELS * step], shift, residual);
        for (int k = 0; k < GROUP; ++k) above[k] = __shfl_up_sync(ALL, pixels[k], 1);
        if (lane == 0) unpack<CHANNELS>(&shared.above[CHANNELS * step], 0, above);
        unsigned int left = group ? pixels[GROUP - 1] : 0;
        if (group == 0) corner = 0;
        const bool inside = lane < rows && group >= 0 && group < groups;
        W packed = 0;
        for (int k = 0; k < GROUP; ++k) {
          const unsigned int predictor = predict<CHANNELS>(filter, left, above[k], corner);
          left = add_bytes(residual[k], predictor) & (ALL >> (32 - 8 * CHANNELS));
          corner = above[k];
          pixels[k] = left;
          const unsigned int entry = __ldg(&table[left & 0xffffff]);
          packed |= static_cast<W>(entry & LABEL) << DEPTH * k;
          if (inside && GROUP * group + k < image.width) {
            unknown += entry >> DEPTH & 1;
            if (CHANNELS == 4 && left >> 24 != 255) found |= TRANSPARENT;
          }
        }
        shared.labels[lane][step] = packed;
        if (lane == ROWS - 1) pack<CHANNELS>(pixels, &shared.below[CHANNELS * step]);
      }
      __syncwarp();
      write_labels(start);
      if (feeds) give_edge(start);
    }
    if (unknown) atomicAdd(&batch.unknown[band.image], static_cast<unsigned long long>(unknown));
    if (found) atomicOr(&batch.flags[band.image], found);
  }
};

// A warp a block, a band a block. Bands are begun in order, whatever the order of the blocks is,
// so the band that one waits for is at work or done.
template <class E, class W>
__global__ void __launch_bounds__(ROWS, MOST_WARPS) scan(
    const unsigned int *words, const Image *images, const Band *bands, const E *table,
    const E *entries, W *labels, unsigned int *edges, unsigned long long *unknown,
    unsigned int *flags, unsigned int *progress) {
  __shared__ Shared<W> shared;
  const Batch<E, W> batch = {
      words, images, bands, table, entries, labels, edges, unknown, flags, progress};
  unsigned int ticket = 0;
  if (threadIdx.x == 0) ticket = atomicAdd(&progress[0], 1u);
  const int number = __shfl_sync(ALL, ticket, 0);
  switch (images[bands[number].image].channels) {
    case 1: BandScan<1, E, W>(batch, shared, number).run(); break;
    case 3: BandScan<3, E, W>(batch, shared, number).run(); break;
    default: BandScan<4, E, W>(batch, shared, number).run();
  }
}

// How many bytes of a word differ from the byte before them: `before` is the word on its left.
// Bytes from `count` on do not count.
__device__ int count_changes(unsigned int word, unsigned int before, long long count) {
  const unsigned int changed = word ^ __funnelshift_l(before, word, 8);
  const unsigned int flags = (((changed & 0x7f7f7f7fu) + 0x7f7f7f7fu) | changed) & 0x80808080u;
  return __popc(count < GROUP ? flags & ((1u << 8 * count) - 1) : flags);
}

// The filter of one row of labels, chosen as `filters.py` does: None, or Up where its runs are
// fewer. A warp a row; `labels` and `above` are words of 4.
__device__ int choose_filter(const unsigned int *labels, const unsigned int *above, int width) {
  const int words = (width - 1) / GROUP + 1;
  long long none = 0, up = 0;
  for (int k = threadIdx.x; k < words; k += 32) {
    const long long count = static_cast<long long>(width) - static_cast<long long>(GROUP) * k;
    const unsigned int word = labels[k], step = subtract_bytes(word, above[k]);
    // what is left of the first label equals it, so that it is no change
    const unsigned int before = k ? labels[k - 1] : word << 24;
    const unsigned int before_step = k ? subtract_bytes(before, above[k - 1]) : step << 24;
    none += count_changes(word, before, count);
    up += count_changes(step, before_step, count);
  }
  for (int lanes = 16; lanes; lanes /= 2) {
    none += __shfl_xor_sync(ALL, none, lanes);
    up += __shfl_xor_sync(ALL, up, lanes);
  }
  return 4 * up < width && 3 * none > 2 * up + 4 ? UP : NONE;
}

// Labels of 8 bits to filtered scanlines, tight. Blocks of some warps; a block a band.
__global__ void filter_rows(
    const Image *images, const Band *bands, const unsigned int *labels, unsigned char *lines) {
  const Band band = bands[blockIdx.x];
  const Image image = images[band.image];
  const int groups = (image.width - 1) / GROUP + 1;
  const int end = image.height - band.row < ROWS ? image.height : band.row + ROWS;
  for (int y = band.row + threadIdx.y; y < end; y += blockDim.y) {
    const unsigned int *row = labels + image.label_start + static_cast<long long>(y) * groups;
    const int filter = y ? choose_filter(row, row - groups, image.width) : NONE;
    unsigned char *line = lines + image.line_start + y * (1LL + image.width);
    if (threadIdx.x == 0) line[0] = filter;
    const unsigned char *bytes = reinterpret_cast<const unsigned char *>(row);
    const unsigned char *above = reinterpret_cast<const unsigned char *>(row - groups);
    for (int x = threadIdx.x; x < image.width; x += 32) {
      line[1 + x] = filter == UP ? bytes[x] - above[x] : bytes[x];
    }
  }
}
