// The kernels of `scanlines.cu`, in the order of `threaded.SCANLINES`.
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

static const Kernel kernels[3][SLOTS] = {
    {slot0_scan_8, slot1_scan_8, slot2_scan_8},
    {slot0_scan_16, slot1_scan_16, slot2_scan_16},
    {slot0_filter, slot1_filter, slot2_filter}};
