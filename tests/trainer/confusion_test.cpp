#include "trainer/confusion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "tests/trainer/train_here.h"
#include "trainer/class_identity.h"
#include "trainer/evaluate.h"

namespace convoy::test {
namespace {

constexpr const char* kSixtyOneTests = "samples = 20\ntest_samples = 61\n[train]\nbatch = 8\n";

using Cells = std::vector<std::tuple<int, int, std::int64_t>>;

Cells cells_of(const Confusion& confusion) {
  Cells cells;
  for (const ConfusionCell& cell : confusion.cells())
    cells.emplace_back(cell.label, cell.predicted, cell.samples);
  return cells;
}

struct Found {
  Evaluation evaluation;
  std::vector<ClassCounts> classes;
  Cells cells;
};

Found confusion_with(const char* network, int ranks, std::int64_t size) {
  const JobFolder folder;
  const std::string job = folder.write_job(network, kSixtyOneTests);
  Found found;
  with_sessions({job, folder.path("run"), ranks, {"train.evaluate_batch=" + std::to_string(size)}},
                [&](Session& session) {
                  take_steps(session, 2, 0.1);
                  Confusion confusion(static_cast<int>(session.graph().classes()));
                  const Evaluation own = evaluate(session.executor(), session.inputs().test, session.comm(),
                                                  {}, 1, nullptr, &confusion);
                  if (session.comm().rank() == session.comm().size() - 1)
                    found = {own, confusion.classes(), cells_of(confusion)};
                });
  return found;
}

// The device counts top-1 and top-5 by another way than the matrix.
TEST(Confusion, CountsEachSampleOnceForAnyRanksAndSizesAsTheMetricsDo) {
  const Found alone = confusion_with(kTinyNetwork, 1, 61);
  for (const int ranks : {1, 2, 3, 5}) {
    for (const std::int64_t size : {1, 7, 100}) {
      const Found found = confusion_with(kTinyNetwork, ranks, size);
      ClassCounts sum;
      for (const ClassCounts& one : found.classes) {
        sum.samples += one.samples;
        sum.top1 += one.top1;
        sum.top5 += one.top5;
      }
      EXPECT_EQ(sum.samples, 61);
      EXPECT_EQ(static_cast<double>(sum.top1), std::round(found.evaluation.top1 * 61))
          << ranks << ", " << size;
      EXPECT_EQ(static_cast<double>(sum.top5), std::round(found.evaluation.top5 * 61))
          << ranks << ", " << size;
      EXPECT_EQ(found.cells, alone.cells) << ranks << " ranks, " << size;
    }
  }
  std::int64_t samples = 0;
  std::int64_t diagonal = 0;
  for (const auto& [label, predicted, count] : alone.cells) {
    samples += count;
    diagonal += label == predicted ? count : 0;
  }
  EXPECT_EQ(samples, 61);
  EXPECT_EQ(static_cast<double>(diagonal), std::round(alone.evaluation.top1 * 61));
}

TEST(Confusion, OfEqualScoresTheFirstCounts) {
  Confusion confusion(3);
  confusion.count(1, std::vector<float>{2, 2, 1});
  confusion.count(0, std::vector<float>{2, 2, 1});
  EXPECT_EQ(cells_of(confusion), (Cells{{0, 0, 1}, {1, 0, 1}}));
  EXPECT_EQ(confusion.classes()[1].top1, 0);
  EXPECT_EQ(confusion.classes()[1].top5, 1);
}

TEST(Confusion, WhatIsNoNumberIsNoClass) {
  Confusion confusion(2);
  confusion.count(1, std::vector<float>{0, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_EQ(cells_of(confusion), (Cells{{1, Confusion::kNoClass, 1}}));
  EXPECT_EQ(confusion.classes()[1].top1, 0);
}

// A square of these classes would have 10^12 cells.
TEST(Confusion, OfAMillionClassesItHoldsTheCellsThatAreNotZero) {
  constexpr int kClasses = 1'000'000;
  Confusion confusion(kClasses);
  std::vector<float> scores(kClasses);
  for (int i = 0; i < 20; ++i) {
    scores[static_cast<std::size_t>(7 * i)] = 1.F + static_cast<float>(i);
    confusion.count(kClasses - 1 - i, scores);
  }
  run_ranks(1, [&](Communicator& comm) { confusion.add_up(comm); });
  EXPECT_EQ(confusion.cells().size(), 20U);
  EXPECT_EQ(cells_of(confusion).front(), std::tuple(kClasses - 20, 7 * 19, 1));
}

std::string problem(const std::vector<std::string>& kept, const std::vector<std::string>& data) {
  try {
    check_class_names(kept, data, "w.safetensors");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

TEST(ClassIdentity, TheFirstClassThatDiffersIsNamed) {
  EXPECT_EQ(problem({"a", "b"}, {"a", "b"}), "");
  EXPECT_NE(problem({"a", "b", "c"}, {"a", "c", "d"}).find("class 1 is \"b\" there, and \"c\" in the data"),
            std::string::npos);
  EXPECT_NE(problem({"a"}, {"a", "b"}).find("class 1 is no class there, and \"b\""), std::string::npos);
}

TEST(ClassIdentity, NumbersNameNothing) {
  EXPECT_EQ(problem({}, {"a", "b"}), "");
  EXPECT_EQ(problem({"0", "1"}, {"a", "b"}), "");
  EXPECT_EQ(problem({"a", "b"}, {"0", "1"}), "");
  EXPECT_NE(problem({"0", "2"}, {"a", "b"}), "");
}

TEST(ClassIdentity, NamesOfAnyBytesAreKeptAndFoundAgain) {
  const std::vector<std::string> names{"caf\xC3\xA9", "caf\xE9",           "\xED\xA0\x80", "\xF0\x9F\x90\x88",
                                       "a\nb, \"c\"", "\xC0\xAF overlong", "end \xE2\x82", "\xF5"};
  const std::vector<std::string> kept =
      class_names_of({{"convoy.classes", class_names_text(names)}}, "w.safetensors");
  ASSERT_EQ(kept.size(), names.size());
  EXPECT_EQ(kept[0], names[0]);
  EXPECT_EQ(kept[1], "caf\\xe9");
  EXPECT_EQ(kept[2], "\\xed\\xa0\\x80");
  EXPECT_EQ(kept[3], names[3]);
  EXPECT_EQ(kept[4], names[4]);
  EXPECT_EQ(kept[6], "end \\xe2\\x82");
  EXPECT_EQ(problem(kept, names), "");
}

TEST(ClassIdentity, MetadataThatAreNoNamesAreTold) {
  for (const char* text : {"", "{", "{}", "[1]", "\"a\"", "null"}) {
    try {
      class_names_of({{"convoy.classes", text}}, "w.safetensors");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_NE(std::string(error.what()).find("w.safetensors: its metadata"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace convoy::test
