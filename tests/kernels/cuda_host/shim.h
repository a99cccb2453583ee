// Lets a C++ compiler build the CUDA text of an ElementwiseKernel unchanged, and run it with
// every access to an array checked: inside the array, and aligned to its element.
#include <cstddef>
#include <cstdint>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline

struct Dimensions { unsigned int x, y, z; };
static Dimensions threadIdx, blockIdx, blockDim, gridDim;

struct Violations { int64_t outside, misaligned; };
static Violations violations;

// The loop over the elements, as CuPy defines it.
#define CUPY_FOR(i, n)                                                              \
  for (ptrdiff_t i = static_cast<ptrdiff_t>(blockIdx.x) * blockDim.x + threadIdx.x; \
       i < (n); i += static_cast<ptrdiff_t>(blockDim.x) * gridDim.x)

template <class T, int dimensions, bool contiguous, bool narrow>
class CArray {
  T *data_;
  ptrdiff_t size_;

  T &at(ptrdiff_t k) const {
    static T nowhere[1];
    if (k < 0 || k >= size_) {
      ++violations.outside;
      nowhere[0] = T();
      return nowhere[0];
    }
    if (reinterpret_cast<uintptr_t>(data_ + k) % sizeof(T)) ++violations.misaligned;
    return data_[k];
  }

 public:
  CArray(void *data, int64_t size) : data_(static_cast<T *>(data)), size_(size) {
    static_assert(dimensions == 1 && contiguous, "the kernels take flat arrays");
  }
  ptrdiff_t size() const { return size_; }
  T &operator[](ptrdiff_t k) { return at(k); }
  const T &operator[](ptrdiff_t k) const { return at(k); }
};

template <int dimensions, bool narrow>
class CIndexer {
  ptrdiff_t size_;

 public:
  explicit CIndexer(int64_t size) : size_(size) {}
  ptrdiff_t size() const { return size_; }
  void set(ptrdiff_t) {}
};

template <class T>
static inline T __ldg(const T *address) { return *address; }

static inline unsigned int __funnelshift_r(unsigned int low, unsigned int high, unsigned int by) {
  return static_cast<unsigned int>((static_cast<uint64_t>(high) << 32 | low) >> (by & 31));
}

template <class T>
static inline T atomicAdd(T *address, T value) {
  const T old = *address;
  *address = old + value;
  return old;
}
