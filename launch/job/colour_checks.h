#pragma once

#include "launch/job/places.h"
#include "trainer/job.h"

namespace convoy {

/// That data.colour_eigenvalues and data.colour_eigenvectors go together and are what their names say, or are
/// both left to be measured. Throws Error(usage) with the place of the key at fault.
void check_colour_components(const Job::Data& data, const Places& places);

}  // namespace convoy
