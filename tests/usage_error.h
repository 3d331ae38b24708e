#pragma once

#include <gtest/gtest.h>

#include <string>

#include "layers/core/error.h"

namespace convoy {

/// The message of the Error(usage) that the call ends with; "no error" where it ends well.
template <class Call>
std::string usage_error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "no error";
}

}  // namespace convoy
