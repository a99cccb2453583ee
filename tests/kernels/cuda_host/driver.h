// Runs a kernel of `scanlines.cu`, built in SLOTS namespaces, over arrays in files:
//   program ARRAYS RESULTS KERNEL BLOCKS WARPS
// ARRAYS holds for each array its size in bytes (8) and its bytes, RESULTS the same afterwards.
#include <string>

using Arrays = std::vector<void *>;

#define KERNELS(space)                                                                      \
  static void space##_scan_8(const Arrays &a) {                                             \
    using namespace space;                                                                  \
    scan<unsigned short, unsigned int>(                                                     \
        (const unsigned *)a[0], (const Image *)a[1], (const Band *)a[2],                    \
        (const unsigned short *)a[3], (const unsigned short *)a[4], (unsigned *)a[5],       \
        (unsigned *)a[6], (unsigned long long *)a[7], (unsigned *)a[8], (unsigned *)a[9]);  \
  }                                                                                         \
  static void space##_scan_16(const Arrays &a) {                                            \
    using namespace space;                                                                  \
    scan<unsigned int, unsigned long long>(                                                 \
        (const unsigned *)a[0], (const Image *)a[1], (const Band *)a[2],                    \
        (const unsigned *)a[3], (const unsigned *)a[4], (unsigned long long *)a[5],         \
        (unsigned *)a[6], (unsigned long long *)a[7], (unsigned *)a[8], (unsigned *)a[9]);  \
  }                                                                                         \
  static void space##_filter(const Arrays &a) {                                             \
    using namespace space;                                                                  \
    filter_rows((const Image *)a[0], (const Band *)a[1], (const unsigned *)a[2],            \
                (unsigned char *)a[3]);                                                     \
  }
KERNELS(slot0) KERNELS(slot1) KERNELS(slot2)

using Kernel = void (*)(const Arrays &);
constexpr int SLOTS = 3;
static const Kernel kernels[3][SLOTS] = {
    {slot0_scan_8, slot1_scan_8, slot2_scan_8},
    {slot0_scan_16, slot1_scan_16, slot2_scan_16},
    {slot0_filter, slot1_filter, slot2_filter}};

// The threads of the blocks that a slot runs, one block after the other.
struct Slot {
  Gate gate;
  std::vector<Warp> warps;
  unsigned int block = 0;

  explicit Slot(unsigned int count) : gate(32 * count), warps(count) {}

  void work(unsigned int x, unsigned int y, Kernel kernel, const Arrays &arrays,
            const std::vector<unsigned int> &order, std::atomic<unsigned int> &next) {
    threadIdx = {x, y, 0};
    warp = &warps[y];
    while (true) {
      if (x == 0 && y == 0) block = next.fetch_add(1, std::memory_order_relaxed);
      gate.pass_ordered();
      if (block >= order.size()) return;
      blockIdx = {order[block], 0, 0};
      kernel(arrays);
      gate.pass_ordered();
    }
  }
};

int main(int, char **words) {
  Arrays arrays;
  std::vector<uint64_t> sizes;
  std::FILE *file = std::fopen(words[1], "rb");
  for (uint64_t size; std::fread(&size, 8, 1, file) == 1;) {
    arrays.push_back(std::malloc(size));  // each of its own, so that its ends are known
    sizes.push_back(size);
    if (std::fread(arrays.back(), 1, size, file) != size) return 3;
  }
  std::fclose(file);
  const int kernel = std::stoi(words[3]), blocks = std::stoi(words[4]), count = std::stoi(words[5]);
  blockDim = {32, static_cast<unsigned int>(count), 1};
  std::vector<unsigned int> order;
  for (int k = 0; k < blocks; ++k) order.push_back((k + blocks / 2) % blocks);  // any will do
  std::atomic<unsigned int> next{0};
  std::vector<Slot *> slots;
  std::vector<std::thread> threads;
  for (int s = 0; s < SLOTS; ++s) slots.push_back(new Slot(count));
  for (int s = 0; s < SLOTS; ++s) {
    for (int t = 0; t < 32 * count; ++t) {
      threads.emplace_back([&, s, t] {
        slots[s]->work(t % 32, t / 32, kernels[kernel][s], arrays, order, next);
      });
    }
  }
  for (std::thread &thread : threads) thread.join();
  file = std::fopen(words[2], "wb");
  for (size_t k = 0; k < arrays.size(); ++k) {
    std::fwrite(&sizes[k], 8, 1, file);
    std::fwrite(arrays[k], 1, sizes[k], file);
    std::free(arrays[k]);
  }
  for (Slot *slot : slots) delete slot;
  return std::fclose(file);
}
