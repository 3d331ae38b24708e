// Compiled for x86-64-v3; called only where the processor has it.
#include "trainer/data/resample_loops.h"

namespace convoy {

ResampleLoops resample_loops_v3() { return {resize_rows<8>, mix_rows<8>}; }

}  // namespace convoy
