#pragma once

// What every kind of communicator promises; run on each of them. The numbers are small integers, so that sums
// are exact, except where the order of the ranks is what is tested.

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "comm/communicator.h"

namespace convoy::checks {

template <class T>
constexpr Element kElement = Element::f32;
template <>
inline constexpr Element kElement<double> = Element::f64;
template <>
inline constexpr Element kElement<std::int64_t> = Element::s64;
template <>
inline constexpr Element kElement<std::uint8_t> = Element::u8;

/// Element i of rank `rank`: small, and different for neighbours and ranks.
template <class T>
T value(int rank, std::int64_t i) {
  return static_cast<T>((i * 7 + rank * 3 + rank * rank) % 23);
}

template <class T>
T reduced(int ranks, std::int64_t i, Reduction reduction) {
  T total = value<T>(0, i);
  for (int rank = 1; rank < ranks; ++rank) {
    const T x = value<T>(rank, i);
    if (reduction == Reduction::sum) total = static_cast<T>(total + x);
    if (reduction == Reduction::max) total = std::max(total, x);
    if (reduction == Reduction::min) total = std::min(total, x);
  }
  return total;
}

template <class T>
std::vector<T> values(int rank, std::int64_t count) {
  std::vector<T> data(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) data[static_cast<std::size_t>(i)] = value<T>(rank, i);
  return data;
}

template <class T>
std::vector<T> all_reduced(int ranks, std::int64_t count, Reduction reduction) {
  std::vector<T> data(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    data[static_cast<std::size_t>(i)] = reduced<T>(ranks, i, reduction);
  return data;
}

template <class T>
void all_reduces(Communicator& comm, std::int64_t count) {
  for (const Reduction reduction : {Reduction::sum, Reduction::max, Reduction::min}) {
    std::vector<T> data = values<T>(comm.rank(), count);
    comm.start_all_reduce(data.data(), count, kElement<T>, reduction, "check").wait();
    EXPECT_EQ(data, all_reduced<T>(comm.size(), count, reduction)) << count << " elements";
  }
}

template <class T>
void reduce_scatters(Communicator& comm, std::int64_t count) {
  const std::vector<T> before = values<T>(comm.rank(), count * comm.size());
  std::vector<T> data = before;
  comm.start_reduce_scatter(data.data(), count, kElement<T>, Reduction::sum, "check").wait();
  const std::vector<T> sum = all_reduced<T>(comm.size(), count * comm.size(), Reduction::sum);
  std::vector<T> expected = before;
  const auto mine = static_cast<std::ptrdiff_t>(comm.rank() * count);
  std::copy_n(sum.begin() + mine, count, expected.begin() + mine);
  EXPECT_EQ(data, expected) << count << " elements per rank";
}

template <class T>
void all_gathers(Communicator& comm, std::int64_t count) {
  const std::vector<T> expected = values<T>(0, count * comm.size());
  std::vector<T> data(expected.size());
  const auto mine = static_cast<std::ptrdiff_t>(comm.rank() * count);
  std::copy_n(expected.begin() + mine, count, data.begin() + mine);
  comm.start_all_gather(data.data(), count, kElement<T>, "check").wait();
  EXPECT_EQ(data, expected) << count << " elements per rank";
}

template <class T>
void broadcasts(Communicator& comm, std::int64_t count) {
  for (int root = 0; root < comm.size(); ++root) {
    std::vector<T> data = values<T>(comm.rank(), count);
    comm.start_broadcast(data.data(), count, kElement<T>, root, "check").wait();
    EXPECT_EQ(data, values<T>(root, count)) << count << " elements from rank " << root;
  }
}

template <class T>
void everything(Communicator& comm, std::int64_t count) {
  all_reduces<T>(comm, count);
  reduce_scatters<T>(comm, count);
  all_gathers<T>(comm, count);
  broadcasts<T>(comm, count);
}

/// The sum goes in the order of the ranks: the bits are those of a loop over the ranks, however the data is
/// cut.
inline void sums_in_rank_order(Communicator& comm, std::int64_t count) {
  const auto inexact = [](int rank, std::int64_t i) {
    return 1.0F / static_cast<float>(1 + (i * 31 + rank * 17) % 1009) * (rank % 2 == 0 ? 1e3F : -1.0F);
  };
  std::vector<float> data;
  std::vector<float> expected;
  for (std::int64_t i = 0; i < count; ++i) {
    data.push_back(inexact(comm.rank(), i));
    float sum = inexact(0, i);
    for (int rank = 1; rank < comm.size(); ++rank) sum += inexact(rank, i);
    expected.push_back(sum);
  }
  std::vector<float> in_parts = data;
  comm.all_reduce(data, Reduction::sum, "whole");
  EXPECT_EQ(data, expected);
  const std::span<float> parts(in_parts);
  const auto cut = static_cast<std::size_t>(count / 3);
  comm.all_reduce(parts.first(cut), Reduction::sum, "first part");
  comm.all_reduce(parts.subspan(cut), Reduction::sum, "second part");
  EXPECT_EQ(in_parts, expected);
}

/// Operations overlap; waiting out of order and twice is fine.
inline void overlaps(Communicator& comm, std::int64_t count) {
  constexpr std::size_t kOperations = 8;
  std::vector<std::vector<float>> data(kOperations, values<float>(comm.rank(), count));
  std::vector<Pending> pending;
  for (std::size_t i = 0; i < kOperations; ++i) {
    pending.push_back(comm.start_all_reduce(data[i].data(), count, Element::f32, Reduction::sum, "bucket"));
  }
  pending.back().wait();
  for (Pending& one : pending) {
    EXPECT_TRUE(one.done()) << "operations finish in order";
    one.wait();
    one.wait();
  }
  for (const auto& one : data) EXPECT_EQ(one, all_reduced<float>(comm.size(), count, Reduction::sum));
}

inline void texts(Communicator& comm) {
  const std::string mine(static_cast<std::size_t>(comm.rank()) * 1000, static_cast<char>('a' + comm.rank()));
  const std::vector<std::string> all = comm.gather_strings(mine, "texts");
  ASSERT_EQ(all.size(), static_cast<std::size_t>(comm.size()));
  EXPECT_EQ(all[static_cast<std::size_t>(comm.rank())], mine);
  EXPECT_EQ(all.front(), "");
  EXPECT_EQ(all.back().size(), static_cast<std::size_t>(comm.size() - 1) * 1000);
  EXPECT_EQ(comm.broadcast_string(comm.rank() == 0 ? "job" : "", 0, "job"), "job");
  EXPECT_EQ(comm.all_reduce(std::int64_t{comm.rank()}, Reduction::max, "last rank"), comm.size() - 1);
}

}  // namespace convoy::checks
