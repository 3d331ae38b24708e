#include "tests/bench/arena_csv.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "layers/core/error.h"

namespace convoy {
namespace {

class ArenaCsv : public testing::Test {
 protected:
  ArenaProblem read(const std::string& text) const {
    std::ofstream(file_) << text;
    return read_arena_csv(file_);
  }

  /// The message, less the file's name.
  std::string refusal(const std::string& text) const {
    try {
      read(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_EQ(std::string(error.what()).substr(0, file_.size()), file_);
      return std::string(error.what()).substr(file_.size());
    }
    return "none";
  }

  const std::string file_ =
      testing::TempDir() + "convoy-" + testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv";
  const std::string head_ = "id,lower,upper,size\n";
};

TEST_F(ArenaCsv, GivesBlocksWithTheirLastStepIncluded) {
  const ArenaProblem problem = read(head_ + "a,0,3,10\r\nb,7,8,0\n\nweights 1,2,2147483647,5000000000");
  EXPECT_EQ(problem.ids, (std::vector<std::string>{"a", "b", "weights 1"}));
  EXPECT_EQ(problem.blocks, (std::vector<Block>{{0, 2, 10}, {7, 7, 0}, {2, 2147483646, 5000000000}}));
  EXPECT_TRUE(read(head_).blocks.empty());
}

TEST_F(ArenaCsv, NamesTheLineOfAMistake) {
  EXPECT_EQ(refusal(""), ": is empty or cannot be read");
  EXPECT_EQ(refusal("id,upper,lower,size\n"), ":1: the first line must be id,lower,upper,size");
  EXPECT_EQ(refusal(head_ + "a,0,1,2\nb,0,1\n"), ":3: 3 columns where 4 are expected");
  EXPECT_EQ(refusal(head_ + ",0,1,2\n"), ":2: the id is empty");
  EXPECT_EQ(refusal(head_ + "a,0,1,2\nb,0,1,2\na,0,1,2\n"), ":4: id \"a\" is that of line 2 too");
  EXPECT_EQ(refusal(head_ + "a,x,1,2\n"), ":2: lower: \"x\" is not a whole number from 0 to 2147483646");
  EXPECT_EQ(refusal(head_ + "a,4,4,2\n"), ":2: upper: \"4\" is not a whole number from 5 to 2147483647");
  EXPECT_EQ(refusal(head_ + "a,0,1,2.5\n"),
            ":2: size: \"2.5\" is not a whole number from 0 to 576460752303423488");
  EXPECT_EQ(refusal(head_ + "a,0,1,-2\n"),
            ":2: size: \"-2\" is not a whole number from 0 to 576460752303423488");
  EXPECT_EQ(refusal(head_ + "a,0,1,576460752303423488\nb,0,1,1\n"),
            ":3: size: \"1\" is not a whole number from 0 to 0");
  EXPECT_THROW(read_arena_csv(testing::TempDir() + "convoy-no-such-file.csv"), Error);
}

TEST_F(ArenaCsv, ComesBackWithOffsets) {
  const ArenaProblem problem = read(head_ + "a,0,3,10\nb,2,8,6\n");
  write_arena_csv(file_, problem, std::vector<std::int64_t>{6, 0});
  std::stringstream text;
  text << std::ifstream(file_).rdbuf();
  EXPECT_EQ(text.str(), "id,lower,upper,size,offset\na,0,3,10,6\nb,2,8,6,0\n");
  EXPECT_EQ(read_arena_csv(file_).blocks, problem.blocks);
  EXPECT_THROW(write_arena_csv("/no/such/folder/out.csv", problem, {}), Error);
}

}  // namespace
}  // namespace convoy
