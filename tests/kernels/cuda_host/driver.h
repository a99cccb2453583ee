// Runs one of `kernels`, built in SLOTS namespaces, over arrays in files:
//   program ARRAYS RESULTS KERNEL FIRST BLOCKS WARPS
// ARRAYS holds for each array its size in bytes (8) and its bytes, RESULTS the same afterwards.
// FIRST is the number of the first of BLOCKS blocks.
#include <string>

// The threads of the blocks that a slot runs, one block after the other.
struct Slot {
  Gate gate, inner;  // before and after a block; its own
  std::vector<Warp> warps;
  unsigned int block = 0;

  explicit Slot(unsigned int count) : gate(32 * count), inner(32 * count), warps(count) {}

  void work(unsigned int x, unsigned int y, Kernel kernel, const Arrays &arrays,
            const std::vector<unsigned int> &order, std::atomic<unsigned int> &next) {
    threadIdx = {x, y, 0};
    warp = &warps[y];
    block_gate = &inner;
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
  const int kernel = std::stoi(words[3]), first = std::stoi(words[4]);
  const int blocks = std::stoi(words[5]), count = std::stoi(words[6]);
  blockDim = {32, static_cast<unsigned int>(count), 1};
  std::vector<unsigned int> order;
  for (int k = 0; k < blocks; ++k) order.push_back(first + (k + blocks / 2) % blocks);  // any will do
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
