#include "trainer/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace convoy {
namespace {

constexpr double kBase = 0.2;

/// The rate at `epoch` of `epochs`.
double rate(const Job::Schedule& schedule, double epoch, double epochs = 90) {
  Job::Optimizer optimizer;
  optimizer.learning_rate = kBase;
  return learning_rate(optimizer, schedule, epoch, epochs);
}

Job::Schedule of_type(const char* type) {
  Job::Schedule schedule;
  schedule.type = type;
  return schedule;
}

TEST(Schedule, ConstantStays) {
  for (const double epoch : {0.0, 0.5, 89.99}) EXPECT_DOUBLE_EQ(rate(of_type("constant"), epoch), kBase);
}

TEST(Schedule, StepDropsAtMultiplesOfItsEpochsAsStepLR) {
  const Job::Schedule schedule = of_type("step");
  EXPECT_DOUBLE_EQ(rate(schedule, 0), kBase);
  EXPECT_DOUBLE_EQ(rate(schedule, 30 - 1e-9), kBase);
  EXPECT_DOUBLE_EQ(rate(schedule, 30), kBase * 0.1);
  EXPECT_DOUBLE_EQ(rate(schedule, 59.9), kBase * 0.1);
  EXPECT_DOUBLE_EQ(rate(schedule, 60), kBase * 0.1 * 0.1);
}

TEST(Schedule, StepDropsOnTheUpdateThatBeginsTheEpoch) {
  // As the trainer asks: update / updates of an epoch. No rounding may move a drop by an update.
  for (const int per_epoch : {3, 7, 938, 1251}) {
    for (const int drop : {30, 60}) {
      const auto at = [&](int update) {
        return rate(of_type("step"), static_cast<double>(update) / per_epoch);
      };
      EXPECT_NEAR(at(drop * per_epoch) / at(drop * per_epoch - 1), 0.1, 1e-12) << per_epoch;
    }
  }
}

TEST(Schedule, MultiStepDropsAtEachMilestoneAsMultiStepLR) {
  Job::Schedule schedule = of_type("multi_step");
  schedule.milestones = {30, 80};
  schedule.gamma = 0.5;
  EXPECT_DOUBLE_EQ(rate(schedule, 29.999), kBase);
  EXPECT_DOUBLE_EQ(rate(schedule, 30), kBase / 2);
  EXPECT_DOUBLE_EQ(rate(schedule, 79.999), kBase / 2);
  EXPECT_DOUBLE_EQ(rate(schedule, 80), kBase / 4);
}

TEST(Schedule, PolynomialFallsToItsFinalShare) {
  Job::Schedule schedule = of_type("polynomial");
  schedule.power = 2;
  schedule.final = 0.1;
  EXPECT_DOUBLE_EQ(rate(schedule, 0), kBase);
  EXPECT_DOUBLE_EQ(rate(schedule, 45), kBase * (0.1 + 0.9 * 0.25));
  EXPECT_DOUBLE_EQ(rate(schedule, 90), kBase * 0.1);
}

TEST(Schedule, CosineIsThatOfCosineAnnealingLR) {
  Job::Schedule schedule = of_type("cosine");
  schedule.final = 0.01;
  const double least = kBase * 0.01;  // eta_min
  for (const double epoch : {0.0, 1.0, 30.0, 45.0, 77.7, 90.0}) {
    const double torch = least + (kBase - least) * (1 + std::cos(std::numbers::pi * epoch / 90)) / 2;
    EXPECT_NEAR(rate(schedule, epoch), torch, 1e-15) << epoch;
  }
}

TEST(Schedule, WarmUpRisesInALineAndJoinsTheSchedule) {
  for (const char* type : {"constant", "polynomial", "cosine", "step"}) {
    Job::Schedule schedule = of_type(type);
    schedule.warmup_epochs = 5;
    schedule.warmup_start = 0.1;
    EXPECT_DOUBLE_EQ(rate(schedule, 0), kBase * 0.1) << type;
    EXPECT_DOUBLE_EQ(rate(schedule, 2.5), kBase * 0.55) << type;
    EXPECT_NEAR(rate(schedule, 5 - 1e-9), kBase, 1e-9) << type;
    EXPECT_DOUBLE_EQ(rate(schedule, 5), kBase) << type;
  }
}

TEST(Schedule, ConstantWarmUpStaysLowAndLeaps) {
  Job::Schedule schedule = of_type("multi_step");
  schedule.milestones = {60};
  schedule.warmup_epochs = 2;
  schedule.warmup_start = 0.1;
  schedule.warmup_type = "constant";
  for (const double epoch : {0.0, 1.0, 2 - 1e-9}) EXPECT_DOUBLE_EQ(rate(schedule, epoch), kBase * 0.1);
  EXPECT_DOUBLE_EQ(rate(schedule, 2), kBase);
  EXPECT_DOUBLE_EQ(rate(schedule, 60), kBase * 0.1);
}

TEST(Schedule, ProgressOfCosineAndPolynomialCountsFromTheWarmUp) {
  for (const char* type : {"polynomial", "cosine"}) {
    Job::Schedule schedule = of_type(type);
    schedule.warmup_epochs = 10;
    EXPECT_DOUBLE_EQ(rate(schedule, 50), kBase / 2) << type;
    EXPECT_NEAR(rate(schedule, 90), 0, 1e-15) << type;
  }
}

TEST(Schedule, WarmUpMayTakeTheWholeRun) {
  Job::Schedule schedule = of_type("cosine");
  schedule.warmup_epochs = 90;
  EXPECT_DOUBLE_EQ(rate(schedule, 45), kBase / 2);
  schedule.warmup_epochs = 1000;
  EXPECT_NEAR(rate(schedule, 89), kBase * 0.089, 1e-12);
}

}  // namespace
}  // namespace convoy
