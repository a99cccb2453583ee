// Confusion matrices of the images of a ragged batch: which index the prediction has where the
// truth has which.
//
// A block takes a stretch of the pixels and counts in shared memory, image by image; what it
// counted is merged into the matrix of the image by one atomic a cell that is not 0. Label maps
// are runs, so a thread counts in registers while nothing changes, and goes to the shared counts
// at a change only: neighbours, which mostly hit the same cell, then seldom meet there.
//
// A matrix that is too large for shared memory is counted by tiles of its rows: a block for each
// tile, all of which read the pixels of their stretch. So it needs no more shared memory than
// every device gives unasked, and no launch depends on the device. With CELLS = 0 threads count
// in global memory right away: for matrices of so many tiles that reading would cost more.

constexpr int MOST_THREADS = 512;  // of a block
constexpr int VECTOR = 16;         // bytes that a thread loads at once of the wider of both images

template <int BYTES> struct Word;  // what holds so many bytes and is loaded at once
template <> struct Word<1> { typedef unsigned char type; };
template <> struct Word<2> { typedef unsigned short type; };
template <> struct Word<4> { typedef unsigned int type; };
template <> struct Word<8> { typedef uint2 type; };
template <> struct Word<16> { typedef uint4 type; };

// Where the pixels of a block are counted.
struct Tile {
  const unsigned short *slots;
  int indices, bins;
  unsigned int first, rows;  // of the matrix
  unsigned int *mine;        // counts of these rows in shared memory, or null
  unsigned long long *all;   // the matrix of the image

  // Which row or column an index has: the last one where it is below 0 or not in the table.
  template <class T>
  __device__ unsigned int slot(T index) const {
    const unsigned long long place = static_cast<unsigned long long>(index);
    return place < indices ? __ldg(&slots[place]) : bins - 1;
  }

  template <class T, class P>
  __device__ void add(T truth, P prediction, unsigned int pixels) const {
    const unsigned int row = slot(truth), column = slot(prediction);
    if (!mine) {
      atomicAdd(&all[static_cast<long long>(row) * bins + column],
                static_cast<unsigned long long>(pixels));
    } else if (row - first < rows) {
      atomicAdd(&mine[(row - first) * bins + column], pixels);
    }
  }
};

// Equal pixels one after the other.
template <class T, class P>
struct Run {
  T truth;
  P prediction;
  unsigned int pixels;

  __device__ void take(T next, P predicted, const Tile &tile) {
    if (next != truth || predicted != prediction) {
      end(tile);
      truth = next;
      prediction = predicted;
      pixels = 0;
    }
    ++pixels;
  }
  __device__ void end(const Tile &tile) {
    if (pixels) tile.add(truth, prediction, pixels);
  }
};

template <class T, int GROUP>
struct Loaded {
  typedef typename Word<GROUP * sizeof(T)>::type Whole;
  union {
    Whole whole;
    T pixels[GROUP];
  };

  __device__ explicit Loaded(const T *from) : whole(__ldg(reinterpret_cast<const Whole *>(from))) {}
  __device__ static bool is_aligned(const T *memory) {
    return reinterpret_cast<size_t>(memory) % sizeof(Whole) == 0;
  }
};

// Counts the pixels from `begin` to `end`, by all threads of a block: in groups that begin at
// multiples of their size, those at the ends pixel by pixel.
template <class T, class P>
__device__ void count(const T *truth, const P *prediction, long long begin, long long end,
                      const Tile &tile) {
  constexpr int GROUP = VECTOR / (sizeof(T) > sizeof(P) ? sizeof(T) : sizeof(P));
  const bool aligned =
      Loaded<T, GROUP>::is_aligned(truth) && Loaded<P, GROUP>::is_aligned(prediction);
  const int thread = threadIdx.y * blockDim.x + threadIdx.x;
  const int step = GROUP * blockDim.x * blockDim.y;
  Run<T, P> run = {0, 0, 0};
  for (long long at = begin / GROUP * GROUP + GROUP * thread; at < end; at += step) {
    if (aligned && at >= begin && at + GROUP <= end) {
      const Loaded<T, GROUP> truths(truth + at);
      const Loaded<P, GROUP> predictions(prediction + at);
#pragma unroll
      for (int k = 0; k < GROUP; ++k) run.take(truths.pixels[k], predictions.pixels[k], tile);
    } else {
      const long long last = at + GROUP < end ? at + GROUP : end;
      for (long long pixel = at > begin ? at : begin; pixel < last; ++pixel) {
        run.take(truth[pixel], prediction[pixel], tile);
      }
    }
  }
  run.end(tile);
}

// The image that holds a pixel: the last one that begins at it or before. Images may be empty.
__device__ int find_image(const long long *offsets, int images, long long pixel) {
  int image = 0, after = images;
  while (after - image > 1) {
    const int middle = image + (after - image) / 2;
    if (offsets[middle] <= pixel) image = middle; else after = middle;
  }
  return image;
}

// T, P: integers. CELLS: counts of a block in shared memory, a row at least, or 0.
// offsets: where images begin, `images + 1`; null where there is one image.
// slots: `indices`. counts: `bins` rows and columns for each image, added to.
// pixels: of all images. stretch: those of a block, < 2**32, for it counts in 32 bits.
// Blocks: one for each tile of each stretch, see `Layout` in confusion.py.
template <class T, class P, int CELLS>
__global__ void __launch_bounds__(MOST_THREADS) confuse(
    const T *truth, const P *prediction, const long long *offsets, const unsigned short *slots,
    unsigned long long *counts, long long pixels, long long stretch, int images, int indices,
    int bins) {
  __shared__ unsigned int mine[CELLS ? CELLS : 1];
  const int most = CELLS ? CELLS / bins : bins;
  const int tiles = (bins + most - 1) / most;
  const int first = blockIdx.x % tiles * most;
  const int rows = bins - first < most ? bins - first : most;
  const int cells = CELLS ? rows * bins : 0;
  const int thread = threadIdx.y * blockDim.x + threadIdx.x;
  const int threads = blockDim.x * blockDim.y;

  long long begin = blockIdx.x / tiles * stretch;
  const long long last = begin + stretch < pixels ? begin + stretch : pixels;
  int image = offsets ? find_image(offsets, images, begin) : 0;
  while (begin < last) {
    const long long end = offsets && offsets[image + 1] < last ? offsets[image + 1] : last;
    if (begin < end) {  // an image that is not empty
      unsigned long long *all = counts + static_cast<long long>(image) * bins * bins;
      for (int k = thread; k < cells; k += threads) mine[k] = 0;
      __syncthreads();  // before counting
      const Tile tile = {slots, indices, bins, static_cast<unsigned int>(first),
                         static_cast<unsigned int>(rows), CELLS ? mine : nullptr, all};
      count(truth, prediction, begin, end, tile);
      __syncthreads();  // before merging
      for (int k = thread; k < cells; k += threads) {
        if (mine[k]) {
          atomicAdd(&all[static_cast<long long>(first) * bins + k],
                    static_cast<unsigned long long>(mine[k]));
        }
      }
      begin = end;
    }
    ++image;
  }
}
