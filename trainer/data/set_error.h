#pragma once

#include <string>

#include "layers/core/error.h"

namespace convoy {

/// A fault of a data set as a whole, as a damaged index: no sample is to blame, so none may be put in
/// another's place.
class SetError : public Error {
 public:
  explicit SetError(const std::string& message) : Error(ExitCode::data, message) {}
};

/// Whether a sample is broken, which a job may have left out.
inline bool is_of_sample(const Error& problem) {
  return problem.code() == ExitCode::data && dynamic_cast<const SetError*>(&problem) == nullptr;
}

}  // namespace convoy
