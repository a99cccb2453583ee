// Lets a C++ compiler build a CUDA text unchanged, and runs it with real threads: one for each
// lane of each warp, several blocks at once. Made so that ThreadSanitizer sees what a GPU would
// not forgive: a shuffle orders no memory, an atomic is relaxed, and only __syncthreads,
// __syncwarp and __threadfence make what one lane wrote visible to another.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#define __global__
#define __device__
#define __restrict__
#define __launch_bounds__(...)
#define __shared__ static  // the text is built once for each block that runs at the same time

struct Dimensions { unsigned int x, y, z; };
static thread_local Dimensions threadIdx, blockIdx;
static Dimensions blockDim;

// All threads of a group come before any goes on.
class Gate {
  const unsigned int size_;
  std::atomic<unsigned int> arrived_{0}, turn_{0};

 public:
  explicit Gate(unsigned int size) : size_(size) {}

  void pass(std::memory_order arrive, std::memory_order leave, std::memory_order see) {
    const unsigned int now = turn_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, arrive) + 1 == size_) {
      arrived_.store(0, std::memory_order_relaxed);
      turn_.store(now + 1, leave);
    } else {
      while (turn_.load(see) == now) std::this_thread::yield();
    }
  }
  void pass_ordered() {
    pass(std::memory_order_acq_rel, std::memory_order_release, std::memory_order_acquire);
  }
  void pass_unordered() {
    pass(std::memory_order_relaxed, std::memory_order_relaxed, std::memory_order_relaxed);
  }
};

struct Warp {
  Gate memory{32}, control{32};
  std::atomic<uint64_t> slots[2][32] = {};
};

static thread_local Warp *warp;
static thread_local uint32_t exchanges;

static thread_local Gate *block_gate;
static inline void __syncthreads() { block_gate->pass_ordered(); }
static inline void __syncwarp() { warp->memory.pass_ordered(); }

// What the lane `from` gives. A slot carries the number of the exchange beside the value, so
// that it is right on any processor although nothing is ordered.
static uint32_t exchange(uint32_t value, unsigned int from) {
  const uint32_t number = ++exchanges;
  auto &slots = warp->slots[number & 1];
  slots[threadIdx.x].store(static_cast<uint64_t>(number) << 32 | value, std::memory_order_relaxed);
  warp->control.pass_unordered();
  uint64_t found;
  do found = slots[from].load(std::memory_order_relaxed); while (found >> 32 != number);
  return static_cast<uint32_t>(found);
}

static inline void need_all(unsigned int mask) {
  if (mask != 0xffffffffu) abort();
}

template <class T>
static T exchange_any(T value, unsigned int from) {
  const uint64_t wide = value;
  uint64_t found = exchange(static_cast<uint32_t>(wide), from);
  if (sizeof(T) == 8) found |= uint64_t{exchange(static_cast<uint32_t>(wide >> 32), from)} << 32;
  return static_cast<T>(found);
}
template <class T>
static T __shfl_sync(unsigned int mask, T value, int from) {
  need_all(mask);
  return exchange_any(value, from);
}
template <class T>
static T __shfl_up_sync(unsigned int mask, T value, unsigned int by) {
  need_all(mask);
  return exchange_any(value, threadIdx.x < by ? threadIdx.x : threadIdx.x - by);
}
template <class T>
static T __shfl_xor_sync(unsigned int mask, T value, int lanes) {
  need_all(mask);
  return exchange_any(value, threadIdx.x ^ lanes);
}

template <class T>
static T atomicAdd(T *address, T value) {
  return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}
template <class T>
static T atomicOr(T *address, T value) {
  return __atomic_fetch_or(address, value, __ATOMIC_RELAXED);
}
template <class T>
static T atomicExch(T *address, T value) {
  return __atomic_exchange_n(address, value, __ATOMIC_RELAXED);
}

// ThreadSanitizer knows no fences. One that came earlier in the order of all fences is seen by
// one that comes later: what a change of a common variable does.
static std::atomic<uint64_t> fences;
static inline void __threadfence() { fences.fetch_add(1, std::memory_order_acq_rel); }
static inline void __nanosleep(unsigned int) { std::this_thread::yield(); }

template <class T> static inline T __ldg(const T *address) { return *address; }
template <class T> static inline T __ldcg(const T *address) { return *address; }
static inline int __popc(unsigned int bits) { return __builtin_popcount(bits); }
static inline uint32_t __funnelshift_r(uint32_t low, uint32_t high, unsigned int by) {
  return static_cast<uint32_t>((static_cast<uint64_t>(high) << 32 | low) >> (by & 31));
}
static inline uint32_t __funnelshift_l(uint32_t low, uint32_t high, unsigned int by) {
  return static_cast<uint32_t>((static_cast<uint64_t>(high) << 32 | low) << (by & 31) >> 32);
}

struct alignas(8) uint2 { uint32_t x, y; };
struct alignas(16) uint4 { uint32_t x, y, z, w; };

// How the drivers call a kernel, built in a namespace for each block that runs at the same time.
using Arrays = std::vector<void *>;
using Kernel = void (*)(const Arrays &);
constexpr int SLOTS = 3;
