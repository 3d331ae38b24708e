#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/launch/process.h"

namespace convoy::test {

/// Folder of the sources, with configs/ in it.
inline const std::string kSource = CONVOY_SOURCE;

/// Standard output of a program that ended well, as the one JSON object on one line that it must be.
inline boost::json::object object_of(const Ended& ended) {
  EXPECT_EQ(ended.code, 0) << ended.all();
  boost::system::error_code problem;
  const boost::json::value value = boost::json::parse(ended.out, problem);
  EXPECT_FALSE(problem) << ended.out;
  EXPECT_EQ(count_of("\n", ended.out), 1);
  return value.is_object() ? value.as_object() : boost::json::object{};
}

}  // namespace convoy::test
